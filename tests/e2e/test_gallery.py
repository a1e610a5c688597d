"""Every page in both languages, on light and dark ground, on a desk and on a telephone."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from rerank.planning.experiments import lock_plan
from rerank.planning.plan import CONTROLS, LearningCurve
from rerank.ui.pages import TITLES
from rerank.wording.language import LANGUAGES, speaker
from tests.conftest import tiny_files
from tests.e2e.conftest import visiting
from tests.e2e.dashboard import Dashboard, fits, heading, no_exception, open_app, picture, settled, wants_pictures
from tests.tiny import run_job, tiny_plan

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

SIZES = {"desk": (1280, 900), "telephone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[tuple[Dashboard, dict[str, str]]]:
    """A dashboard whose home holds a finished experiment and one that waits at gate 1, and their ids."""
    folder = tmp_path_factory.mktemp("gallery")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RERANK_HOME", str(folder / "home"))
        ids = {}
        for name, gate in (("at the gate", 1), ("finished", 2)):
            plan = tiny_plan(model, hypothesis=f"C is enough ({name})", learning_curve=LearningCurve(shares=(0.5,)))
            plan = replace(plan, strategies=(*plan.strategies, *CONTROLS))
            ids[name] = lock_plan(plan, name=f"Support search, {name}", dataset_name="tiny")
            assert run_job(ids[name], gate).state == "done"
        dashboard = Dashboard(folder / "server.txt")
        dashboard.start()
        yield dashboard, ids
        dashboard.end()


def look(page: Page, name: str, schemes: tuple[Literal["light", "dark"], ...] = SCHEMES) -> None:
    """Look at a page in every size and on both grounds; on each ground in one size where nobody wants pictures."""
    settled(page)
    everything = [(scheme, size) for scheme in schemes for size in SIZES]
    # What fits does not depend on colours, and a page is drawn anew for each of them.
    once = list(zip((schemes[0], schemes[-1]), SIZES, strict=True))
    for scheme, size in everything if wants_pictures() else once:
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        settled(page)
        no_exception(page)
        picture(page, f"{name}-{scheme}-{size}")
        assert fits(page), f"{name} scrolls sideways on a {size}"
    page.set_viewport_size({"width": SIZES["desk"][0], "height": SIZES["desk"][1]})


RESULT_PARTS = (
    "All strategies",
    "How firm?",
    "Money",
    "Judgments and stages",
    "Behind the numbers",
    "Take it with you",
)


def upload(page: Page, language: str) -> None:
    say = speaker(language)
    page.get_by_role("tab", name=say("Upload a sample")).click()
    files = [{"name": item.name, "mimeType": "text/csv", "buffer": item.data} for item in tiny_files()]
    files[2]["buffer"] = files[2]["buffer"] + b"\nq0,d1_3,excellent"
    page.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
    expect(page.get_by_role("button", name=say("Save the dataset"))).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_and_shows_no_exception(
    gallery: tuple[Dashboard, dict[str, str]], browser: Browser, language: str
) -> None:
    app, ids = gallery
    say = speaker(language)
    with visiting(browser, app.url) as visitor:
        page = visitor.new_page()
        for name, title in TITLES.items():
            open_app(page, f"{app.url}/{name}?experiment={ids['finished']}&lang={language}")
            expect(heading(page, say(title))).to_be_visible()
            expect(page).to_have_title(re.compile(re.escape(say(title))))
            if name == "results":
                for number, part in enumerate(RESULT_PARTS):
                    page.get_by_role("tab", name=say(part), exact=True).click()
                    if part == "Behind the numbers":
                        for inner in ("Every comparison", "Every measure", "Segments", "Cost in detail"):
                            page.get_by_text(say(inner), exact=True).click()
                    look(page, f"results-{number}-{language}", ("dark",))
            look(page, f"{name}-{language}")
        open_app(page, f"{app.url}/data?lang={language}")
        upload(page, language)
        look(page, f"upload-{language}")
        open_app(page, f"{app.url}/runs?experiment={ids['at the gate']}&lang={language}")
        expect(page.get_by_role("button", name=say("Go: run the second stage"))).to_be_visible()
        look(page, f"gate-{language}")
        open_app(page, f"{app.url}/demo?experiment={ids['finished']}&lang={language}")
        page.get_by_label(say("Query"), exact=True).fill("where is the bridge")
        page.get_by_role("button", name=say("Search"), exact=True).click()
        expect(page.get_by_text(re.compile(r"^1\. bridge \d")).first).to_be_visible(timeout=120_000)
        look(page, f"answer-{language}")
