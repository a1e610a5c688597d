"""Scoring: pairs per second against sentence-transformers and OpenVINO."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rerank.bench.limit import limit_of, operations
from rerank.bench.timing import alternate, ratio
from rerank.bench.work import Work
from rerank.models.batches import collate, token_batches
from rerank.models.cross_encoder import CrossEncoder, load_cross_encoder, save_cross_encoder
from rerank.models.devices import Device
from rerank.models.token_store import PairTemplate

PEER_DEFAULT = 32  # pairs a batch that `predict` takes by itself
PEER_BATCHES = (16, 32, 64, 128)
PEER_BATCHES_LARGE = (32, 128, 256, 512, 1024)
TUNING_ROUNDS = 2
OPENVINO_TOKENS = 4096

Scorer = Callable[[], NDArray[np.float64]]


def peer_model(encoder: CrossEncoder, work: Work, dtype: torch.dtype) -> Any:
    """Return sentence-transformers' CrossEncoder with exactly the weights of ours."""
    from sentence_transformers import CrossEncoder as Peer

    with tempfile.TemporaryDirectory() as folder:
        save_cross_encoder(encoder.module, work.source.folder, Path(folder))
        peer = Peer(
            folder,
            device=encoder.device.kind,
            max_length=work.max_length,
            num_labels=1,
            local_files_only=True,
        )
    peer.model.to(dtype)
    return peer


def _peer_scorer(peer: Any, texts: Sequence[tuple[str, str]], batch_size: int) -> Scorer:
    return lambda: np.asarray(peer.predict(texts, batch_size=batch_size, show_progress_bar=False), dtype=np.float64)


def openvino_scorer(encoder: CrossEncoder, work: Work, template: PairTemplate) -> Scorer | None:
    """Return the model compiled by OpenVINO, bf16 where it wants to, over the same sorted batches; None without it."""
    try:
        import openvino
    except ImportError:
        return None
    device = torch.device("cpu")
    example = collate(work.pairs()[:2], template, device)
    module = encoder.module.to("cpu").eval()
    with torch.no_grad():
        converted = openvino.convert_model(module, example_input=example)
    compiled = openvino.Core().compile_model(converted, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": "1"})
    encoder.module.to(encoder.device.handle)

    def run() -> NDArray[np.float64]:
        pairs = work.pairs()
        found = np.empty(len(pairs))
        for batch in token_batches([len(ids) for ids, _ in pairs], OPENVINO_TOKENS):
            inputs = collate([pairs[place] for place in batch], template, device)
            found[batch] = compiled({name: value.numpy() for name, value in inputs.items()})[0].reshape(-1)
        return found

    return run


def tuned_peer(encoder: CrossEncoder, work: Work, device: Device, default: Any) -> tuple[str, int, Scorer]:
    """Return the number type and the batch size with which sentence-transformers is fastest, and its scorer so.

    Tried are all batch sizes in fp32 and, where the device has it, in bf16: alternating, over enough pairs to tell.
    default: the peer in fp32.
    """
    peers = {"fp32": default}
    if device.dtype == "bf16":
        peers["bf16"] = peer_model(encoder, work, torch.bfloat16)
    sizes = PEER_BATCHES if device.kind == "cpu" else PEER_BATCHES_LARGE
    texts = work.texts_of_pairs()
    some = texts[: max(2 * sizes[-1], len(texts) // 4)]
    settings = {f"{dtype}, {size} a batch": (dtype, size) for dtype in peers for size in sizes}
    sides = {name: _peer_scorer(peers[dtype], some, size) for name, (dtype, size) in settings.items()}
    seconds = alternate(sides, TUNING_ROUNDS)
    dtype, size = settings[min(settings, key=lambda name: min(seconds[name]))]
    return dtype, size, _peer_scorer(peers[dtype], texts, size)


def bench_scoring(work: Work, device: Device, n_rounds: int) -> dict[str, Any]:
    """Return pairs per second, the ratios to every peer, the share of the limit and how far outputs differ."""
    encoder = load_cross_encoder(work.source.folder, work.tokens.template, device, seed=0)
    default = peer_model(encoder, work, torch.float32)
    best_dtype, best_size, best = tuned_peer(encoder, work, device, default)
    peers = {"st_default": _peer_scorer(default, work.texts_of_pairs(), PEER_DEFAULT), "st_best": best}
    if device.kind == "cpu":
        compiled = openvino_scorer(encoder, work, work.tokens.template)
        if compiled is not None:
            peers["openvino"] = compiled
    own: Scorer = lambda: encoder.scores(work.pairs())  # noqa: E731 - one of several callables in a table
    outputs = {name: run() for name, run in {"ours": own, **peers}.items()}
    exact = outputs["st_default"]
    seconds = alternate({"ours": own, **peers}, n_rounds)
    n_pairs, mine = len(work.named), min(seconds["ours"])
    limit = limit_of(device, encoder.module.config, 2048 if device.kind == "cpu" else 65536)
    return {
        "n_pairs": n_pairs,
        "mean_tokens": float(np.mean(work.lengths)),
        "pairs_per_s": n_pairs / mine,
        **{f"{name}_pairs_per_s": n_pairs / min(seconds[name]) for name in peers},
        "vs_st_default": ratio(seconds["st_default"], seconds["ours"]),
        "vs_st_best": ratio(seconds["st_best"], seconds["ours"]),
        "st_best_dtype": best_dtype,
        "st_best_batch_size": best_size,
        "vs_openvino": ratio(seconds["openvino"], seconds["ours"]) if "openvino" in seconds else None,
        "limit_share": operations(encoder.module.config, work.lengths) / mine / limit,
        "largest_difference": {name: float(np.abs(found - exact).max()) for name, found in outputs.items()},
        "spread_of_logits": float(exact.std()),
    }
