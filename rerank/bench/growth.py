"""How cost grows: the same engine over once, ten times and a hundred times the pairs."""

import time
from collections.abc import Callable
from typing import Any

from rerank.bench.training import own_step
from rerank.bench.work import Work
from rerank.models.cross_encoder import load_cross_encoder
from rerank.models.devices import Device, synchronize

FACTORS = (1, 10, 100)
LISTS_PER_STEP = 8
_REPEATS = {1: 5, 10: 2, 100: 1}  # what is over quickly is measured more often; the shortest time counts


def bench_growth(works: dict[int, Work], device: Device) -> dict[str, Any]:
    """Return seconds and pairs per second of scoring, and of one pass of training, by factor.

    works: the work of each of `FACTORS`. `per_pair_growth`: the time of a pair at the largest factor over that
    at the smallest, 1 when cost is proportional to pairs.
    """
    return {"scoring": _growth(works, device, _scoring), "training": _growth(works, device, _training)}


def _scoring(work: Work, device: Device) -> Callable[[], object]:
    encoder = load_cross_encoder(work.source.folder, work.tokens.template, device, seed=0)
    return lambda: encoder.scores(work.pairs())


def _training(work: Work, device: Device) -> Callable[[], object]:
    per_step = min(LISTS_PER_STEP, len(work.lists))
    step, _ = own_step(work, device, 0.0, per_step)
    return lambda: [step() for _ in range(len(work.lists) // per_step)]


def _growth(
    works: dict[int, Work], device: Device, prepared: Callable[[Work, Device], Callable[[], object]]
) -> dict[str, Any]:
    prepared(works[min(works)], device)()  # the first run of a process pays for what is made once
    rows: list[dict[str, Any]] = []
    for factor, work in sorted(works.items()):
        run, seconds = prepared(work, device), float("inf")
        for _ in range(_REPEATS[factor]):
            synchronize(device)
            begun = time.perf_counter()
            run()
            synchronize(device)
            seconds = min(seconds, time.perf_counter() - begun)
        n_pairs = len(work.named)
        rows.append({"factor": factor, "n_pairs": n_pairs, "seconds": seconds, "pairs_per_s": n_pairs / seconds})
    return {"runs": rows, "per_pair_growth": rows[0]["pairs_per_s"] / rows[-1]["pairs_per_s"]}
