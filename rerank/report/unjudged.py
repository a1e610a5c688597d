"""Does an answer depend on documents that nobody judged, and which judgments would settle it?"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.evaluation.measures import by_document, cutoff_of, measured, scores_in_one_pass
from rerank.evaluation.unjudged import depth_of, judged_only, unjudged_among_first, with_assumed_grade
from rerank.report.comparisons import locked_pairs
from rerank.report.ran import Ran, StrategyRun
from rerank.report.stability import rules_of, tested_judgments
from rerank.stats.compare import Scores
from rerank.stats.comparison import Comparison
from rerank.stats.reasons import DEPENDS_ON_UNJUDGED
from rerank.stats.stability import answers

VIEWS = ("not_relevant", "left_out", "relevant")  # what an unjudged document counts as; the first is the main result
TEXT_CHARS = 2_000

Case = tuple[pd.DataFrame, pd.DataFrame]  # ranking, judgments


def unjudged_record(ran: Ran, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Return each strategy and each locked question under the three views, as it stands in `result.json`.

    relevant: the unjudged documents among the first ranks (`evaluation.unjudged.depth_of`) of the strategy, or of
    either side of the question, have the highest grade that was given, for both sides alike.
    """
    judgments = tested_judgments(ran)
    main = [found for found in comparisons if found.confirmatory]
    runs = {run.name: run for run in ran.runs}
    as_is = _scores(
        ran, [(run, [(run.rankings[seed], judgments) for seed in sorted(run.rankings)]) for run in ran.runs]
    )
    left_out = _scores(ran, [(run, _without(run, judgments)) for run in ran.runs])
    relevant = _scores(ran, [(run, _assumed(ran, judgments, run)[0]) for run in ran.runs])
    strategies = {}
    for run, *views in zip(ran.runs, as_is, left_out, relevant, strict=True):
        strategies[run.name] = {view: float(scores.values.mean()) for view, scores in zip(VIEWS, views, strict=True)}
    pairs = locked_pairs(ran)
    condensed = {scores.strategy: scores for scores in left_out}
    without = answers([(condensed[one], condensed[two]) for one, two in pairs], rules_of(ran.plan))
    sides = []
    for pair in pairs:
        both = [runs[name] for name in pair]
        sides += list(zip(both, _assumed(ran, judgments, *both), strict=True))
    assumed = _scores(ran, sides)
    with_all = answers(list(zip(assumed[::2], assumed[1::2], strict=True)), rules_of(ran.plan))
    records = []
    for found, dropped, assuming in zip(main, without, with_all, strict=True):
        records.append(
            {
                "reference": found.reference,
                "challenger": found.challenger,
                "n_unjudged": len(_of_sides(ran, judgments, (found.reference, found.challenger))),
                "flips": len({found.verdict, dropped.verdict, assuming.verdict}) > 1,
            }
            | {view: _short(item) for view, item in zip(VIEWS, (found, dropped, assuming), strict=True)}
        )
    return {
        "depth": depth_of(ran.plan.primary_measure),
        "assumed_grade": _highest(judgments),
        "strategies": strategies,
        "comparisons": records,
    }


def stamped(comparisons: Sequence[Comparison], record: Mapping[str, Any]) -> list[Comparison]:
    """Return the comparisons, those with a reservation whose verdict depends on unjudged documents."""
    flipping = {(item["reference"], item["challenger"]) for item in record["comparisons"] if item["flips"]}
    return [
        dataclasses.replace(found, reasons=(*found.reasons, DEPENDS_ON_UNJUDGED))
        if found.confirmatory and (found.reference, found.challenger) in flipping
        else found
        for found in comparisons
    ]


def judgments_to_settle(ran: Ran, record: Mapping[str, Any]) -> pd.DataFrame:
    """Return the pairs whose judgments would settle every verdict that depends on them, most influential first.

    Columns: query_id, doc_id, grade (empty, to be filled in), query, title, text, influence, and rank_<strategy>,
    its mean over seeds. influence: by how much the mean difference of such a comparison would change if this
    document alone had the highest grade.
    """
    judgments = tested_judgments(ran)
    grade = _highest(judgments)
    flipping = [item for item in record["comparisons"] if item["flips"]]
    parts = []
    for item in flipping:
        sides = (item["reference"], item["challenger"])
        pairs = _of_sides(ran, judgments, sides)
        parts.append(pairs.assign(influence=_influence(ran, judgments, pairs, sides, grade)))
    columns = ["query_id", "doc_id", "influence"]
    everything = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    largest = everything.groupby(["query_id", "doc_id"], sort=False)["influence"].max().reset_index()
    pairs = largest.sort_values(["influence", "query_id", "doc_id"], ascending=[False, True, True], ignore_index=True)
    queries = ran.dataset.queries.set_index("query_id")["text"]
    documents = ran.dataset.documents.set_index("doc_id")
    found = pd.DataFrame(
        {
            "query_id": pairs["query_id"],
            "doc_id": pairs["doc_id"],
            "grade": "",
            "query": [_cut(queries[query_id]) for query_id in pairs["query_id"]],
            "title": [_cut(documents.at[doc_id, "title"]) for doc_id in pairs["doc_id"]],
            "text": [_cut(documents.at[doc_id, "text"]) for doc_id in pairs["doc_id"]],
            "influence": pairs["influence"].astype(float).round(6),
        }
    )
    keys = pd.MultiIndex.from_frame(pairs[["query_id", "doc_id"]])
    for run in ran.runs:
        ranks = pd.concat(run.rankings.values(), ignore_index=True).groupby(["query_id", "doc_id"])["rank"].mean()
        found[f"rank_{run.name}"] = ranks.reindex(keys).round(1).to_numpy()
    return found


