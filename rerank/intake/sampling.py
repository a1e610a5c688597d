"""A part of a collection that is too large to work with: reproducible, and without losing what was judged."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.errors import RerankError

By = Literal["chance", "segment", "frequency"]
SAMPLED_BY: tuple[By, ...] = ("chance", "segment", "frequency")
_PAIRED = ("judgments", "ratings", "candidates", "teacher_scores")


@dataclass(frozen=True)
class Sampling:
    """How much of a collection is kept; None keeps all.

    by: how queries are drawn: each alike (`chance`), in proportion within segments, or by how often they were asked.
    """

    queries: int | None = None
    documents: int | None = None
    by: By = "chance"
    seed: int = 1


def chances(ids: "pd.Series[str]", seed: int) -> NDArray[np.float64]:
    """Return a number in (0, 1) per id that depends on the id and the seed alone, not on its place or file."""
    found = np.empty(len(ids), dtype=np.uint64)
    start = f"{seed}\0".encode()
    for place, name in enumerate(ids):
        found[place] = int.from_bytes(blake2b(start + name.encode(), digest_size=8).digest(), "little")
    return ((found >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def sampled(
    frames: Mapping[str, pd.DataFrame], sampling: Sampling, frequency: "pd.Series[float]"
) -> tuple[dict[str, pd.DataFrame], NDArray[np.bool_], dict[str, Any]]:
    """Return the frames without queries that were not drawn, which documents are kept, and what the manifest says.

    Judged queries are drawn first. Documents that a kept query's judgments, ratings, candidates or teacher scores name
    are kept whatever the number; the others are drawn alike. frequency: per query, in the frame's order. Raises
    RerankError `sample_not_positive`, `sample_without_segments` or `sample_without_frequencies`.
    """
    for name, n in (("queries", sampling.queries), ("documents", sampling.documents)):
        if n is not None and n < 1:
            raise RerankError("sample_not_positive", what=name, n=n)
    found = dict(frames)
    record: dict[str, Any] = {"seed": sampling.seed}
    queries = frames["queries"]
    if sampling.queries is not None:
        judged = queries["query_id"].isin(_queries_with(frames, ("judgments", "ratings"))).to_numpy()
        keep = _drawn(queries, judged, sampling, np.asarray(frequency, dtype=np.float64))
        found["queries"] = queries[keep].reset_index(drop=True)
        left = set(found["queries"]["query_id"])
        for role in _PAIRED:
            if role in found:
                rows = found[role]
                found[role] = rows[rows["query_id"].isin(left)].reset_index(drop=True)
        n_judged = int(judged[keep].sum())
        record["queries"] = {"n": int(keep.sum()), "of": len(queries), "by": sampling.by, "n_judged": n_judged}
        record["judgments"] = {"n": len(found["judgments"]), "of": len(frames["judgments"])}
    ids = frames["documents"]["doc_id"]
    kept = np.ones(len(ids), dtype=bool)
    if sampling.documents is not None:
        named = ids.isin(_documents_named(found)).to_numpy()
        n_others = min(max(0, sampling.documents - int(named.sum())), int((~named).sum()))
        kept = named.copy()
        others = np.flatnonzero(~named)
        if n_others:
            nearest = np.argpartition(chances(ids, sampling.seed)[others], n_others - 1)[:n_others]
            kept[others[nearest]] = True
        record["documents"] = {"n": int(kept.sum()), "of": len(ids), "n_named": int(named.sum())}
    return found, kept, record


def _queries_with(frames: Mapping[str, pd.DataFrame], roles: Collection[str]) -> set[str]:
    return {name for role in roles if role in frames for name in frames[role]["query_id"].unique()}


def _documents_named(frames: Mapping[str, pd.DataFrame]) -> list[str]:
    named = [frames[role]["doc_id"].unique() for role in _PAIRED if role in frames]
    return sorted({str(name) for names in named for name in names})


def _drawn(
    queries: pd.DataFrame, judged: NDArray[np.bool_], sampling: Sampling, frequency: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which queries are kept: judged ones first, then others, each group as `by` says."""
    if sampling.by == "segment" and not (queries["segment"] != "").any():
        raise RerankError("sample_without_segments")
    if sampling.by == "frequency" and not (frequency > 1).any():
        raise RerankError("sample_without_frequencies")
    chance = chances(queries["query_id"], sampling.seed)
    if sampling.by == "frequency":
        # Efraimidis and Spirakis (2006): the smallest -ln(u)/weight are a draw by weight without replacement.
        chance = -np.log(chance) / frequency
    keep = np.zeros(len(queries), dtype=bool)
    n_left = min(int(sampling.queries or 0), len(queries))
    for group in (np.flatnonzero(judged), np.flatnonzero(~judged)):
        n = min(n_left, len(group))
        n_left -= n
        if sampling.by != "segment":
            keep[group[np.argsort(chance[group], kind="stable")[:n]]] = True
            continue
        segments = queries["segment"].to_numpy()[group]
        for segment, share in _shares(segments, n).items():
            among = group[segments == segment]
            keep[among[np.argsort(chance[among], kind="stable")[:share]]] = True
    return keep


def _shares(segments: "NDArray[Any]", n: int) -> dict[str, int]:
    """Return how many of each segment: in proportion, by the largest remainders."""
    counts = {str(name): int((segments == name).sum()) for name in sorted(set(segments))}
    total = max(1, len(segments))
    exact = {name: n * count / total for name, count in counts.items()}
    found = {name: math.floor(value) for name, value in exact.items()}
    rest = sorted(exact, key=lambda name: (found[name] - exact[name], name))
    for name in rest[: n - sum(found.values())]:
        found[name] += 1
    return found
