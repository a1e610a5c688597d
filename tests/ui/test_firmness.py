"""The results page where a verdict depends on unjudged documents, and without any of it."""

from pathlib import Path

import pytest

from rerank.intake.storage import save_dataset
from rerank.planning.experiments import experiment_folder, lock_plan
from rerank.report.result import write_result
from rerank.store.artefacts import read_json, write_json
from rerank.wording.language import LANGUAGES, speaker
from tests.executed import QUALITY, executed
from tests.ui.conftest import open_page


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a result whose second verdict depends on unjudged documents."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RERANK_HOME", str(home))
        ran = executed(judged=0.35, quality=QUALITY | {"C-then-D": 1.8})
        save_dataset(ran.dataset)
        experiment = lock_plan(ran.plan, name="made", dataset_name="made")
        locked = read_json(experiment_folder(experiment) / "plan.json")
        write_result(
            type(ran)(**{**vars(ran), "experiment": experiment, "locked": locked}), experiment_folder(experiment)
        )
    return home


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_would_settle_it_is_offered_for_judging(
    language: str, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_HOME", str(made))
    say = speaker(language)
    page = open_page("results", lang=language)
    assert not page.exception
    assert {say("Stability"), say("Unjudged documents"), say("Ceiling")} <= {tab.label for tab in page.tabs}
    shown = " ".join(item.value for item in page.markdown)
    assert say("Judgments that would settle it, the most influential first") in shown
    (rows,) = [item.value for item in page.dataframe if say("Influence on Δ") in item.value.columns]
    assert len(rows) == 20
    assert rows[say("Title")].iloc[0].startswith("'=title")


def test_a_result_of_an_earlier_version_is_still_shown(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_HOME", str(made))
    (folder,) = (made / "experiments").iterdir()
    whole = read_json(folder / "result.json")
    write_json(folder / "result.json", {name: whole[name] for name in whole if name != "stability"})
    page = open_page("results", lang="en")
    write_json(folder / "result.json", whole)
    assert not page.exception
    assert "How firm is the answer?" not in [item.value for item in page.subheader]
