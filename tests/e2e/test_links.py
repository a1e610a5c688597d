"""Addresses: the first request after a server start may be any of them."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rerank.planning.experiments import lock_plan
from rerank.planning.plan import Plan
from rerank.ui.pages import TITLES
from rerank.wording.language import speaker
from tests.e2e.dashboard import Dashboard, heading, open_app
from tests.tiny import run_job, tiny_plan

pytestmark = pytest.mark.e2e


def menu(page: Page) -> list[str]:
    """The names in the navigation."""
    return page.get_by_role("navigation").get_by_role("link").all_inner_texts()


@pytest.mark.parametrize("address", ["/", "/overview"])
def test_both_addresses_of_the_overview_open_it(app: Dashboard, page: Page, address: str) -> None:
    open_app(page, app.url + address)
    expect(heading(page, "Overview")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert menu(page) == list(TITLES.values())


@pytest.mark.timeout(240)
def test_a_link_to_a_result_is_the_first_request(app: Dashboard, page: Page, model: Path) -> None:
    def plan_of(hypothesis: str) -> Plan:
        return tiny_plan(model, hypothesis=hypothesis, strategies=("first-stage", "C"))

    experiments = [lock_plan(plan_of(name), name=name, dataset_name="tiny") for name in "ab"]
    for experiment in experiments:
        assert run_job(experiment, gate=1).state == "done"
    say = speaker("ja")
    # The older one: the page would choose the newer one by itself.
    open_app(page, f"{app.url}/results?experiment={experiments[0]}&lang=ja")
    expect(heading(page, say("Results"))).to_be_visible()
    expect(page.get_by_role("combobox", name=say("Experiment"))).to_have_value(re.compile(f"{experiments[0][:6]}$"))
    assert menu(page) == [say(title) for title in TITLES.values()]
    assert f"experiment={experiments[0]}" in page.url
