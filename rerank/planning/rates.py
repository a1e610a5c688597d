"""Learning rate, epochs and patience where the plan leaves them open, what a search tries, and where a fusion leans."""

import dataclasses
import math

from rerank.planning.plan import StageSettings

TUNED_HEAD = 2e-5  # 1e-5 to 2e-5 is the published range for re-rankers that are tuned already
FEW_QUERIES, FEW_RATE = 150, 3e-4
MANY_QUERIES, MANY_RATE = 600, 1e-4
FEW_EPOCHS, TUNED_EPOCHS = 12, 3  # FEW_EPOCHS: for FEW_QUERIES
LEAST_EPOCHS, MOST_EPOCHS = 3, 24
LEAST_PATIENCE = 2
FEW_WEIGHT, MANY_WEIGHT = 0.2, 0.6
# What a search tries beside the plan's own settings, most promising first: factors of rate and epochs.
TRIALS = ((0.5, 1.0), (2.0, 1.0), (1.0, 2.0), (0.25, 2.0))


def _reach(n_train: int) -> float:
    """Return where a number of queries lies between few (0) and many (1), on a logarithmic scale."""
    reach = (math.log(max(1, n_train)) - math.log(FEW_QUERIES)) / (math.log(MANY_QUERIES) - math.log(FEW_QUERIES))
    return min(1.0, max(0.0, reach))


def automatic_learning_rate(n_train: int, *, has_head: bool) -> float:
    """Return the rate for a number of training queries: small for a tuned head, else larger the fewer there are.

    An untrained head has to be learnt in few steps when queries are few. Measured with the embedded MiniLM on
    development queries: `docs/performance.md`. Between 150 and 600 queries the rate falls geometrically.
    """
    if has_head:
        return TUNED_HEAD
    return float(FEW_RATE * (MANY_RATE / FEW_RATE) ** _reach(n_train))


def automatic_epochs(n_train: int, *, has_head: bool) -> int:
    """Return the most epochs for a number of training queries: few queries are few steps, so they are seen more often.

    A quarter of the queries are seen twice as often, in half as many steps. Measured on development queries of four
    collections: `docs/decisions/0035-an-untrained-head-is-trained-for-longer.md`.
    """
    if has_head:
        return TUNED_EPOCHS
    epochs = round(FEW_EPOCHS * math.sqrt(FEW_QUERIES / max(1, n_train)))
    return min(MOST_EPOCHS, max(LEAST_EPOCHS, epochs))


def automatic_patience(epochs: int) -> int:
    """Return how many epochs without a better development score end a training of at most so many: a third of them.

    Scores of few development queries go up and down while a head is learnt; two worse epochs of 24 say little.
    """
    return max(LEAST_PATIENCE, round(epochs / 3))


def expected_weight(n_train: int) -> float:
    """Return the weight (0 to 1) in a fusion that a model is expected to deserve after a number of training queries.

    Development queries decide; this is where a fit leans when they hardly tell mixtures apart. Measured:
    `docs/decisions/0031-a-model-of-many-queries-is-trusted-more.md`.
    """
    return FEW_WEIGHT + (MANY_WEIGHT - FEW_WEIGHT) * _reach(n_train)


def with_patience(settings: StageSettings) -> StageSettings:
    """Return settings with the patience that suits their epochs, where it is open."""
    if settings.patience is not None:
        return settings
    return dataclasses.replace(settings, patience=automatic_patience(settings.epochs))


def resolved(settings: StageSettings, n_train: int, *, has_head: bool, trial: int = 0) -> StageSettings:
    """Return settings with every open value filled in, and changed as a search's trial says (0: not)."""
    rate = settings.learning_rate or automatic_learning_rate(n_train, has_head=has_head)
    epochs = settings.epochs or automatic_epochs(n_train, has_head=has_head)
    of_rate, of_epochs = TRIALS[trial - 1] if trial else (1.0, 1.0)
    return with_patience(dataclasses.replace(settings, learning_rate=rate * of_rate, epochs=round(epochs * of_epochs)))
