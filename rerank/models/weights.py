"""What a model's files hold, and whether a model found all of its weights in them."""

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rerank.errors import RerankError

# A classifier and what some architectures put before it: drawn anew where a model was no re-ranker yet.
_HEAD = re.compile(r"(^|\.)(classifier|pre_classifier|head|pooler)\.")
_SCORE = re.compile(r"(^|\.)classifier\.(out_proj\.)?weight$")
N_NAMED = 3


def shapes_of(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor in a folder's safetensors files, read from their headers alone.

    Raises RerankError `model_not_loadable`.
    """
    from safetensors import SafetensorError, safe_open

    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="np") as weights:
                for name in weights.keys():  # noqa: SIM118
                    found[name] = tuple(weights.get_slice(name).get_shape())
        except (SafetensorError, OSError) as error:
            raise RerankError("model_not_loadable", folder=str(folder), cause=f"{path.name}: {error}"[:300]) from error
    return found


def n_weights(folder: Path) -> int:
    """Return how many weights a folder's files hold."""
    return sum(math.prod(shape) for shape in shapes_of(folder).values())


def holds_score_head(folder: Path) -> bool:
    """Say whether a folder's files hold a classifier with one output."""
    return any(_SCORE.search(name) and shape[0] == 1 for name, shape in shapes_of(folder).items())


def not_found(info: Mapping[str, Any], *, head_may_be_new: bool) -> str | None:
    """Return which weights a model did not find in its files, as transformers reports it; None when it has all.

    Such weights are random numbers: files of another architecture, or of a wrapper that renamed everything, would
    otherwise load without a word. head_may_be_new: those of a head are drawn anew on purpose.
    """
    names: Iterable[Any] = (*info["missing_keys"], *(item[0] for item in info["mismatched_keys"]))
    lost = sorted(str(name) for name in names if not (head_may_be_new and _HEAD.search(str(name))))
    if not lost:
        return None
    more = "" if len(lost) <= N_NAMED else f" (+{len(lost) - N_NAMED})"
    return f"weights not found: {', '.join(lost[:N_NAMED])}{more}"