def _cut(text: object) -> str:
    shown = str(text)
    return shown if len(shown) <= TEXT_CHARS else shown[: TEXT_CHARS - 1] + "…"


def _highest(judgments: pd.DataFrame) -> int:
    return int(judgments["grade"].max())


def _unjudged(ran: Ran, judgments: pd.DataFrame, rankings: Iterable[pd.DataFrame]) -> pd.DataFrame:
    return unjudged_among_first(rankings, judgments, depth_of(ran.plan.primary_measure))


def _of_sides(ran: Ran, judgments: pd.DataFrame, pair: tuple[str, str]) -> pd.DataFrame:
    """Return the unjudged documents of both sides and all seeds."""
    rankings = [ranking for run in ran.runs if run.name in pair for ranking in run.rankings.values()]
    return _unjudged(ran, judgments, rankings)


def _without(run: StrategyRun, judgments: pd.DataFrame) -> list[Case]:
    """Return a strategy's rankings by seed without what nobody judged."""
    return [(judged_only(run.rankings[seed], judgments), judgments) for seed in sorted(run.rankings)]


def _assumed(ran: Ran, judgments: pd.DataFrame, *together: StrategyRun) -> list[list[Case]]:
    """Return the rankings of strategies that are looked at together, by seed, with the unjudged ones relevant.

    Seed by seed: more seeds show more documents, which must not count against a strategy. An untrained side
    stands beside every seed of the other.
    """
    by_seed = [[run.rankings[seed] for seed in sorted(run.rankings)] for run in together]
    n_seeds = max(map(len, by_seed))
    cases: list[list[Case]] = [[] for _ in together]
    for place in range(n_seeds):
        rankings = [seeds[min(place, len(seeds) - 1)] for seeds in by_seed]
        given = with_assumed_grade(judgments, _unjudged(ran, judgments, rankings), _highest(judgments))
        for mine, ranking in zip(cases, rankings, strict=True):
            mine.append((ranking, given))
    return cases


def _scores(ran: Ran, wanted: Sequence[tuple[StrategyRun, Sequence[Case]]]) -> list[Scores]:
    """Return the KPI of strategies, each with its cases as rows, all in one pass."""
    plan = ran.plan
    cases = [case for _, mine in wanted for case in mine]
    if not cases:
        return []
    values = iter(scores_in_one_pass(cases, ran.test_queries, plan.primary_measure, plan.relevant_grade))
    return [
        Scores(
            run.name,
            ran.test_queries,
            np.stack([next(values) for _ in mine]),
            ran.candidates_digest,
            trained=run.is_trained,
        )
        for run, mine in wanted
    ]


def _influence(
    ran: Ran, judgments: pd.DataFrame, pairs: pd.DataFrame, sides: tuple[str, str], grade: int
) -> NDArray[np.float64]:
    """Return for each pair by how much the mean difference changes when it alone has the grade."""
    plan, runs = ran.plan, {run.name: run for run in ran.runs}
    depth = cutoff_of(plan.primary_measure)
    graded = by_document(judgments, "grade")
    signed = [  # the mean over seeds of each side, the reference's subtracted
        (sign / len(runs[name].rankings), by_document(ranking[ranking["rank"] <= (depth or np.inf)], "score"))
        for sign, name in zip((-1.0, 1.0), sides, strict=True)
        for ranking in runs[name].rankings.values()
    ]
    rows = list(zip(pairs["query_id"], pairs["doc_id"], strict=True))
    change = np.zeros(len(pairs))
    for weight, scores in signed:
        lists = [(scores.get(query_id, {}), graded[query_id] | {doc_id: grade}) for query_id, doc_id in rows]
        lists += [(scores.get(query_id, {}), graded[query_id]) for query_id, _ in rows]
        after, before = measured(lists, plan.primary_measure, plan.relevant_grade).reshape(2, len(rows))
        change += weight * (after - before)
    return np.abs(change) / len(ran.test_queries)


def _short(found: Comparison) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("delta", "ci_low", "ci_high", "verdict")}
