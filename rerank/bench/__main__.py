"""`python -m rerank.bench`: measure, print a table, write JSON."""

import argparse
import datetime
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rerank import __version__
from rerank.bench.growth import FACTORS, bench_growth
from rerank.bench.scoring import bench_scoring
from rerank.bench.training import bench_training
from rerank.bench.whole_plan import bench_plan
from rerank.bench.work import make_work
from rerank.errors import RerankError
from rerank.models.devices import pick_device
from rerank.store.artefacts import write_json


def measure(device_name: str, *, quick: bool) -> dict[str, Any]:
    """Return all figures: device, scoring, training, growth, plan (docs/benchmark.md).

    Raises RerankError `bench_needs_dev`.
    """
    try:
        import sentence_transformers  # noqa: F401 - the peer, a development dependency
    except ImportError as error:
        raise RerankError("bench_needs_dev") from error
    device = pick_device(device_name)
    large = device.kind != "cpu"  # a GPU is through with a CPU's work before it is warm
    scoring = make_work((8 if quick else 60) * (20 if large else 1))
    training = make_work((16 if quick else 64) * (8 if large else 1), seed=1)
    n_rounds = 2 if quick else 4
    growing = {factor: make_work(factor if quick else 2 * factor, list_length=2 if quick else 8) for factor in FACTORS}
    return {
        "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "code_version": __version__,
        "device": asdict(device),
        "scoring": bench_scoring(scoring, device, n_rounds),
        "training": bench_training(training, device, n_rounds, (2 if quick else 8) * (16 if large else 1)),
        "growth": bench_growth(growing, device),
        "plan": bench_plan(device, quick=quick),
    }


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['device']['kind']} {found['device']['name']}, {found['device']['dtype']}"]
    parts = {"scoring": found["scoring"], "training": found["training"]}
    parts["  with dropout"] = found["training"]["with_dropout"]
    parts |= {f"  {record['n_lists']} lists a step": record for record in found["training"]["smaller_steps"]}
    for part, record in parts.items():
        ratios = [f"{name} {record[name]:.2f}x" for name in record if name.startswith("vs_") and record[name]]
        speed = f"{record['pairs_per_s']:7.0f} pairs/s, {record['limit_share']:.0%} of the limit"
        lines.append(f"{part:15} {speed}, " + ", ".join(ratios))
        if "losses" in record:
            apart = f"{record['largest_loss_difference']:.1g} at most, {record['mean_loss_difference']:+.1g} on average"
            lines.append(f"{'':15} losses differ from the peer's by {apart}")
    for part, record in found["growth"].items():
        runs = [f"{run['n_pairs']} pairs {run['seconds']:.2f} s" for run in record["runs"]]
        lines.append(
            f"{'growth, ' + part:17} {', '.join(runs)}: a pair takes {record['per_pair_growth']:.2f} x the time"
        )
    plan = found["plan"]
    what = f"{len(plan['strategies'])} strategies, {plan['n_seeds']} seeds: {plan['seconds']:.0f} s"
    lines.append(f"{'plan':15} {what}, {plan['vs_separate']:.2f}x less time than each strategy by itself")
    return lines


def main() -> int:
    """Run the benchmark; 2 when the peer is not installed or the device is not there."""
    parser = argparse.ArgumentParser(prog="rerank bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", default=None)
    given = parser.parse_args()
    try:
        found = measure(given.device, quick=given.quick)
    except RerankError as error:
        print(error, file=sys.stderr)
        return 2
    for line in _lines(found):
        print(line)
    if given.json:
        write_json(Path(given.json), found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
