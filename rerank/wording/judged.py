"""Where the judgments of a dataset's version come from."""

from collections.abc import Mapping
from typing import Any

from rerank.wording.language import Say
from rerank.wording.numbers import score


def judging_sentence(say: Say, judging: Mapping[str, Any]) -> str:
    """Return what a manifest's `judging` says: how many, by whom, how well they agreed, how differences were resolved."""
    sentence = say(
        "{n} judgments were added in the app (task “{task}”, raters: {raters}).",
        n=f"{judging['n_judged']:,}",
        task=judging["name"],
        raters=judging["n_raters"],
    )
    if judging["n_raters"] > 1:
        resolved = (
            say(
                "Where raters differ the median counts; between two grades the higher one ({n} times).",
                n=judging["n_tied"],
            )
            if judging["ties"] == "up"
            else say(
                "Where raters differ the median counts; between two grades the lower one ({n} times).",
                n=judging["n_tied"],
            )
        )
        sentence += " " + resolved
    if judging["alpha"] is not None:
        sentence += " " + say(
            "Krippendorff's α over {n} shared pairs: {alpha}.", n=judging["n_shared"], alpha=score(judging["alpha"])
        )
    return sentence
