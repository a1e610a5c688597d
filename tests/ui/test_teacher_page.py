"""The teacher's page: a colour and a sentence, an override that needs a signature, marks that stay."""

import pytest

from rerank.audit.answers import Answers
from rerank.audit.audit import Rules, audit_teacher
from rerank.audit.records import AUDIT, marks, override_of
from rerank.intake.finish import finish
from rerank.intake.reading import read_files
from rerank.intake.storage import save_dataset
from rerank.planning.experiments import experiment_folder, lock_plan
from rerank.planning.plan import Plan
from rerank.store.artefacts import write_json
from rerank.ui import audit_view
from rerank.wording.audits import SCOPES
from rerank.wording.language import LANGUAGES, speaker
from tests.conftest import tiny_files
from tests.ui.conftest import open_page


def audited(sign: int) -> str:
    """An experiment with the audit of a teacher that says the grades (1) or their opposite (-1); its id."""
    dataset = finish(read_files(tiny_files()), "tiny")
    save_dataset(dataset)
    experiment = lock_plan(Plan(dataset.digest, strategies=("first-stage", "C", "D")), name="x", dataset_name="x")
    pairs = dataset.judgments[["query_id", "doc_id"]]
    candidates = pairs.sample(frac=1, random_state=0).reset_index(drop=True)  # a first stage that knows nothing
    candidates = candidates.assign(rank=candidates.groupby("query_id").cumcount() + 1)
    scores = dataset.judgments.assign(score=sign * dataset.judgments["grade"].astype(float))
    rules = Rules("nDCG@10", 1, 0.02, 0.05, 13, "folds")
    found = audit_teacher("uploaded", Answers(scores), dataset, candidates, {}, ("embedding", None), rules)
    write_json(experiment_folder(experiment) / AUDIT, {"digest": "0" * 64, **found})
    return experiment


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_red_teacher_is_said_with_its_reason_in_every_language(language: str) -> None:
    say = speaker(language)
    page = open_page("teacher", lang=language, experiment=audited(-1))
    assert not page.exception
    (shown,) = [item.value for item in page.error]
    assert say("It ranks worse than what is free.") in shown.replace("\\", "")
    assert say("Audited on {scope}.", scope=say(SCOPES["folds"])) in [
        item.value.replace("\\", "") for item in page.caption
    ]


def test_a_mark_is_kept_at_once_and_shown_again() -> None:
    experiment = audited(-1)
    page = open_page("teacher", lang="en", experiment=experiment)
    first = next(item for item in page.segmented_control if item.label == "Whose error is it?")
    first.set_value("label_error").run()
    assert [record["mark"] for record in marks(experiment).values()] == ["label_error"]
    again = open_page("teacher", lang="en", experiment=experiment)
    assert "1 of 30 are marked" in " ".join(item.value for item in again.caption)


def test_an_override_needs_name_and_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(audit_view, "start", lambda kind, spec: started.append((kind, spec["experiment"])))
    experiment = audited(-1)
    page = open_page("teacher", lang="en", experiment=experiment)
    assert page.button(key="override").disabled
    page.text_input(key="override_by").set_value("Ada").run()
    assert page.button(key="override").disabled
    page.text_input(key="override_reason").set_value("known").run()
    page.button(key="override").click().run()
    record = override_of(experiment, "0" * 64)
    assert record is not None
    assert (record["by"], record["reason"]) == ("Ada", "known")
    assert started == [("experiment", experiment)]


def test_a_good_teacher_has_nothing_to_sign() -> None:
    page = open_page("teacher", lang="en", experiment=audited(1))
    assert not page.exception
    assert not [item for item in page.button if item.key == "override"]
    assert [item.value for item in page.success]
