"""What comes of judging: a new version of the dataset that says where its judgments are from."""

import dataclasses

import pytest

from rerank.errors import RerankError
from rerank.intake.storage import delete_dataset, lineage_of, load_dataset, load_findings
from rerank.judging.version import judged_version
from rerank.planning.looks import earlier_looks, record_look
from rerank.store import judging
from rerank.store.columns import ColumnWriter
from rerank.store.home import room
from tests.judging.tasks import judge, stored_dataset, tiny_task, two_raters


def test_a_version_holds_old_and_new_judgments_and_says_where_they_are_from() -> None:
    task = two_raters()
    dataset = load_dataset(task.dataset)
    version = judged_version(dataset, task, judging.read_marks(task.id), name="judged", ties="up")
    stored = load_dataset(version.digest)
    assert len(stored.judgments) == len(dataset.judgments) + 12
    assert not stored.judgments.duplicated(["query_id", "doc_id"]).any()
    assert stored.ratings is not None
    assert len(stored.ratings) == 24
    said = stored.manifest["judging"]
    assert {name: said[name] for name in ("dataset", "root", "task", "n_judged", "n_raters", "resolution", "ties")} == {
        "dataset": dataset.digest,
        "root": dataset.digest,
        "task": task.id,
        "n_judged": 12,
        "n_raters": 2,
        "resolution": "median",
        "ties": "up",
    }
    assert said["guideline"] == "Be strict."
    assert said["seconds_per_judgment"] == 3.0
    assert load_dataset(dataset.digest).judgments.equals(dataset.judgments)
    findings = {finding.code: finding for finding in load_findings(version.digest)}
    assert findings["judged_in_task"].facts == {"n_judgments": 12, "n_raters": 2}
    counts = stored.judgments["grade"].value_counts()
    assert findings["grade_histogram"].facts["counts"] == {str(grade): int(counts[grade]) for grade in (0, 1, 2)}
    second = tiny_task(stored, n=10)
    judge(second, "Ann", 1)
    third = judged_version(stored, second, judging.read_marks(second.id), name="more", ties="up")
    assert lineage_of(third.digest) == [third.digest, version.digest, dataset.digest]
    assert third.manifest["judging"]["root"] == dataset.digest


def test_versions_share_one_ledger_of_looks() -> None:
    task = two_raters()
    dataset = load_dataset(task.dataset)
    texts = {"q1": "one", "q2": "two"}
    record_look(dataset.digest, "a" * 12, ["q1", "q2"], texts)
    version = judged_version(dataset, task, judging.read_marks(task.id), name="judged", ties="up")
    assert [look["experiment"] for look in earlier_looks(version.digest, "b" * 12, ["q2"], texts)] == ["a" * 12]
    record_look(version.digest, "b" * 12, ["q2"], texts)
    assert [look["experiment"] for look in earlier_looks(dataset.digest, "c" * 12, ["q2"], texts)] == [
        "a" * 12,
        "b" * 12,
    ]


def test_clicks_and_people_are_not_mixed() -> None:
    task = two_raters()
    dataset = load_dataset(task.dataset)
    clicked = dataclasses.replace(dataset, manifest={**dataset.manifest, "implicit": True})
    version = judged_version(clicked, task, judging.read_marks(task.id), name="judged", ties="up")
    assert len(version.judgments) == 12
    assert version.manifest["implicit"] is False


def test_addresses_of_raters_do_not_reach_the_dataset() -> None:
    task = tiny_task(stored_dataset(), n=12)
    judge(task, "jo@example.org", 2)
    version = judged_version(load_dataset(task.dataset), task, judging.read_marks(task.id), name="x", ties="up")
    assert version.ratings is not None
    assert list(version.ratings["rater"]) == ["rater 1"]


def test_without_judgments_there_is_no_version() -> None:
    task = tiny_task(stored_dataset(), n=12)
    judge(task, "Ann", 2)
    with pytest.raises(RerankError) as caught:
        judged_version(load_dataset(task.dataset), task, judging.read_marks(task.id), name="x", ties="up", min_raters=2)
    assert caught.value.code == "no_judgments_yet"


def test_a_version_of_a_large_dataset_shares_the_files_of_its_documents() -> None:
    task = two_raters()
    dataset = load_dataset(task.dataset)
    version = judged_version(dataset, task, judging.read_marks(task.id), name="judged", ties="up")
    columns = room("datasets") / dataset.digest / "documents"
    with ColumnWriter(columns, ["doc_id", "title", "text"]) as written:
        written.write(dataset.documents)
    (room("datasets") / dataset.digest / "documents.parquet").unlink()
    delete_dataset(version.digest)
    large = load_dataset(dataset.digest)
    assert large.documents_at == columns
    again = judged_version(large, task, judging.read_marks(task.id), name="judged", ties="up")
    assert again.digest == version.digest
    shared = room("datasets") / again.digest / "documents" / "text.bytes"
    assert shared.stat().st_ino == (columns / "text.bytes").stat().st_ino
    assert load_dataset(again.digest).documents["text"].tolist() == dataset.documents["text"].tolist()
