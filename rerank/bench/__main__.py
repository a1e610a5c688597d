"""`python -m rerank.bench`: measure, print a table, write JSON."""

import argparse
import datetime
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rerank import __version__
from rerank.bench.scoring import bench_scoring
from rerank.bench.training import bench_training
from rerank.bench.whole_plan import bench_plan
from rerank.bench.work import make_work
from rerank.errors import RerankError
from rerank.models.devices import pick_device
from rerank.store.artefacts import write_json


def measure(device_name: str, *, quick: bool) -> dict[str, Any]:
    """Return all figures: device, scoring, training, plan. Raises RerankError `bench_needs_dev`."""
    try:
        import sentence_transformers  # noqa: F401 - the peer, a development dependency
    except ImportError as error:
        raise RerankError("bench_needs_dev") from error
    device = pick_device(device_name)
    scoring = make_work(16 if quick else 60)
    training = make_work(32 if quick else 64, seed=1)
    n_rounds = 2 if quick else 4
    return {
        "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "code_version": __version__,
        "device": asdict(device),
        "scoring": bench_scoring(scoring, device, n_rounds),
        "training": bench_training(training, device, n_rounds),
        "plan": bench_plan(device, quick=quick),
    }


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['device']['kind']} {found['device']['name']}, {found['device']['dtype']}"]
    for part in ("scoring", "training"):
        record = found[part]
        ratios = [f"{name} {record[name]:.2f}x" for name in record if name.startswith("vs_") and record[name]]
        speed = f"{record['pairs_per_s']:.0f} pairs/s, {record['limit_share']:.0%} of the limit"
        lines.append(f"{part:9} {speed}, " + ", ".join(ratios))
    lines.append(f"plan      {found['plan']['vs_separate']:.2f}x less time than each strategy by itself")
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
