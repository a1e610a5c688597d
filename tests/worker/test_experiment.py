"""A whole experiment on a tiny model: its numbers recompute, and kills change nothing."""

import json
import math
import os
import signal
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import ir_measures
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from rerank.errors import RerankError
from rerank.intake.reading import Source
from rerank.jobs import queue
from rerank.jobs.launch import start
from rerank.planning.experiments import experiment_folder, load_result, lock_plan
from rerank.planning.plan import PLAIN, STRATEGIES, Plan, Split
from rerank.report.files import read_log
from rerank.worker.experiment import ExperimentSpec, run_experiment
from rerank.worker.reporter import Silent
from tests.conftest import tiny_files
from tests.models import make_tiny_model
from tests.tiny import finished_experiment, pid_of, tiny_plan, wait_for_end, wait_until

SPLIT = Split(kind="kfold", folds=2, dev_share=0.25)


class Listening(Silent):
    """A reporter that remembers events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def event(self, kind: str, **facts: object) -> None:
        self.events.append((kind, facts))


def plan_of(model: Path, epochs: int = 2, **changes: object) -> Plan:
    """A tiny plan of two seeds and two folds, whose D learns orders."""
    plan = tiny_plan(make_tiny_model(model), seeds=(1, 2), split=SPLIT, strategies=PLAIN)
    longer = {
        "contrastive": replace(plan.contrastive, epochs=epochs),
        "distillation": replace(plan.distillation, epochs=epochs, loss="ranknet"),
    }
    return replace(plan, **{**longer, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one finished experiment."""
    home = tmp_path_factory.mktemp("home")
    return finished_experiment(home, lambda model: plan_of(model, epochs=1, strategies=STRATEGIES))


def scores_from_the_files(folder: Path, strategy: str, seed: str, measure: str) -> pd.Series:
    """One strategy's per-query scores, computed by plain ir_measures from the exported files."""
    qrels = list(ir_measures.read_trec_qrels(str(folder / "qrels.trec")))
    run = list(ir_measures.read_trec_run(str(folder / "runs" / f"{strategy}.{seed}.run")))
    queries = {qrel.query_id for qrel in qrels if qrel.relevance >= 1}
    found = {
        item.query_id: item.value for item in ir_measures.iter_calc([ir_measures.parse_measure(measure)], qrels, run)
    }
    return pd.Series({query: found.get(query, 0.0) for query in sorted(queries)})


def test_every_number_of_the_result_recomputes_from_its_files(finished: Path) -> None:
    result = json.loads((finished / "result.json").read_text())
    per_query = pd.read_csv(finished / "per_query.csv", dtype={"query_id": str})
    primary = result["plan"]["primary_measure"]
    seed_means: dict[str, list[float]] = {}
    table: dict[str, pd.Series] = {}
    for name, record in result["strategies"].items():
        for measure in ("nDCG@10", "RR@10", "P@5", "AP", "Success@1", "Judged@10"):
            by_seed = [scores_from_the_files(finished, name, seed, measure) for seed in record["seeds"]]
            mean = pd.concat(by_seed, axis=1).mean(axis=1)
            assert record["measures"][measure] == pytest.approx(mean.mean(), abs=1e-9)
            mine = per_query[(per_query["strategy"] == name) & (per_query["measure"] == measure)]
            assert mine.set_index("query_id")["value"].sort_index().to_numpy() == pytest.approx(mean.to_numpy())
            for seed, values in zip(record["seeds"], by_seed, strict=True):
                assert record["seeds"][seed][measure] == pytest.approx(values.mean(), abs=1e-9)
            if measure == primary:
                table[name] = mean
                seed_means[name] = [float(values.mean()) for values in by_seed]
    assert len({len(values) for values in table.values()}) == 1
    for item in result["comparisons"]:
        if item["measure"] != primary or item["verdict"] in ("not_comparable", "identical"):
            continue
        reference, challenger = table[item["reference"]], table[item["challenger"]]
        n = len(reference)
        d = (challenger - reference).to_numpy()
        v = [
            np.var(seed_means[name], ddof=1) / len(seed_means[name]) if len(seed_means[name]) > 1 else 0.0
            for name in (item["reference"], item["challenger"])
        ]
        parts = [d.var(ddof=1) / n, *v]
        se = math.sqrt(sum(parts))
        df = sum(parts) ** 2 / (parts[0] ** 2 / (n - 1) + sum(part**2 for part in v))  # S = 2: one degree each
        assert item["delta"] == pytest.approx(d.mean(), abs=1e-9)
        assert item["p_t"] == pytest.approx(stats.ttest_rel(challenger, reference).pvalue, rel=1e-6)
        half = stats.t.ppf(0.975, df) * se
        assert (item["ci_low"], item["ci_high"]) == pytest.approx((d.mean() - half, d.mean() + half), abs=1e-9)
        if item["p_seed_aware"] is not None:
            assert item["p_seed_aware"] == pytest.approx(2 * stats.t.sf(abs(d.mean()) / se, df), rel=1e-6)
        elif sum(v) == 0:
            tost = ttost_paired(challenger, reference, -item["margin"], item["margin"])[0]
            assert item["p_tost"] == pytest.approx(tost, rel=1e-6)
    confirmatory = [item for item in result["comparisons"] if item["confirmatory"]]
    raw = sorted(item["p_seed_aware"] for item in confirmatory if item["p_seed_aware"] is not None)
    adjusted = sorted(item["p_adjusted"] for item in confirmatory if item["p_adjusted"] is not None)
    if len(raw) == 2:
        assert adjusted == pytest.approx([min(1, 2 * raw[0]), max(min(1, 2 * raw[0]), raw[1])])


