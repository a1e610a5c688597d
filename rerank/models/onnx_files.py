"""ONNX: a cross-encoder as a file that other programs run, in fp32 and in int8; needs the extra `onnx`."""

import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rerank.errors import RerankError
from rerank.models.batches import collate, token_batches
from rerank.models.pairs import Pair
from rerank.models.token_store import PairTemplate

NEEDED = ("onnx", "onnxscript", "onnxruntime")
OUTPUT = "logits"
BATCH_TOKENS = 1024
# One file holds at most 2 GB: what does not fit goes into a second file beside it.
ONE_FILE_BYTES = 1_800_000_000
# Largest difference of a logit from torch's, both in fp32, in shares of the largest logit (of 1, where that is less).
TOLERANCE = 1e-4


def require_onnx() -> None:
    """Raise RerankError `onnx_missing` unless the extra's packages are installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise RerankError("onnx_missing", packages=", ".join(missing))


def export_onnx(folder: Path, template: PairTemplate, path: Path) -> Any:
    """Write a model folder's network to `path` with dynamic batch and length; return the fp32 network on the CPU.

    Inputs in this order: input_ids, attention_mask and, where the model has types, token_type_ids; OpenSearch hands
    them over by position. Output: logits, shape (batch, 1).
    """
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    # Plain products and a softmax are what every runtime knows how to fuse and to quantise.
    module = AutoModelForSequenceClassification.from_pretrained(
        str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    example: list[Pair] = [(np.array([*template.head, 1, *template.tail], dtype=np.int32), len(template.head) + 1)] * 2
    inputs = collate(example, template, torch.device("cpu"))
    free = torch.export.Dim.DYNAMIC
    n_bytes = sum(value.numel() * value.element_size() for value in module.state_dict().values())
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter about its own parts
        torch.onnx.export(
            module,
            (),
            str(path),
            kwargs=inputs,
            input_names=list(inputs),
            output_names=[OUTPUT],
            dynamic_shapes={name: {0: free, 1: free} for name in inputs},
            dynamo=True,
            external_data=n_bytes > ONE_FILE_BYTES,
            verbose=False,
        )
    return module


def quantize(path: Path, target: Path) -> None:
    """Write an ONNX file's int8 version: weights per channel, activations when it runs (dynamic quantisation)."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    n_bytes = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantize_dynamic(
            path,
            target,
            weight_type=QuantType.QInt8,
            per_channel=True,
            use_external_data_format=n_bytes > 2 * ONE_FILE_BYTES,
        )


def check_equal(module: Any, encoder: "OnnxEncoder", pairs: Sequence[Pair], template: PairTemplate) -> float:
    """Return the largest difference of a logit between the network and its file, relative as TOLERANCE is.

    Raises RerankError `onnx_differs` beyond TOLERANCE.
    """
    with torch.no_grad():
        known = [float(module(**collate([pair], template, torch.device("cpu"))).logits) for pair in pairs]
    found = encoder.scores(pairs)
    largest = max(1.0, float(np.abs(known).max()))
    difference = float(np.abs(found - np.array(known)).max()) / largest
    if not difference <= TOLERANCE:
        raise RerankError("onnx_differs", difference=f"{difference:.1e}", tolerance=f"{TOLERANCE:.0e}")
    return difference


class OnnxEncoder:
    """An ONNX file that scores pairs on the CPU with onnxruntime."""

    def __init__(self, path: Path, template: PairTemplate, n_threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._template = template

    def scores(self, pairs: Sequence[Pair], on_batch: Callable[[int], None] | None = None) -> NDArray[np.float64]:
        """Return the logit of every pair; `on_batch` hears each batch's number of pairs and may raise to stop."""
        found = np.empty(len(pairs), dtype=np.float64)
        for batch in token_batches([len(ids) for ids, _ in pairs], BATCH_TOKENS):
            inputs = collate([pairs[place] for place in batch], self._template, torch.device("cpu"))
            (logits,) = self._session.run([OUTPUT], {name: value.numpy() for name, value in inputs.items()})
            found[batch] = logits.reshape(-1)
            if on_batch is not None:
                on_batch(len(batch))
        return found
