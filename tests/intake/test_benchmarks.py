"""Public benchmarks by name: cut, stated, and a sentence for everything that can go wrong. No network."""

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from rerank.cli.main import BAD_INPUT, DONE, main
from rerank.errors import RerankError
from rerank.intake.benchmarks import Wanted, read_benchmark
from rerank.intake.finish import finish
from rerank.intake.storage import list_datasets, load_dataset, load_findings
from rerank.worker.benchmark import run_benchmark
from rerank.worker.reporter import Silent, Stopped


class Doc(NamedTuple):
    doc_id: str
    title: str
    text: str

    def default_text(self) -> str:
        return f"{self.title} {self.text}"


class ScientificDoc(NamedTuple):
    doc_id: str
    title: str
    abstract: str


class Topic(NamedTuple):
    query_id: str
    title: str
    narrative: str

    def default_text(self) -> str:
        return self.title


class Qrel(NamedTuple):
    query_id: str
    doc_id: str
    relevance: int
    iteration: str


class Benchmark:
    """Forty documents, four queries; q0 to q2 are judged on three documents each."""

    def __init__(self, **changes: Any) -> None:
        self.docs: list[Any] = [Doc(f"d{n}", f"title {n}", f"text of number {n}\twith a tab") for n in range(40)]
        self.queries = [Topic(f"q{n}", f"topic {n}", "never read") for n in range(4)]
        self.qrels = [Qrel(f"q{n}", f"d{3 * n + place}", place - 1, "0") for n in range(3) for place in range(3)]
        self.n_opened = 0
        self.__dict__.update(changes)

    def has_docs(self) -> bool:
        return bool(self.docs)

    def has_queries(self) -> bool:
        return bool(self.queries)

    def has_qrels(self) -> bool:
        return bool(self.qrels)

    def docs_iter(self) -> Iterator[Any]:
        self.n_opened += 1
        return iter(self.docs)

    def queries_iter(self) -> Iterator[Any]:
        return iter(self.queries)

    def qrels_iter(self) -> Iterator[Any]:
        return iter(self.qrels)


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Benchmark]:
    """What the library knows by name; it takes the place of `ir_datasets`."""
    known = {"tiny/test": Benchmark()}
    monkeypatch.setitem(sys.modules, "ir_datasets", SimpleNamespace(load=known.__getitem__, __version__="0.0"))  # type: ignore[arg-type]
    return known


def failing(name: str, **wanted: int) -> RerankError:
    with pytest.raises(RerankError) as caught:
        read_benchmark(Wanted(name, **wanted))
    return caught.value


def test_judged_queries_their_documents_and_a_sample_of_the_others_are_taken(offered: dict[str, Benchmark]) -> None:
    draft = read_benchmark(Wanted("tiny/test", n_documents=5))
    dataset = finish(draft, "tiny")
    assert list(dataset.queries["query_id"]) == ["q0", "q1", "q2"]  # q3 is not judged
    assert list(dataset.queries["text"]) == ["topic 0", "topic 1", "topic 2"]
    ids = list(dataset.documents["doc_id"])
    assert set(ids) >= {f"d{n}" for n in range(9)}
    assert len(ids) == 9 + 5
    assert ids == sorted(ids, key=lambda name: int(name[1:])), "in the collection's order"
    assert dataset.documents.set_index("doc_id").loc["d3", "title"] == "title 3"
    assert dataset.documents.set_index("doc_id").loc["d3", "text"].startswith("text of number 3")
    assert sorted(dataset.judgments["grade"].tolist()) == [0, 0, 0, 0, 0, 0, 1, 1, 1]  # three of them were -1
    assert offered["tiny/test"].n_opened == 1, "a large collection is read once"


def test_what_was_taken_of_how_much_is_in_the_manifest_and_said(offered: dict[str, Benchmark]) -> None:
    draft = read_benchmark(Wanted("tiny/test", n_documents=5, n_queries=2))
    facts = finish(draft, "tiny").manifest["facts"]["benchmark"]
    assert facts == {
        "name": "tiny/test",
        "library": "ir_datasets 0.0",
        "n_judged_queries": 3,
        "n_queries": 2,
        "n_documents_of_the_collection": 40,
        "n_documents": 6 + 5,
        "n_unjudged_documents_drawn": 5,
        "n_negative_grades": 2,
        "seed": 13,
    }
    told = {finding.code: finding for finding in draft.findings}
    assert told["benchmark_cut"].severity == "warning"
    assert told["benchmark_cut"].facts == {"n_queries": 2, "n_all_queries": 3, "n_documents": 11, "n_all": 40}
    assert told["negative_grades"].facts == {"n_judgments": 2}


