"""Judging with the keyboard only: from an empty task to a new version of the dataset, through a crash."""

import pytest
from playwright.sync_api import Page, expect

from rerank.intake.storage import list_datasets
from rerank.judging.tasks import tasks_of
from rerank.store import judging
from tests.e2e.dashboard import Dashboard, heading, open_app, settled
from tests.judging.tasks import stored_dataset

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FOCUSED = """() => {
  const at = document.activeElement;
  return [at.getAttribute('aria-label'), at.innerText, at.closest('label')?.innerText].join(' ').trim();
}"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(80):
        if str(page.evaluate(FOCUSED)).startswith(name):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to “{name}”")


def read(page: Page) -> None:
    """Wait until a pair is there, and as long as a fast reader needs: a quicker key counts as an accident."""
    settled(page)
    page.wait_for_timeout(500)


def judge(page: Page, keys: str, n_judged: int, total: int) -> int:
    """Press keys, each when the page has taken the one before; returns how many are judged then."""
    for key in keys:
        read(page)
        page.keyboard.press(key)
        n_judged += 1
        expect(page.get_by_test_id("stProgress")).to_contain_text(f"{n_judged} of {total} judged")
    return n_judged


def test_the_judging_journey_with_the_keyboard_only(app: Dashboard, page: Page) -> None:
    dataset = stored_dataset()
    open_app(page, f"{app.url}/judge?dataset={dataset.digest}")
    expect(heading(page, "Judging")).to_be_visible()
    tab_to(page, "Start judging")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Who judges?")).to_be_visible()
    task = tasks_of([dataset.digest])[0]
    total = task.n_pairs
    tab_to(page, "Your name")
    page.keyboard.type("Ann")
    page.keyboard.press("Enter")

    expect(page.get_by_test_id("stProgress")).to_contain_text(f"0 of {total} judged")
    n_judged = judge(page, "012012", 0, total)
    read(page)
    page.keyboard.press("s")
    expect(page.get_by_test_id("stProgress")).to_contain_text("1 skipped")
    n_judged = judge(page, "21", n_judged, total)
    read(page)
    page.keyboard.press("u")
    expect(page.get_by_test_id("stProgress")).to_contain_text(f"{n_judged - 1} of {total} judged")
    n_judged = judge(page, "0", n_judged - 1, total)
    assert [mark["grade"] for mark in judging.read_marks(task.id)] == [0, 1, 2, 0, 1, 2, None, 2, 0]

    app.kill()
    app.start()
    open_app(page, page.url)
    expect(page.get_by_test_id("stProgress")).to_contain_text(f"{n_judged} of {total} judged")
    n_judged = judge(page, "102", n_judged, total)

    tab_to(page, "Somebody else")
    page.keyboard.press("Enter")
    tab_to(page, "Or a new name")
    page.keyboard.type("Bob")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stProgress")).to_contain_text(f"0 of {total} judged")
    judge(page, "01201201201201201201", 0, total)
    assert judging.read_raters(task.id) == ["Ann", "Bob"]

    tab_to(page, "Judge")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Krippendorff")).to_be_visible()
    settled(page)
    tab_to(page, "Progress and agreement")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    tab_to(page, "Name of the new version")
    tab_to(page, "Use these judgments")
    page.keyboard.press("Enter")
    expect(heading(page, "Data")).to_be_visible()
    expect(page.get_by_text("judgments were added in the app")).to_be_visible()
    assert len(list_datasets()) == 2
