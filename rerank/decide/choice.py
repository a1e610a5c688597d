"""Which strategy speaks for several: the best on development queries, a plain form only where its lead is no chance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from rerank.planning.plan import FUSION

CLEAR = 2.0  # standard errors


@dataclass(frozen=True)
class Lead:
    """How far ahead of its fused form a model alone is on development queries: mean and standard error over them."""

    mean: float
    standard_error: float

    @property
    def is_clear(self) -> bool:
        """Say whether the lead is more than `CLEAR` standard errors, as a test at about 5 % would ask."""
        return self.mean > CLEAR * self.standard_error

    def to_dict(self) -> dict[str, float | None]:
        """Return it as `result.json` shows it; a standard error that a single query does not have is null."""
        error = self.standard_error
        return {"mean": self.mean, "standard_error": error if math.isfinite(error) else None}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Lead":
        """Return the lead that `to_dict` wrote."""
        error = record["standard_error"]
        return cls(float(record["mean"]), math.inf if error is None else float(error))


@dataclass(frozen=True)
class Contender:
    """A strategy with its score on development queries; of a fused one, the lead that its plain form has over it.

    is_model_alone: of a fused one, whether all of its weights are the model's, so that it is its plain form.
    """

    name: str
    dev_score: float
    lead_of_plain: Lead | None = None
    is_model_alone: bool = False


def is_model_alone(weights: Sequence[Mapping[str, float]]) -> bool:
    """Say whether fits gave all weight to the model."""
    return bool(weights) and all(one.get("model", 0.0) >= 1.0 for one in weights)


def lead_of(leads: Sequence[Mapping[str, float]]) -> Lead | None:
    """Return the lead over all trainings, each with its differences by query: queries are averaged over trainings.

    None without any. A single query has no standard error: no lead over it is clear.
    """
    by_query: dict[str, list[float]] = {}
    for one in leads:
        for query_id, value in one.items():
            by_query.setdefault(query_id, []).append(value)
    means = [fmean(values) for values in by_query.values()]
    if not means:
        return None
    error = stdev(means) / math.sqrt(len(means)) if len(means) > 1 else math.inf
    return Lead(fmean(means), error)


def best_on_dev(contenders: Sequence[Contender]) -> str | None:
    """Return the strategy with the highest development score, the earlier one on a tie; None without any.

    Of a model's two forms the fused one stands unless the plain one is clearly ahead of it, or is the same. Their own
    scores cannot say that: the plain form's is of the epoch that is best on these very queries.
    """
    forms = {contender.name: contender for contender in contenders}
    standing = [contender for contender in contenders if _stands(contender, forms)]
    return max(standing, key=lambda contender: contender.dev_score).name if standing else None


def _stands(contender: Contender, forms: Mapping[str, Contender]) -> bool:
    if contender.name.endswith(FUSION):
        return not (contender.is_model_alone and contender.name.removesuffix(FUSION) in forms)
    fused = forms.get(f"{contender.name}{FUSION}")
    if fused is None or fused.is_model_alone or fused.lead_of_plain is None:
        return True
    return fused.lead_of_plain.is_clear
