"""After distillation: how many of the teacher's errors a student makes as well, and which biases it shares."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.audit.biases import preference, preference_difference, preferences_of
from rerank.audit.intervals import LEVEL, Measured, mean_of
from rerank.audit.pairs import UNJUDGED
from rerank.stats.compare import MIN_QUERIES
from rerank.stats.deciding import error_of, half_width

# What the interval of a student's share minus its control's says about the teacher's errors.
Finding = Literal["inherited", "not_shown", "fewer", "too_few_queries", "no_control"]
FINDINGS: tuple[Finding, ...] = get_args(Finding)
BIASES: Mapping[str, str] = {"length": "length", "lexical": "overlap"}  # name: column of `audit.pairs.scored_pairs`


@dataclass(frozen=True)
class Contradictions:
    """Pairs of judged documents that the teacher orders against the grades.

    query_ids: the queries that have one, the units. query: each pair's place in them. preferred, deserving: places
    in the rows of the document that the teacher puts first and of the one that the human grades higher. error_share:
    by judged query, the share (0-1) of the pairs with different grades that the teacher turns round.
    """

    query_ids: tuple[str, ...]
    query: NDArray[np.int64]
    preferred: NDArray[np.int64]
    deserving: NDArray[np.int64]
    error_share: NDArray[np.float64]


def contradictions(rows: pd.DataFrame) -> Contradictions:
    """Return the pairs that teacher and human order differently; ties of either and unjudged documents do not count.

    rows: query_id, grade, teacher, as `audit.pairs.scored_pairs` returns them.
    """
    grade, said = rows["grade"].to_numpy(), rows["teacher"].to_numpy(dtype=np.float64)
    names: list[str] = []
    shares: list[float] = []
    query, preferred, deserving = [], [], []
    for query_id, found in rows.groupby("query_id", sort=False).indices.items():
        places = found[grade[found] != UNJUDGED]
        higher = grade[places][:, None] > grade[places][None, :]
        if not higher.any():
            continue
        turned = higher & (said[places][:, None] < said[places][None, :])
        shares.append(float(turned.sum() / higher.sum()))
        better, worse = np.nonzero(turned)
        if len(better):
            query.append(np.full(len(better), len(names)))
            names.append(str(query_id))
            preferred.append(places[worse])
            deserving.append(places[better])

    def joined(parts: list[NDArray[Any]]) -> NDArray[np.int64]:
        return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, dtype=np.int64)

    return Contradictions(tuple(names), joined(query), joined(preferred), joined(deserving), np.array(shares))


def shares_with_teacher(found: Contradictions, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by training and query the share (0-1) of contradicted pairs in which a student follows the teacher.

    scores: (n_seeds, n_rows), higher is better, aligned with the rows; equal ones count as half. A student that
    repeats the teacher has 1 everywhere, one that repeats the grades 0. Returns (n_seeds, n_queries).
    """
    gap = scores[:, found.preferred] - scores[:, found.deserving]
    sides = (np.sign(gap) + 1) / 2
    n_pairs = np.bincount(found.query, minlength=len(found.query_ids))
    return np.array([np.bincount(found.query, row, minlength=len(found.query_ids)) / n_pairs for row in sides])


def difference_of(control: NDArray[np.float64], student: NDArray[np.float64]) -> Measured:
    """Return student minus control, paired by query; the error knows about training luck as the deciding test does.

    Both are (n_seeds, n_queries); a single seed says nothing about luck.
    """
    n = student.shape[1]
    if n == 0:
        return Measured()
    differences = student.mean(axis=0) - control.mean(axis=0)
    mean = float(differences.mean())
    if n < MIN_QUERIES:
        return Measured(mean, n=n)
    error = error_of(differences, (control, student))
    half = half_width(LEVEL, error.se, error.df)
    return Measured(mean, max(-1.0, mean - half), min(1.0, mean + half), n)


def finding_of(difference: Measured | None) -> Finding:
    """Return what a difference to the control says: inherited errors only when its interval lies above 0."""
    if difference is None:
        return "no_control"
    if difference.ci_low is None or difference.ci_high is None:
        return "too_few_queries"
    if difference.ci_low > 0:
        return "inherited"
    return "fewer" if difference.ci_high < 0 else "not_shown"


def inheritance_of(
    rows: pd.DataFrame, scores: Mapping[str, NDArray[np.float64]], controls: Mapping[str, str | None], seed: int
) -> dict[str, Any]:
    """Return how far students follow the teacher against the grades, as plain JSON types.

    rows: as `audit.pairs.scored_pairs` returns them. scores: by strategy, (n_seeds, n_rows), higher is better.
    controls: by student, the strategy in `scores` that learned without a teacher, None where there is none.
    """
    found = contradictions(rows)
    columns = {name: [f"{name} {number}" for number in range(len(table))] for name, table in scores.items()}
    every = {column: scores[name][number] for name, mine in columns.items() for number, column in enumerate(mine)}
    scored = pd.concat([rows.reset_index(drop=True), pd.DataFrame(every)], axis=1)
    shares = {name: shares_with_teacher(found, table) for name, table in scores.items()}
    preferred = {
        (name, bias): preferences_of(scored, column, mine)
        for name, mine in columns.items()
        for bias, column in BIASES.items()
    }
    strategies = {}
    for name in scores:
        control = controls.get(name)
        difference = None if control is None else difference_of(shares[control], shares[name])
        record: dict[str, Any] = {
            "control": control,
            "sides": dataclasses.asdict(mean_of(shares[name].mean(axis=0), 0, 1)),
            "difference": dataclasses.asdict(difference or Measured()),
            "finding": finding_of(difference) if name in controls else None,
            "n_seeds": len(scores[name]),
        }
        for bias in BIASES:
            apart = Measured()
            if control is not None:
                apart = preference_difference(preferred[control, bias], preferred[name, bias], seed)
            record[bias] = dataclasses.asdict(preference(preferred[name, bias], seed))
            record[f"{bias}_difference"] = dataclasses.asdict(apart)
        strategies[name] = record
    teacher = {"error": dataclasses.asdict(mean_of(found.error_share, 0, 1))}
    for bias, column in BIASES.items():
        teacher[bias] = dataclasses.asdict(preference(preferences_of(rows, column), seed))
    return {
        "n_queries": len(found.query_ids),
        "n_pairs": len(found.query),
        "teacher": teacher,
        "strategies": strategies,
    }
