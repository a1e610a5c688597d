"""Comparisons as sentences: the one place that turns a verdict's code and numbers into prose."""

from collections.abc import Mapping
from typing import Any

from rerank.wording.language import Say, later
from rerank.wording.names import VERDICTS, name_of, strategy_name
from rerank.wording.numbers import count, delta, interval, p_value, score

SENTENCES: Mapping[str, str] = {
    "not_comparable": later("{challenger} and {reference} cannot be compared."),
    "identical": later("{challenger} and {reference} have the same {measure} on every query."),
    "better": later(
        "{challenger} is better than {reference}: {delta} {measure}, 95 % interval {interval}, {n} queries."
    ),
    "worse": later("{challenger} is worse than {reference}: {delta} {measure}, 95 % interval {interval}, {n} queries."),
    "equivalent": later(
        "{challenger} and {reference} are equivalent within ±{margin} {measure}: difference {delta}, "
        "95 % interval {interval}, {n} queries."
    ),
    "not_worse": later(
        "{challenger} is not worse than {reference} by more than {margin} {measure}: difference {delta}, "
        "95 % interval {interval}, {n} queries."
    ),
    "inconclusive": later(
        "The data do not say whether {challenger} differs from {reference}: {delta} {measure}, "
        "95 % interval {interval}, {n} queries."
    ),
}

NEGLIGIBLE = later("The difference is real but smaller than the margin: the cheaper option wins.")
MORE_QUERIES = later("About {n} more test queries would probably settle it.")
MORE_SEEDS = later("Training with more seeds ({n} more) would settle it as likely as not.")

REASONS: Mapping[str, str] = {
    "luck_unknown": later("Trained once: how much is training luck is unknown."),
    "not_realistic": later("More than 20 times as many queries would be needed: not realistic."),
    "too_few_queries": later("Fewer than 15 common queries."),
    "different_candidates": later("The two did not re-rank the same candidates."),
    "non_finite_scores": later("Some scores are missing or not finite."),
    "missing_scores": later("Some queries have no score."),
    "permutation_disagrees": later("The permutation test disagrees at this α."),
    "bca_disagrees": later("Of the two 95 % intervals, bootstrap (BCa) and t, only one contains 0."),
    "wilcoxon_disagrees": later("The Wilcoxon test disagrees at this α."),
    "naive_t_disagrees": later("The test that ignores training luck disagrees at this α."),
    "depends_on_unjudged": later("Depends on unjudged documents: counted otherwise, they change the verdict."),
}


def comparison_sentence(say: Say, comparison: Mapping[str, Any]) -> str:
    """Return what a comparison (a record of `result.json`) says, in one to three sentences."""
    verdict = str(comparison["verdict"])
    facts = {
        "challenger": strategy_name(say, str(comparison["challenger"])),
        "reference": strategy_name(say, str(comparison["reference"])),
        "measure": comparison["measure"],
        "delta": delta(comparison["delta"]),
        "interval": interval(comparison["ci_low"], comparison["ci_high"]),
        "margin": score(comparison["margin"]),
        "n": count(comparison["n_queries"]),
    }
    parts = [say(SENTENCES[verdict], **facts)]
    if comparison["negligible"]:
        parts.append(say(NEGLIGIBLE))
    if comparison.get("n_more_seeds") is not None:  # not in results of earlier versions
        parts.append(say(MORE_SEEDS, n=count(comparison["n_more_seeds"])))
    elif comparison["n_more_queries"] is not None:
        parts.append(say(MORE_QUERIES, n=count(comparison["n_more_queries"])))
    return say.joined(parts)


def reason_sentences(say: Say, comparison: Mapping[str, Any]) -> list[str]:
    """Return the reservations of a comparison."""
    return [name_of(say, REASONS, str(reason)) for reason in comparison["reasons"]]


def reservations(say: Say, comparison: Mapping[str, Any]) -> str:
    """Return the reservations of a comparison as one text, "" without any."""
    return say.joined(reason_sentences(say, comparison))


def verdict_name(say: Say, verdict: str) -> str:
    """Return a verdict as a word."""
    return name_of(say, VERDICTS, verdict)


def significance(say: Say, comparison: Mapping[str, Any]) -> str:
    """Return the p-value that decided, named: Holm-adjusted, seed-aware or plain."""
    adjusted = comparison["p_adjusted"]
    if adjusted is not None:
        shown = p_value(adjusted)
        return say("p {p} (Holm)", p=shown) if adjusted < 0.001 else say("p = {p} (Holm)", p=shown)
    raw = comparison["p_seed_aware"] if comparison["p_seed_aware"] is not None else comparison["p_t"]
    if raw is None:
        return ""
    return say("p = {p}", p=p_value(raw)) if raw >= 0.001 else say("p {p}", p=p_value(raw))


def significance_and_kind(say: Say, comparison: Mapping[str, Any]) -> str:
    """Return `significance`, with a remark where nobody asked before the experiment and nothing was corrected."""
    found = significance(say, comparison)
    if comparison["confirmatory"] or not found:
        return found
    remark = say("exploratory, not corrected")
    return f"{found} · {remark}"