def test_all_strategies_ran_on_the_same_queries_and_candidates(finished: Path) -> None:
    result = json.loads((finished / "result.json").read_text())
    plain = {"first-stage", "embedding", "base", "C", "D", "C-then-D", "D-then-C", "C-long", "D-long", "C+D"}
    assert set(result["strategies"]) == plain | {f"{name}+fusion" for name in plain - {"first-stage"}}
    runs = {
        path.name: {tuple(line.split()[:3:2]) for line in path.read_text().splitlines()}
        for path in (finished / "runs").iterdir()
    }
    assert len({frozenset(pairs) for pairs in runs.values()}) == 1
    for path in (finished / "runs").iterdir():
        frame = pd.read_csv(path, sep=" ", header=None)
        assert frame.groupby(0)[4].apply(lambda scores: (np.diff(scores) < 0).all()).all(), path.name


def test_the_result_says_what_stage_two_did_and_what_it_cost(finished: Path) -> None:
    result = json.loads((finished / "result.json").read_text())
    two = result["strategies"]["C-then-D"]
    assert -1 <= two["moved"]["kendall_tau"] <= 1
    assert two["moved"]["relative_weight_change"] > 0
    assert two["cost"]["train_device_seconds"] > result["strategies"]["C"]["cost"]["train_device_seconds"]
    assert result["strategies"]["C"]["moved"] is None
    assert result["strategies"]["C"]["latency_ms"]["p95"] >= result["strategies"]["C"]["latency_ms"]["p50"] > 0
    assert result["decision"]["code"]
    assert result["cost"]["forecast"]["seconds_low"] < result["cost"]["forecast"]["seconds_high"]


def test_a_fused_strategy_is_reported_beside_its_plain_form_with_its_weights(finished: Path) -> None:
    result = json.loads((finished / "result.json").read_text())
    strategies = result["strategies"]
    for name, record in strategies.items():
        if not name.endswith("+fusion"):
            assert record["fusion_weights"] is None
            continue
        plain = strategies[name.removesuffix("+fusion")]
        n_fits = 4 if record["stages"] else 2  # a fit per fold and seed; nothing trained: one per fold
        assert len(record["fusion_weights"]) == n_fits
        assert all(sum(weights.values()) == pytest.approx(1) for weights in record["fusion_weights"])
        assert record["cost"]["train_usd"] == plain["cost"]["train_usd"]
        if name != "embedding+fusion":
            assert record["latency_ms"]["p50"] > plain["latency_ms"]["p50"]
    pairs = {(item["reference"], item["challenger"]) for item in result["comparisons"]}
    assert {("C", "C+fusion"), ("C+fusion", "C-then-D+fusion"), ("embedding+fusion", "C+fusion")} <= pairs


def test_nothing_sees_the_test_queries(finished: Path) -> None:
    """Training and every choice use other queries than those that are tested."""
    stages = finished.parents[1] / "stages"
    for folder in stages.iterdir():
        config = json.loads((folder / "config.json").read_text())
        seen = set(config["train"]) | set(config["dev"])
        assert not set(config["train"]) & set(config["dev"])
        assert len(seen) == 20  # of 40 queries in two folds


def test_a_plan_longer_than_the_model_reads_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    experiment = lock_plan(plan_of(tmp_path / "model", max_length=129), name="x", dataset_name="x")
    with pytest.raises(RerankError) as caught:
        run_experiment(ExperimentSpec(experiment), Silent())
    assert (caught.value.code, caught.value.facts["most"]) == ("plan_longer_than_model", 128)


