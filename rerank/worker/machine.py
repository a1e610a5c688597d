"""`python -m rerank.worker.machine [--kernels]`: what this machine computes with, as one JSON line."""

import json
import sys
from dataclasses import asdict
from typing import Any

from rerank.errors import RerankError
from rerank.models.devices import pick_device
from rerank.models.kernels import missing_kernels
from rerank.models.sources import find_model


def describe(with_kernels: bool) -> dict[str, Any]:
    """Return the device that `auto` picks and whether the embedded encoder is whole.

    with_kernels: also the fast kernels that the device lacks; to try them takes a while on a GPU.
    """
    import torch
    import transformers

    try:
        find_model("embedded")
        embedded = "ok"
    except RerankError as error:
        embedded = error.code
    device = pick_device("auto")
    return {
        **asdict(device),
        "missing_kernels": missing_kernels(device) if with_kernels else {},
        "torch": str(torch.__version__),
        "transformers": transformers.__version__,
        "embedded": embedded,
    }


if __name__ == "__main__":
    print(json.dumps(describe(with_kernels="--kernels" in sys.argv)))
