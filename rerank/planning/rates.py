"""The learning rate where the plan leaves it open."""

import math

TUNED_HEAD = 2e-5  # 1e-5 to 2e-5 is the published range for re-rankers that are tuned already
FEW_QUERIES, FEW_RATE = 150, 3e-4
MANY_QUERIES, MANY_RATE = 600, 1e-4


def automatic_learning_rate(n_train: int, *, has_head: bool) -> float:
    """Return the rate for a number of training queries: small for a tuned head, else larger the fewer there are.

    An untrained head has to be learnt in few steps when queries are few. Measured with the embedded MiniLM on
    development queries: `docs/performance.md`. Between 150 and 600 queries the rate falls geometrically.
    """
    if has_head:
        return TUNED_HEAD
    reach = (math.log(max(1, n_train)) - math.log(FEW_QUERIES)) / (math.log(MANY_QUERIES) - math.log(FEW_QUERIES))
    share = min(1.0, max(0.0, reach))
    return float(FEW_RATE * (MANY_RATE / FEW_RATE) ** share)