def test_gate_two_trains_nothing_twice(tmp_path: Path) -> None:
    experiment = lock_plan(
        plan_of(tmp_path / "model", seeds=(1,), split=Split(kind="holdout", test_share=0.5)),
        name="x",
        dataset_name="x",
    )
    second = Listening()
    run_experiment(ExperimentSpec(experiment, gate=1), Silent())
    gate_one = load_result(experiment)
    run_experiment(ExperimentSpec(experiment, gate=2), second)
    gate_two = load_result(experiment)
    assert gate_one is not None
    assert gate_two is not None
    assert set(gate_one["strategies"]) == {"first-stage", "embedding", "base", "C", "D"}
    known = [facts["strategy"] for kind, facts in second.events if kind == "stage_known"]
    started = [facts["strategy"] for kind, facts in second.events if kind == "stage_started"]
    assert known == ["C", "D"]
    assert started == ["C-then-D", "D-then-C"]
    assert gate_two["cost"]["job_device_seconds"] > gate_one["cost"]["job_device_seconds"]
    assert gate_two["cost"]["job_usd"] > gate_one["cost"]["job_usd"]
    for name in ("C", "D"):
        assert gate_one["strategies"][name]["measures"] == gate_two["strategies"][name]["measures"]
        assert gate_two["strategies"][name]["cost"]["train_usd"] == gate_one["strategies"][name]["cost"]["train_usd"]
    run_experiment(ExperimentSpec(experiment, gate=1), Silent())
    again = load_result(experiment)
    assert again is not None
    assert again["gate"] == 2, "an answer of gate 2 is not taken back"
    assert again["strategies"].keys() == gate_two["strategies"].keys()


def test_a_teacher_that_scored_too_little_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    scores = "query_id,doc_id,score\n" + "".join(f"q{number},d0_0,0.5\n" for number in range(40))
    files = [*tiny_files(), Source("teacher_scores.csv", scores.encode())]
    plan = tiny_plan(make_tiny_model(tmp_path / "model"), files, teacher="uploaded")
    listening = Listening()
    with pytest.raises(RerankError) as caught:
        run_experiment(ExperimentSpec(lock_plan(plan, name="x", dataset_name="x")), listening)
    assert caught.value.code == "nothing_to_train_on"
    assert "stage_started" not in [kind for kind, _ in listening.events]


def has(folder: Path, kind: str, n: int) -> bool:
    """Say whether an experiment's log holds so many events of a kind."""
    return sum(event["event"] == kind for event in read_log(folder)) >= n


def test_three_kills_end_with_the_scores_of_an_uninterrupted_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(tmp_path / "model", seeds=(1,), strategies=("first-stage", "C", "C-then-D"))
    calm = tmp_path / "calm"
    monkeypatch.setenv("RERANK_HOME", str(calm))
    finish_plan = plan_of(tmp_path / "model", seeds=(1,), strategies=plan.strategies)
    experiment = lock_plan(finish_plan, name="calm", dataset_name="tiny")
    run_experiment(ExperimentSpec(experiment, device="cpu"), Silent())
    golden = (experiment_folder(experiment) / "per_query_seeds.csv").read_bytes()
    runs = {path.name: path.read_bytes() for path in (experiment_folder(experiment) / "runs").iterdir()}

    monkeypatch.setenv("RERANK_HOME", str(tmp_path / "rough"))
    plan_of(tmp_path / "model")
    assert lock_plan(plan, name="rough", dataset_name="tiny") == experiment
    folder = experiment_folder(experiment)
    spec = {"experiment": experiment, "gate": 2, "device": "cpu"}
    killed = 0
    # In the first training, in the next one, and after the last training while test queries are ranked.
    for kind, n in (("step", 3), ("step", 25), ("stage_done", 4)):
        job = start("experiment", spec)
        wait_until(partial(has, folder, kind, n))
        pid = pid_of(job.id)
        os.kill(pid, signal.SIGKILL)
        killed += 1
        _wait_until_gone(job.id)
    job = start("experiment", spec)
    assert (killed, wait_for_end(job.id).state) == (3, "done")
    assert (folder / "per_query_seeds.csv").read_bytes() == golden
    assert {path.name: path.read_bytes() for path in (folder / "runs").iterdir()} == runs


def _wait_until_gone(identity: str) -> None:
    for _ in range(200):
        if queue.job(identity).state in ("lost", "done"):
            return
        time.sleep(0.05)
    raise AssertionError("a killed job was not noticed")


def test_a_training_continues_from_the_middle_of_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a checkpoint after every step, a stop at any step gives the weights of a calm run."""
    from rerank.training import loop

    plan = plan_of(tmp_path / "model", seeds=(1,), strategies=("first-stage", "C"))
    found = []
    for name, stop_at in (("calm", None), ("stopped", 7)):
        monkeypatch.setenv("RERANK_HOME", str(tmp_path / name))
        monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
        plan_of(tmp_path / "model")
        experiment = lock_plan(plan, name=name, dataset_name="tiny")

        class Stopping(Silent):
            def event(self, kind: str, **facts: object) -> None:
                super().event(kind, **facts)
                if kind == "step" and facts["step"] == stop_at and not self.stopped:  # noqa: B023
                    raise KeyboardInterrupt

            stopped = False

        if stop_at is not None:
            with pytest.raises(KeyboardInterrupt):
                run_experiment(ExperimentSpec(experiment, device="cpu"), Stopping())
        run_experiment(ExperimentSpec(experiment, device="cpu"), Silent())
        found.append((experiment_folder(experiment) / "per_query_seeds.csv").read_bytes())
    assert found[0] == found[1]
