"""Several raters: how well they agree, and one judgment per pair."""

from collections.abc import Mapping

import krippendorff
import numpy as np
import pandas as pd

from rerank.intake.findings import Finding
from rerank.intake.noting import Ledger, note
from rerank.intake.pairs import KEY

TENTATIVE_ALPHA = 0.667  # below it Krippendorff (2004) draws no conclusions, not even tentative ones
MIN_SHARED_PAIRS = 10


def agreement_of(ratings: pd.DataFrame) -> float | None:
    """Return Krippendorff's alpha of ratings (rater, query_id, doc_id, grade); None when it is not defined.

    Grades are intervals, as in the measures' gains; pairs with a single rating do not count.
    """
    table = ratings.pivot_table(index="rater", columns=KEY, values="grade", aggfunc="first").to_numpy(dtype=float)
    shared = table[:, (~np.isnan(table)).sum(axis=0) >= 2]
    if shared.shape[1] == 0 or len(np.unique(shared[~np.isnan(shared)])) < 2:
        return None
    return float(krippendorff.alpha(reliability_data=shared, level_of_measurement="interval"))


def judgments_from(ratings: pd.DataFrame) -> pd.DataFrame:
    """Return one judgment per pair: the mean of its ratings, halves rounded up."""
    grouped = ratings.groupby(KEY, sort=False)
    mean = grouped["grade"].mean()
    found = grouped[["file", "line"]].first().assign(grade=np.floor(mean + 0.5).astype("int64"))
    return found.reset_index()[[*KEY, "grade", "file", "line"]]


def tell_agreement(ratings: pd.DataFrame, ledger: Ledger) -> None:
    """Write how well several raters agree, where they share enough pairs to tell."""
    n_raters = int(ratings["rater"].nunique())
    n_shared = int((ratings.groupby(KEY)["rater"].nunique() >= 2).sum())
    alpha = agreement_of(ratings)
    if n_raters < 2 or alpha is None or n_shared < MIN_SHARED_PAIRS:
        return
    facts: dict[str, object] = {"alpha": f"{alpha:.2f}", "n_raters": n_raters, "n_pairs": n_shared}
    if alpha < TENTATIVE_ALPHA:
        found = Finding("warning", "raters_disagree", facts={**facts, "minimum": TENTATIVE_ALPHA})
    else:
        found = Finding("info", "raters_agree", facts=facts)
    ledger.findings.append(found)


def add_ratings(found: Mapping[str, pd.DataFrame], ledger: Ledger) -> pd.DataFrame:
    """Return the judgments with those that follow from ratings where there is none; agreement goes to the ledger."""
    ratings, judgments = found["ratings"], found["judgments"]
    if ratings.empty:
        return judgments
    n_raters = int(ratings["rater"].nunique())
    tell_agreement(ratings, ledger)
    made = judgments_from(ratings)
    known = pd.MultiIndex.from_frame(judgments[KEY])
    made = made[~pd.MultiIndex.from_frame(made[KEY]).isin(known)]
    if made.empty:
        return judgments
    ledger.findings.append(note("info", "judgments_from_ratings", n_judgments=len(made), n_raters=n_raters))
    return made if judgments.empty else pd.concat([judgments, made], ignore_index=True)
