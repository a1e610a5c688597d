"""How strong strategies are with few training queries, on a collection in the layout that `rerank check` reads.

`python -m rerank.bench.strength FOLDER --train 50,150 --json FILE`. One division: the sizes are nested parts of one
training set, development and test queries are the same for all. The chosen strategy is the trained one, plain or
fused, that development queries choose (`decide/choice`); it is then compared on test queries with what is free.
With controls among the strategies (C-long, D-long, C+D), a second stage's gain is told from longer training.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from rerank.decide.choice import Contender, Lead, best_on_dev, is_model_alone
from rerank.intake.disk import read_folder
from rerank.intake.finish import finish
from rerank.intake.storage import save_dataset
from rerank.planning.check import check_plan
from rerank.planning.experiments import experiment_folder, load_result, lock_plan
from rerank.planning.plan import FUSION, PLAIN, STRATEGIES, FirstStage, LearningCurve, Plan, Split, Teacher, Unlabelled
from rerank.planning.presets import preset
from rerank.planning.splits import evaluable_queries
from rerank.report.attribution import links_of
from rerank.stats.compare import Scores, compare
from rerank.worker.experiment import ExperimentSpec, run_experiment
from rerank.worker.reporter import Silent

FUSED_FREE = "embedding+fusion"
FREE = ("first-stage", "embedding", FUSED_FREE)


def sizes_of(given: argparse.Namespace) -> list[int]:
    """Return the numbers of training queries that were asked for, smallest first."""
    return sorted({int(size) for size in given.train.split(",")})


def plan_of(given: argparse.Namespace) -> Plan:
    """Save the collection and return the plan: the quick preset with a learning curve at the sizes asked for."""
    dataset = finish(read_folder(Path(given.folder)), Path(given.folder).name, keep_good_rows=True)
    save_dataset(dataset)
    start = preset("quick", dataset.digest)
    sizes = sizes_of(given)
    limit = min(sizes[-1] + given.dev + given.test, len(evaluable_queries(dataset, start)))
    n_test = limit - sizes[-1] - given.dev
    trained = [name for kind in given.strategies.split(",") for name in (kind, f"{kind}{FUSION}")]
    teacher: Teacher = given.teacher
    plan = replace(
        start,
        max_queries=limit,
        max_length=given.length,
        teacher=teacher,
        seeds=tuple(range(1, given.seeds + 1)),
        strategies=tuple(name for name in STRATEGIES if name in (*FREE, *trained)),
        # Few queries get more epochs than many, as in a plan that leaves them open.
        contrastive=replace(start.contrastive, epochs=0),
        distillation=replace(start.distillation, epochs=0),
        split=Split(kind="holdout", test_share=n_test / limit, dev_share=given.dev / (limit - n_test)),
        first_stage=FirstStage(depth=20, pool=given.pool),
        unlabelled=Unlabelled(given.unlabelled, "documents"),
        learning_curve=LearningCurve(
            shares=tuple(round(size / sizes[-1], 6) for size in sizes[:-1]),
            strategies=tuple(trained),
            seeds=given.seeds,
        ),
    )
    check_plan(plan)
    return plan


def points_of(result: Mapping[str, Any], folder: Path, n_train: int) -> list[dict[str, Any]]:
    """Return one record per number of training queries: every strategy, the chosen one, and what it is worth.

    n_train: of a result without a learning curve, whose strategies are the only point.
    """
    primary = result["plan"]["primary_measure"]
    free = pd.read_csv(folder / "per_query.csv", dtype={"query_id": str})
    free = free[free["measure"] == primary].pivot(index="query_id", columns="strategy", values="value")
    if result["learning_curve"]:
        curve = pd.read_csv(folder / "learning_curve.csv", dtype={"query_id": str})
        everything = list(result["learning_curve"])
    else:
        curve = pd.read_csv(folder / "per_query_seeds.csv", dtype={"query_id": str})
        curve = curve[curve["measure"] == primary].assign(share=1.0)
        everything = [
            {
                "strategy": name,
                "share": 1.0,
                "n_train_queries": n_train,
                "mean": record["measures"][primary],
                "dev_score": record["dev_score"],
                "lead_of_plain": record["lead_of_plain"],
                "is_model_alone": is_model_alone(record["fusion_weights"] or []),
            }
            for name, record in result["strategies"].items()
            if record["dev_score"] is not None
        ]
    queries = tuple(free.index)
    free_means = {name: float(free[name].mean()) for name in FREE}
    better = max(("first-stage", "embedding"), key=lambda name: free_means[name])
    found = []
    for size in sorted({int(point["n_train_queries"]) for point in everything}):
        points = [point for point in everything if point["n_train_queries"] == size]
        scores = {str(point["strategy"]): _scores_at(curve, point, queries) for point in points}
        free_scores = {name: free[name].to_numpy().reshape(1, -1) for name in (better, FUSED_FREE)}
        each = {name: _difference(queries, free_scores[better], values, primary) for name, values in scores.items()}
        # Controls tell what a second stage adds; they are nobody's choice.
        candidates = [point for point in points if str(point["strategy"]).removesuffix(FUSION) in PLAIN]
        chosen = str(best_on_dev([_contender(point) for point in candidates]))
        against = {
            better: each[chosen],
            FUSED_FREE: _difference(queries, free_scores[FUSED_FREE], scores[chosen], primary),
        }
        found.append(
            {
                "n_train": size,
                "free": free_means,
                "trained": {point["strategy"]: point["mean"] for point in points},
                "dev": {point["strategy"]: point["dev_score"] for point in points},
                "lead_of_plain": {
                    point["strategy"]: point["lead_of_plain"] for point in points if point["lead_of_plain"]
                },
                "chosen": chosen,
                "against": against,
                "better_free": better,
                "each_against_better_free": each,
                "second_stages": [
                    {"strategy": name, "part": part, "reference": reference, "challenger": challenger}
                    | _difference(queries, scores[reference], scores[challenger], primary, reference_is_trained=True)
                    for name in scores
                    for part, reference, challenger in links_of(name, tuple(scores))
                ],
            }
        )
    return found


def _contender(point: Mapping[str, Any]) -> Contender:
    lead = point["lead_of_plain"] and Lead.from_dict(point["lead_of_plain"])
    return Contender(str(point["strategy"]), float(point["dev_score"]), lead, bool(point["is_model_alone"]))


def _scores_at(curve: pd.DataFrame, point: Mapping[str, Any], queries: tuple[str, ...]) -> Any:
    """Return a strategy's test scores at one number of training queries, seeds × queries."""
    mine = curve[(curve["strategy"] == point["strategy"]) & (curve["share"] == point["share"])]
    return mine.pivot(index="seed", columns="query_id", values="value")[list(queries)].to_numpy()


