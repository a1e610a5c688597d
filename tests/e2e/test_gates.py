"""Gate 1 first: a person decides, the decision stays in the record, and nothing is trained twice."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rerank.planning.experiments import experiment_folder, lock_plan
from rerank.report.files import read_log
from tests.e2e.dashboard import Dashboard, fill, heading, open_app
from tests.tiny import run_job, tiny_plan

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

LONG = 120_000


def test_going_on_at_gate_one_needs_a_name_and_trains_only_the_second_stage(
    app: Dashboard, page: Page, model: Path
) -> None:
    strategies = ("first-stage", "embedding", "C", "C-then-D")
    experiment = lock_plan(tiny_plan(model, strategies=strategies), name="two gates", dataset_name="tiny")
    assert run_job(experiment, gate=1).state == "done"

    open_app(page, f"{app.url}/runs?experiment={experiment}")
    expect(page.get_by_text("Gate 1 recommends: go on to the second stage.")).to_be_visible()
    go = page.get_by_role("button", name="Go: run the second stage")
    no_go = page.get_by_role("button", name="No-go")
    expect(go).to_be_disabled()
    fill(page, "Your name", "Ada [admin](https://evil.example)")
    expect(go).to_be_enabled()
    expect(no_go).to_be_disabled()  # against the recommendation only with a reason
    fill(page, "Reason, if you decide otherwise", "We want to know")
    expect(no_go).to_be_enabled()
    go.click()

    record = page.get_by_text(re.compile(r"^Gate 1: go by Ada \[admin\]\(https://evil\.example\), .* We want to know$"))
    expect(record).to_be_visible(timeout=LONG)
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=LONG)
    expect(page.get_by_role("heading", name="Gate 1: go on to the second stage?")).to_have_count(0)
    expect(record).to_be_visible()

    second = read_log(experiment_folder(experiment))
    second = second[max(place for place, event in enumerate(second) if event["event"] == "started") :]
    assert [event["strategy"] for event in second if event["event"] == "stage_known"] == ["C"]
    assert [event["strategy"] for event in second if event["event"] == "stage_started"] == ["C-then-D"]

    page.get_by_role("link", name="Open the result").click()
    expect(heading(page, "Results")).to_be_visible()
    expect(page.get_by_test_id("stMetric").filter(has_text="C→D")).to_be_visible()
