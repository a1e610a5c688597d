"""Text of a user's files is shown as it is: it draws nothing, asks nobody, and turns nothing around."""

import re
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from rerank.intake.reading import Source
from rerank.judging.tasks import Settings, create_task
from rerank.planning.experiments import lock_plan
from rerank.store import judging
from tests.conftest import tiny_files
from tests.e2e.dashboard import Dashboard, fill, open_app, settled
from tests.tiny import run_job, tiny_plan

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

IMAGE = "![look](https://evil.example/pixel.png)"
HTML = "<b id=hostile>bold</b><img src=https://evil.example/x.png onerror=alert(1)>"
TURNED = "abc\u202edef\u2066ghi"
FORMULA = "=cmd()"
HOSTILE = f"{FORMULA} {IMAGE} {HTML} {TURNED} :red[red] $x^2$"


def hostile_files() -> list[Source]:
    queries, documents, judgments = tiny_files()
    rows = re.sub(
        r"about (\w+) (\d+),(even|odd)", lambda row: f"{HOSTILE} {row[1]} {row[2]},{IMAGE}", queries.data.decode()
    )
    texts = documents.data.decode().replace("apple 0,the apple", f"{HOSTILE},{IMAGE} {HTML} apple")
    return [Source("queries.csv", rows.encode()), Source("documents.csv", texts.encode()), judgments]


def nothing_came_of_it(page: Page) -> None:
    """No picture, no element and no turned text on the page."""
    settled(page)
    expect(page.locator("#hostile")).to_have_count(0)
    expect(page.locator("img[src*=evil]")).to_have_count(0)
    shown = page.locator("body").inner_text()
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)


def test_hostile_text_is_only_text(app: Dashboard, page: Page, model: Path, tmp_path: Path) -> None:
    plan = tiny_plan(model, hostile_files(), strategies=("first-stage", "embedding"), hypothesis=HOSTILE)
    experiment = lock_plan(plan, name=HOSTILE, dataset_name=HOSTILE)
    assert run_job(experiment).state == "done"

    open_app(page, app.url)
    expect(page.get_by_role("heading", name="Newest result")).to_contain_text("=cmd() ![look](https://evil")
    nothing_came_of_it(page)

    open_app(page, f"{app.url}/data")
    page.get_by_role("tab", name="What it holds").click()
    page.get_by_role("tab", name="Documents").click()
    nothing_came_of_it(page)
    page.get_by_role("tab", name="Upload a sample").click()
    uploads = [
        {"name": f"../{IMAGE}{number}.csv", "mimeType": "text/csv", "buffer": item.data}
        for number, item in enumerate(hostile_files())
    ]
    page.locator("input[type=file]").set_input_files(uploads)  # type: ignore[arg-type]
    expect(page.get_by_role("button", name="Save the dataset")).to_be_visible()
    nothing_came_of_it(page)

    for name in ("runs", "results"):
        open_app(page, f"{app.url}/{name}?experiment={experiment}")
        expect(page.get_by_text("![look]").first).to_be_visible()
        nothing_came_of_it(page)

    open_app(page, f"{app.url}/queries?experiment={experiment}")
    expect(page.get_by_role("button", name=IMAGE)).to_be_visible()  # the segment
    # Not in a table's cells: a canvas shows them, and what stands in the page for a screen reader is hidden.
    spelled = page.get_by_text(re.compile(r"^=cmd\(\) !\[look\].*abcdefghi :red\[red\] \$x\^2\$ \w+ \d+$"))
    expect(spelled.and_(page.locator(":not([role=gridcell])")).first).to_be_visible()
    nothing_came_of_it(page)
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    saved = tmp_path / "wins.csv"
    download.value.save_as(saved)
    assert f"'{FORMULA} {IMAGE}" in saved.read_text(encoding="utf-8")
    assert not re.search(r"(^|,|\")=cmd", saved.read_text(encoding="utf-8"))

    pairs = pd.DataFrame({"query_id": ["q1"], "doc_id": ["d0_0"], "priority": [0.0]})
    settings = Settings((HTML, IMAGE))
    task = create_task(plan.dataset_digest, pairs, name=HOSTILE, guideline=HOSTILE, settings=settings)
    judging.add_rater(task.id, HOSTILE)
    rater = quote(HOSTILE)
    open_app(page, f"{app.url}/judge?dataset={plan.dataset_digest}&task={task.id}&rater={rater}")
    expect(page.get_by_role("button", name="<b id=hostile>bold</b>")).to_be_visible()
    expect(page.get_by_role("heading", level=2)).to_contain_text("=cmd() ![look](https:")
    expect(page.get_by_role("link", name="evil")).to_have_count(0)
    expect(page.get_by_text(f"{IMAGE} {HTML} apple")).to_be_visible()
    nothing_came_of_it(page)

    open_app(page, f"{app.url}/demo?experiment={experiment}")
    fill(page, "Query", f"{HOSTILE} apple")
    expect(page.get_by_text("1. =cmd() ![look]").first).to_be_visible(timeout=120_000)
    nothing_came_of_it(page)
