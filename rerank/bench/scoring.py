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

PEER_BATCHES = (16, 32, 64, 128)
PEER_BATCHES_LARGE = (32, 128, 256, 512, 1024)
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


def bench_scoring(work: Work, device: Device, n_rounds: int) -> dict[str, Any]:
    """Return pairs per second, the ratios to every peer, the share of the limit and how far outputs differ."""
    encoder = load_cross_encoder(work.source.folder, work.tokens.template, device, seed=0)
    texts = work.texts_of_pairs()
    peers = {"st_default": _peer_scorer(peer_model(encoder, work, torch.float32), texts, 32)}
    best = None
    if device.dtype == "bf16":
        fast = peer_model(encoder, work, torch.bfloat16)
        sizes = PEER_BATCHES if device.kind == "cpu" else PEER_BATCHES_LARGE
        some = texts[: max(2 * sizes[-1], len(texts) // 4)]  # enough to tell which size is the fastest
        seconds = alternate({str(size): _peer_scorer(fast, some, size) for size in sizes}, 1)
        best = min(sizes, key=lambda size: seconds[str(size)][0])
        peers["st_best"] = _peer_scorer(fast, texts, best)
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
        "vs_st_best": ratio(seconds.get("st_best", seconds["st_default"]), seconds["ours"]),
        "st_best_batch_size": best,
        "vs_openvino": ratio(seconds["openvino"], seconds["ours"]) if "openvino" in seconds else None,
        "limit_share": operations(encoder.module.config, work.lengths) / mine / limit,
        "largest_difference": {name: float(np.abs(found - exact).max()) for name, found in outputs.items()},
        "spread_of_logits": float(exact.std()),
    }
