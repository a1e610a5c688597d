"""`python -m rerank.worker.machine`: what this machine computes with, as one JSON line."""

import json
from dataclasses import asdict
from typing import Any

from rerank.errors import RerankError
from rerank.models.devices import pick_device
from rerank.models.kernels import missing_kernels
from rerank.models.sources import find_model


def describe() -> dict[str, Any]:
    """Return the device that `auto` picks, the kernels it lacks, and whether the embedded encoder is whole."""
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
        "missing_kernels": missing_kernels(device),
        "torch": str(torch.__version__),
        "transformers": transformers.__version__,
        "embedded": embedded,
    }


if __name__ == "__main__":
    print(json.dumps(describe()))