def _difference(
    queries: tuple[str, ...], reference: Any, trained: Any, measure: str, *, reference_is_trained: bool = False
) -> dict[str, Any]:
    item = compare(
        Scores("reference", queries, reference, "same", trained=reference_is_trained),
        Scores("challenger", queries, trained, "same", trained=True),
        measure=measure,
        margin=0.02,
        alpha=0.05,
        confirmatory=False,
        rng_seed=0,
    )
    return {"delta": item.delta, "ci_low": item.ci_low, "ci_high": item.ci_high, "p": item.p_t, "verdict": item.verdict}


class _Telling(Silent):
    def event(self, kind: str, **facts: object) -> None:
        """Say what is finished."""
        if kind == "stage_done":
            print(f"{facts['strategy']} {facts.get('share', 1)} dev {facts['dev_score']}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run one collection and print its table."""
    parser = argparse.ArgumentParser(prog="python -m rerank.bench.strength", description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--train", default="50,150", help="numbers of training queries")
    parser.add_argument("--dev", type=int, default=40)
    parser.add_argument("--test", type=int, default=150)
    parser.add_argument("--length", type=int, default=96)
    parser.add_argument("--pool", choices=["corpus", "judged"], default="corpus")
    parser.add_argument("--strategies", default="C,D,C-then-D,D-then-C")
    parser.add_argument("--teacher", choices=["embedding", "fusion", "uploaded"], default="embedding")
    parser.add_argument("--seeds", type=int, default=1, help="how many trainings each figure is the mean of")
    parser.add_argument("--unlabelled", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json")
    given = parser.parse_args(arguments)
    plan = plan_of(given)
    experiment = lock_plan(plan, name="strength", dataset_name=Path(given.folder).name)
    run_experiment(ExperimentSpec(experiment, device=given.device), _Telling())
    result = load_result(experiment) or {}
    points = points_of(result, experiment_folder(experiment), sizes_of(given)[-1])
    record = {"collection": Path(given.folder).name, "n_test": result["dataset"]["n_test_queries"], "points": points}
    record["n_seeds"] = given.seeds
    record |= {"n_dev": result["dataset"]["n_dev_queries"], "unlabelled": result["unlabelled_queries"]}
    print(json.dumps(record, indent=1))
    if given.json:
        Path(given.json).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
