"""What a strategy's teacher cost: counted, or stated by the user where only they can know."""

from collections.abc import Mapping
from typing import Any

from rerank.cost.business import Business
from rerank.planning.graph import distils
from rerank.planning.plan import LANGUAGE_MODELS


def is_unpriced(result: Mapping[str, Any], strategy: str) -> bool:
    """Say whether a strategy learnt from uploaded scores, whose price is known to the user alone."""
    return result["plan"]["teacher"] == "uploaded" and distils([strategy])


def teacher_usd(result: Mapping[str, Any], business: Business, strategy: str) -> float | None:
    """Return what a strategy's teacher cost in USD, None where nobody said so."""
    if not is_unpriced(result, strategy):
        return float(result["strategies"][strategy]["cost"]["teacher_usd"])
    return None if business.teacher_cost is None else business.to_usd(business.teacher_cost)


def training_usd(result: Mapping[str, Any], business: Business, strategy: str) -> float:
    """Return what one training costs with its teacher in USD; a teacher without a price counts nothing."""
    train = float(result["strategies"][strategy]["cost"]["train_usd"])
    return train + (teacher_usd(result, business, strategy) or 0.0)


def paid_usd(result: Mapping[str, Any], business: Business, strategy: str) -> float:
    """Return the part of `training_usd` that no other device changes: what was paid for answers or scores."""
    if result["plan"]["teacher"] not in (*LANGUAGE_MODELS, "uploaded"):
        return 0.0
    return teacher_usd(result, business, strategy) or 0.0
