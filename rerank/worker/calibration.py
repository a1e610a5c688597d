"""A short run on this device, so that time and cost are predicted from measurement."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from rerank.cost.amounts import compute_usd
from rerank.cost.prices import current_prices, device_price
from rerank.digests import digest_of
from rerank.models.cross_encoder import load_cross_encoder
from rerank.models.devices import synchronize, threads_of
from rerank.models.passages import Reading
from rerank.planning.forecast import Speed, Training, Work, forecast, saved_side_by_side
from rerank.planning.graph import StageNode
from rerank.planning.plan import FUSION, StageSettings
from rerank.store.artefacts import read_json, read_or_none, write_json
from rerank.store.home import room
from rerank.training.lists import TrainingList
from rerank.training.loop import optimizer_of
from rerank.training.step import StepGradients
from rerank.worker.material import planned_pairs
from rerank.worker.strategies import ranked_pairs
from rerank.worker.workbench import Workbench, named

N_SCORED = 48
N_STEPS = 2


def speed_key(
    base_model_digest: str, reading: Reading, settings: StageSettings, numerics: dict[str, Any], dataset_digest: str
) -> str:
    """Return the name of a calibration: it holds for one model, way of reading and training, device and dataset."""
    trained = [settings.dropout, settings.freeze_word_embeddings]  # what makes a step slower
    return digest_of([base_model_digest, reading.max_length, reading.passages, trained, numerics, dataset_digest])


def measure_speed(bench: Workbench) -> Speed:
    """Return this device's speed on this dataset's own pairs, measured once and kept; training as one lane has it."""
    settings = bench.plan.contrastive
    numerics = bench.training_device.numerics()
    key = speed_key(bench.source.digest, bench.reading, settings, numerics, bench.dataset.digest)
    path = room("calibrations") / f"{key}.json"
    known = read_or_none(read_json, path)
    if known is not None:
        return Speed(**known)
    bench.reporter.progress(phase="calibrating")
    rng = np.random.default_rng(0)
    rows = bench.candidates.iloc[rng.permutation(len(bench.candidates))[:N_SCORED]]
    bench.tokenize(list(rows["query_id"]), list(rows["doc_id"]))
    sampled = named(rows)
    pairs, firsts = bench.reading.pairs(bench.tokens, sampled)
    n_tokens = int(pairs.sizes.sum())
    encoder = load_cross_encoder(
        bench.source.folder, bench.tokens.template, bench.device, seed=0, dropout=settings.dropout
    )
    encoder.scores(pairs[:8])
    begun = time.perf_counter()
    encoder.scores(pairs)
    synchronize(bench.device)
    scoring = time.perf_counter() - begun
    optimizer = optimizer_of(encoder.module, settings, bench.device)
    gradients = StepGradients(
        encoder, "listwise", settings, bench.tokens, bench.plan.max_length, bench.reporter.breathe
    )
    encoder.module.train()
    lists = [TrainingList(query, (doc, doc), (1.0, 0.0)) for query, doc in sampled[: max(2, len(sampled) // 4)]]
    seconds, tokens = [], 0
    with threads_of(bench.training_device):
        for number in range(N_STEPS + 1):  # the first one warms up
            begun = time.perf_counter()
            _, _, tokens = gradients.add(lists, number)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            synchronize(bench.device)
            seconds.append(time.perf_counter() - begun)
    speed = Speed(
        device_kind=bench.device.kind,
        device_name=bench.device.name,
        score_tokens_per_second=n_tokens / scoring,
        train_tokens_per_second=tokens / (sum(seconds[1:]) / N_STEPS),
        tokens_per_scored_pair=n_tokens / len(pairs),
        tokens_per_trained_pair=sum(len(pairs[place][0]) for place in firsts) / len(firsts),
    )
    write_json(path, speed.to_dict())
    return speed


def calibrate(bench: Workbench, nodes: Sequence[StageNode], strategies: Sequence[str]) -> dict[str, Any]:
    """Return the forecast of an experiment: seconds and cost with their range, for what `nodes` need."""
    speed = measure_speed(bench)
    trained = scored = 0
    trainings: list[Training] = []
    place = {node: number for number, node in enumerate(nodes)}
    for node in nodes:
        pairs, dev = planned_pairs(bench, node)
        trained += pairs
        scored += dev + ranked_pairs(bench, node, strategies)
        trainings.append(Training(pairs, dev, place[node.parent] if node.parent else None))
    encoded = bench.candidates["doc_id"].nunique() + bench.candidates["query_id"].nunique()
    if "base" in strategies or f"base{FUSION}" in strategies:
        scored += sum(bench.scored_pairs(fold.test) for fold in bench.folds)
    if f"base{FUSION}" in strategies:
        scored += sum(bench.scored_pairs(fold.dev) for fold in bench.folds)
    saved = saved_side_by_side(speed, trainings, bench.lanes)
    expected = forecast(speed, Work(trained_pairs=trained, scored_pairs=scored, encoded_texts=encoded), saved)
    price = device_price(bench.device.kind, bench.device.name, current_prices())
    return {
        **expected.to_dict(),
        "cost_usd": compute_usd(expected.seconds, price),
        "cost_usd_low": compute_usd(expected.seconds_low, price),
        "cost_usd_high": compute_usd(expected.seconds_high, price),
    }
