"""The files beside a result: readable by TREC tools, and of this result only."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from rerank.intake.dataset import Dataset
from rerank.report.files import export, qrels_text, read_log, read_per_query, run_text, trec_id, write_files
from rerank.report.ran import Ran, StrategyRun
from rerank.store.artefacts import read_json, write_text

RANKING = pd.DataFrame(
    {"query_id": ["q0", "q0"], "doc_id": ["d0_0", "d 1"], "rank": [1, 2], "score": [0.1, 0.09999999403953552]}
)

NO_CURVE = pd.DataFrame(columns=["strategy", "share", "seed", "query_id", "value"])
NOTHING_TO_JUDGE = pd.DataFrame({"query_id": [], "doc_id": []})


def ran(dataset: Dataset, names: tuple[str, ...]) -> Ran:
    runs = tuple(StrategyRun(name, {0: RANKING}, None, None, 0.0, 0.0) for name in names)
    return cast(Ran, SimpleNamespace(runs=runs, dataset=dataset, test_queries=("q0",)))


def by_seed(name: str = "first-stage") -> pd.DataFrame:
    return pd.DataFrame(
        {"strategy": name, "seed": [1, 2], "query_id": "q0", "measure": "nDCG@10", "value": [0.25, 0.75]}
    )


@pytest.mark.parametrize(("identity", "written"), [("q1", "q1"), ("a b", "a%20b"), ("50%", "50%25"), ("", "%")])
def test_ids_keep_no_white_space_in_trec_files(identity: str, written: str) -> None:
    assert trec_id(identity) == written


def test_a_run_keeps_every_digit_of_its_scores() -> None:
    assert run_text(RANKING, "C") == "q0 Q0 d0_0 1 0.1 C\nq0 Q0 d%201 2 0.09999999403953552 C\n"


def test_judgments_are_written_as_qrels(tiny: Dataset) -> None:
    assert qrels_text(tiny.judgments).splitlines()[0] == "q0 0 d0_0 2"


def test_a_new_result_leaves_no_run_of_the_one_before(tmp_path: Path, tiny: Dataset) -> None:
    """Gate 1 run again after gate 2 once left the second stage's runs beside a result without it."""
    write_files(ran(tiny, ("first-stage", "C-then-D")), by_seed(), NO_CURVE, {}, NOTHING_TO_JUDGE, tmp_path)
    write_files(ran(tiny, ("first-stage", "C")), by_seed(), NO_CURVE, {}, NOTHING_TO_JUDGE, tmp_path)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["C.0.run", "first-stage.0.run"]


def test_per_query_scores_are_means_over_seeds_and_only_tested_queries_are_judged(
    tmp_path: Path, tiny: Dataset
) -> None:
    write_files(ran(tiny, ("first-stage",)), by_seed(), NO_CURVE, {"schema_version": 1}, NOTHING_TO_JUDGE, tmp_path)
    assert read_per_query(tmp_path)["value"].tolist() == [0.5]
    assert {line.split()[0] for line in (tmp_path / "qrels.trec").read_text().splitlines()} == {"q0"}
    out = tmp_path / "out"
    assert export(tmp_path, out) == [
        "result.json",
        "per_query.csv",
        "per_query_seeds.csv",
        "learning_curve.csv",
        "qrels.trec",
        "to_judge.csv",
        "runs",
    ]
    assert read_json(out / "result.json") == {"schema_version": 1}


def test_a_log_line_that_a_kill_cut_short_is_left_out(tmp_path: Path) -> None:
    write_text(tmp_path / "log.jsonl", '{"event": "started"}\n{"event": "st')
    events: list[dict[str, Any]] = read_log(tmp_path)
    assert events == [{"event": "started"}]
    (tmp_path / "log.jsonl").write_bytes(b'{"event": "started"}\n' + '{"model": "日'.encode()[:-1])
    assert read_log(tmp_path) == [{"event": "started"}]


@pytest.mark.parametrize("letter", ["\u2028", "\x85"])
def test_a_log_line_ends_only_where_it_was_ended(letter: str, tmp_path: Path) -> None:
    """JSON leaves these as they are in a name, and `splitlines` takes each for the end of a line."""
    event = {"event": "stage_started", "strategy": f"a{letter}b"}
    write_text(tmp_path / "log.jsonl", json.dumps(event, ensure_ascii=False) + "\n")
    assert read_log(tmp_path) == [event]
