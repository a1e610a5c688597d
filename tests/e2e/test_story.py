"""From three files to a demo: everything a customer does in one sitting."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import tiny_files
from tests.e2e.dashboard import Dashboard, fill, heading, open_app, settled

pytestmark = pytest.mark.e2e

LONG = 120_000  # for what a worker process does on two shared cores


def upload_with_one_bad_row(page: Page) -> None:
    files = [{"name": item.name, "mimeType": "text/csv", "buffer": item.data} for item in tiny_files()]
    files[2]["buffer"] = files[2]["buffer"] + b"\nq0,d1_3,excellent"
    page.get_by_role("tab", name="Upload a sample").click()
    page.locator("input[type=file]").set_input_files(files)


def make_it_tiny(page: Page, model: Path) -> None:
    page.get_by_text("Details: candidates, model, training, budget").click()
    fill(page, "Base model", str(model))
    fill(page, "Candidates per query", "6")
    fill(page, "Epochs at most (0: automatic)", "1")
    settled(page)


@pytest.mark.timeout(240)
def test_from_three_files_to_a_demo(app: Dashboard, page: Page, model: Path) -> None:
    open_app(page, app.url)
    expect(heading(page, "Overview")).to_be_visible()
    page.get_by_role("link", name="1. Data").click()

    upload_with_one_bad_row(page)
    expect(page.get_by_text("judgments.csv · Judgments")).to_be_visible()
    expect(page.get_by_role("heading", name="Findings")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Errors: 1\. .*\(rows: 1\)\.$"))).to_be_visible()
    save = page.get_by_role("button", name="Save the dataset")
    expect(save).to_be_disabled()
    page.get_by_text("Leave out the rows with errors and keep the good ones").click()
    fill(page, "Name of the dataset", "our search")
    expect(save).to_be_enabled()
    save.click()

    expect(heading(page, "Plan")).to_be_visible()
    expect(page.get_by_role("combobox", name="Dataset")).to_have_value(re.compile("^our search · "))
    make_it_tiny(page, model)
    page.get_by_role("button", name=re.compile("Predict time and cost")).click()
    expect(page.get_by_text(re.compile(r"^Between .* to \$"))).to_have_count(2, timeout=LONG)
    fill(page, "Name of the experiment", "our first experiment")
    page.get_by_text("Run all: single stages and the second stage").click()
    settled(page)
    page.get_by_role("button", name="Lock the plan and start").click()

    expect(heading(page, "Runs")).to_be_visible()
    bar = page.get_by_role("progressbar")
    expect(bar).to_be_visible()
    page.reload()
    expect(bar).to_be_visible()
    page.get_by_role("link", name="Open the result").click(timeout=LONG)

    expect(heading(page, "Results")).to_be_visible()
    expect(page.get_by_role("alert").first).to_be_visible()
    cards = page.get_by_test_id("stMetric")
    for name in ("First stage", "Embedding"):
        card = cards.filter(has=page.get_by_text(name, exact=True))
        expect(card.get_by_test_id("stMetricValue")).to_have_text(re.compile(r"^[01]\.\d{3}$"))
    expect(cards.filter(has=page.get_by_text(re.compile("^(C|D)( |$)")))).to_have_count(1)  # the best single stage
    expect(cards.filter(has=page.get_by_text(re.compile("^(C→D|D→C)( |$)")))).to_have_count(1)
    expect(page.get_by_text(re.compile(r"^Training \$.* per 1,000 queries")).first).to_be_visible()
    page.get_by_role("link", name="See wins and losses query by query").click()

    expect(heading(page, "Queries")).to_be_visible()
    for label in ("Queries won", "Queries lost", "Unchanged"):
        expect(page.get_by_text(label, exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Both orders")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^grade \d · ")).first).to_be_visible()

    page.get_by_role("navigation").get_by_role("link", name="Demo").click()
    expect(heading(page, "Demo")).to_be_visible()
    fill(page, "Query", "where is the bridge")
    expect(page.get_by_text(re.compile(r"^\d+ candidates from BM25"))).to_be_visible(timeout=LONG)
    expect(page.get_by_text(re.compile(r"ms for this query$"))).to_have_count(2)
    expect(page.get_by_text(re.compile(r"^1\. bridge \d"))).not_to_have_count(0)