def test_the_whole_collection_is_not_called_a_part(offered: dict[str, Benchmark]) -> None:
    draft = read_benchmark(Wanted("tiny/test", n_documents=31))
    assert len(draft.frames["documents"]) == 40
    assert "benchmark_cut" not in {finding.code for finding in draft.findings}


def test_the_same_part_is_taken_every_time_and_every_document_may_be_in_it(offered: dict[str, Benchmark]) -> None:
    one, two = (finish(read_benchmark(Wanted("tiny/test", n_documents=10)), "tiny") for _ in range(2))
    assert one.digest == two.digest
    drawn = [int(name[1:]) for name in one.documents["doc_id"] if int(name[1:]) >= 9]
    assert max(drawn) > 19, "not the first ten"


def test_a_document_without_a_text_field_has_the_text_that_the_library_gives(offered: dict[str, Benchmark]) -> None:
    offered["science"] = Benchmark(docs=[ScientificDoc(f"d{n}", f"title {n}", f"about {n}") for n in range(9)])
    frame = read_benchmark(Wanted("science")).frames["documents"].set_index("doc_id")
    assert (frame.loc["d1", "title"], frame.loc["d1", "text"]) == ("title 1", "about 1")


def test_a_judgment_of_a_document_that_is_not_there_is_left_out_and_kept_on_record(
    offered: dict[str, Benchmark],
) -> None:
    benchmark = offered["tiny/test"]
    benchmark.qrels = [*benchmark.qrels, Qrel("q0", "gone", 1, "0")]
    draft = read_benchmark(Wanted("tiny/test"))
    assert [row.code for row in draft.rejected] == ["orphan_judgment"]
    run_benchmark({"name": "tiny/test"}, Silent())
    assert list_datasets()[0]["n_judgments"] == 9


def test_everything_that_goes_wrong_is_a_sentence(
    offered: dict[str, Benchmark], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failing("no/such").code == "unknown_benchmark"
    for name in ("", "../../etc/passwd", "a b", "x" * 300, "tiny//test"):
        assert failing(name).code == "unknown_benchmark"
    offered["documents"] = Benchmark(qrels=[])
    assert failing("documents").code == "benchmark_not_judged"

    def no_network() -> Iterator[Any]:
        raise ConnectionError("no route to host\nand a second line")

    def breaks_off() -> Iterator[Any]:
        yield Doc("d0", "", "one")
        raise EOFError("Compressed file ended")

    for attribute, broken in (("qrels_iter", no_network), ("queries_iter", no_network), ("docs_iter", breaks_off)):
        offered["broken"] = Benchmark(**{attribute: broken})
        error = failing("broken")
        assert error.code == "benchmark_unreachable"
        assert "\n" not in str(error.facts["reason"])
    assert list_datasets() == [], "nothing half imported"
    monkeypatch.setitem(sys.modules, "ir_datasets", None)  # type: ignore[arg-type]  # import fails
    assert failing("tiny/test").code == "benchmarks_not_installed"


def test_the_command_stores_it_and_names_the_digest(
    offered: dict[str, Benchmark], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--lang", "en", "import-benchmark", "tiny/test", "--documents", "5"]) == DONE
    shown = capsys.readouterr().out
    stored = list_datasets()[0]
    assert shown.startswith("3 queries, 14 documents, 9 judgments\nOnly a part of the benchmark was taken: 3 of 3")
    assert shown.endswith(f"rerank run {stored['digest']}\n")
    assert stored["name"] == "tiny/test"
    assert len(load_dataset(stored["digest"]).documents) == 14
    assert "benchmark_cut" in {finding.code for finding in load_findings(stored["digest"])}
    assert main(["--lang", "en", "import-benchmark", "nope"]) == BAD_INPUT
    assert capsys.readouterr().err.startswith("There is no benchmark “nope” in ir_datasets.")


class Impatient(Silent):
    def breathe(self) -> None:
        raise Stopped


def test_a_job_can_be_stopped_between_documents(offered: dict[str, Benchmark]) -> None:
    with pytest.raises(Stopped):
        run_benchmark({"name": "tiny/test"}, Impatient())
    assert list_datasets() == []
