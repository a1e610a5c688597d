"""A server that dies takes no run with it; a run is stopped and continued from the page."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rerank.jobs import queue
from rerank.planning.experiments import experiment_folder, lock_plan
from rerank.report.files import read_log
from tests.e2e.dashboard import Dashboard, open_app
from tests.tiny import tiny_plan

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

LONG = 120_000


def events(experiment: str, kind: str) -> int:
    return sum(event["event"] == kind for event in read_log(experiment_folder(experiment)))


def test_a_run_outlives_the_server_and_continues_after_a_stop(app: Dashboard, page: Page, model: Path) -> None:
    plan = tiny_plan(model, strategies=("first-stage", "C"), seeds=tuple(range(1, 13)))
    experiment = lock_plan(plan, name="long", dataset_name="tiny")
    address = f"{app.url}/runs?experiment={experiment}"
    open_app(page, address)
    expect(page.get_by_text("Not started yet.")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    bar = page.get_by_role("progressbar")
    expect(bar).to_be_visible()

    # The chart's script comes late: a browser that is still fetching it would complain about the kill.
    expect(page.locator(".js-plotly-plot").first).to_be_visible()

    job = queue.experiment_job(experiment)
    assert job is not None
    app.kill()
    assert queue.job(job.id).is_live
    app.start()
    open_app(page, address)
    expect(bar).to_be_visible()
    now = queue.experiment_job(experiment)
    assert now is not None
    assert (now.id, now.is_live) == (job.id, True)

    # Not only "Stop": that is what Streamlit calls its own button for a script that takes long.
    page.get_by_role("button", name="Stop this run", exact=True).click()
    resume = page.get_by_role("button", name="Continue", exact=True)
    expect(resume).to_be_visible(timeout=LONG)
    expect(page.get_by_text("State: stopped", exact=True)).to_be_visible()
    trained = events(experiment, "stage_done")
    resume.click()
    expect(bar).to_be_visible()
    page.get_by_role("link", name="Open the result").click(timeout=LONG)
    assert events(experiment, "stage_done") == 12
    assert events(experiment, "stage_known") == trained
