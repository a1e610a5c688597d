"""What the work that more money buys costs: device time, judging, a teacher's tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rerank.cost.amounts import MINUTES_PER_JUDGMENT, compute_usd, judging_usd
from rerank.cost.business import Business
from rerank.cost.prices import Price

TOKENS_PER_MILLION = 1e6


@dataclass(frozen=True)
class Rates:
    """USD per hour of the device and of a judge, minutes of a judgment, USD per token (None without a price)."""

    device: Price
    judge: Price
    minutes: float
    usd_per_token: float | None

    def usd(self, work: Mapping[str, Any]) -> float | None:
        """Return what some work costs; None when it needs a price that is not there."""
        if work["n_teacher_tokens"] and self.usd_per_token is None:
            return None
        tokens: int = work["n_teacher_tokens"]
        judging = judging_usd(work["n_judgments"], self.judge, self.minutes)
        return judging + compute_usd(work["device_seconds"], self.device) + tokens * (self.usd_per_token or 0.0)


def rates_of(cost: Mapping[str, Any], business: Business | None, prices: Sequence[Price]) -> Rates:
    """Return what things cost; a teacher's tokens at the dearest model of the table, so that nothing is understated."""
    read = [price.usd for price in prices if price.kind == "llm_input"]
    return Rates(
        Price(**cost["device_price"]),
        Price(**cost["labour_price"]),
        business.minutes_per_judgment if business else MINUTES_PER_JUDGMENT,
        max(read) / TOKENS_PER_MILLION if read else None,
    )
