"""What a sample holds, as far as it limits what can be said with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import pandas as pd

from rerank.adequacy.lists import DEPTH, Lists
from rerank.intake.agreement import MIN_SHARED_PAIRS, agreement_of
from rerank.intake.dataset import Dataset
from rerank.intake.findings import Finding
from rerank.intake.pairs import KEY
from rerank.planning.plan import Plan
from rerank.planning.power import minimum_detectable_effect, spreads
from rerank.planning.splits import alike_queries, evaluable_queries

LANGUAGE_CODES = ("japanese_text", "other_script", "languages_differ")


@dataclass(frozen=True)
class Judged:
    """Share (0-1) of a system's first ten that is judged, over how many documents and how many usable queries."""

    system: str
    share: float
    n_pairs: int
    n_queries: int


@dataclass(frozen=True)
class Segment:
    """A segment: its usable queries and the smallest gain over the first stage that they would show."""

    name: str
    n_queries: int
    detectable: float


@dataclass(frozen=True)
class Repeats:
    """Usable queries that are nearly the same as others.

    n_groups: how many different ones there are. n_divided: queries in chains too long to be kept together.
    """

    n_groups: int
    largest: int
    n_divided: int


@dataclass(frozen=True)
class Raters:
    """Krippendorff's alpha of the ratings, and on how many pairs it stands."""

    alpha: float
    n_raters: int
    n_pairs: int


@dataclass(frozen=True)
class Sample:
    """The figures behind the answer.

    n_usable: queries with a relevant document, all of which a standard plan tests. n_train: how many of them train in
    each part of it. sd_first, sd_between: spread of per-query differences to the first stage and between two
    re-rankers, in units of `measure`; from_pilot tells whether the first one was measured. detectable_first,
    detectable_between: smallest true difference that is found with 80 %. half_width: of the 95 % interval of a
    difference to the first stage. relevant_share: of the judgments (0-1). n_one_grade: usable queries whose judgments
    all have one grade. language: the code of a finding, or "" when the embedded model fits; models: what fits instead.
    one_search: nearly everything judged comes from the uploaded run.
    """

    measure: str
    n_queries: int
    n_without_judgments: int
    n_without_relevant: int
    n_usable: int
    n_train: int
    n_judgments: int
    sd_first: float
    sd_between: float
    from_pilot: bool
    alpha: float
    margin: float
    n_questions: int
    detectable_first: float
    detectable_between: float
    half_width: float
    judged: tuple[Judged, ...]
    grades: Mapping[str, int]
    relevant_share: float
    n_one_grade: int
    segments: tuple[Segment, ...]
    repeats: Repeats
    raters: Raters | None
    implicit: bool
    one_search: bool
    language: str
    models: tuple[str, ...]


def sample_of(
    dataset: Dataset,
    findings: Sequence[Finding],
    lists: Lists,
    plan: Plan,
    *,
    n_questions: int,
    pilot_sd: float | None = None,
) -> Sample:
    """Measure a dataset against a plan's KPI, margin and division; nothing is searched or trained here.

    lists: as `lists.first_ten` returns them. n_questions: confirmatory questions that share α. pilot_sd: spread of
    per-query differences to the first stage, where a pilot measured it.
    """
    judgments = dataset.judgments
    usable = evaluable_queries(dataset, plan)
    judged = set(judgments["query_id"])
    sd_first, sd_between = spreads(pilot_sd)
    n = len(usable)

    def detectable(n_queries: int, sd: float) -> float:
        return minimum_detectable_effect(n_queries, sd, alpha=plan.alpha, comparisons=n_questions)

    of_usable = judgments[judgments["query_id"].isin(set(usable))]
    grades = judgments["grade"].value_counts().sort_index()
    groups = alike_queries(dataset, usable)
    codes = {finding.code: finding for finding in findings}
    language = next((code for code in LANGUAGE_CODES if code in codes), "")
    models = codes[language].facts.get("models", ()) if language else ()
    return Sample(
        measure=plan.primary_measure,
        n_queries=len(dataset.queries),
        n_without_judgments=int((~dataset.queries["query_id"].isin(judged)).sum()),
        n_without_relevant=len(judged & set(dataset.queries["query_id"])) - n,
        n_usable=n,
        n_train=round(n * (1 - 1 / plan.split.folds) * (1 - plan.split.dev_share)),
        n_judgments=len(judgments),
        sd_first=sd_first,
        sd_between=sd_between,
        from_pilot=bool(pilot_sd),
        alpha=plan.alpha,
        margin=plan.margin,
        n_questions=n_questions,
        detectable_first=detectable(n, sd_first),
        detectable_between=detectable(n, sd_between),
        half_width=NormalDist().inv_cdf(0.975) * sd_first / n**0.5 if n else float("inf"),
        judged=_judged(lists, usable, judgments),
        grades={str(grade): int(count) for grade, count in grades.items()},
        relevant_share=float((judgments["grade"] >= plan.relevant_grade).mean()) if len(judgments) else 0.0,
        n_one_grade=int((of_usable.groupby("query_id")["grade"].nunique() == 1).sum()),
        segments=_segments(dataset, usable, lambda size: detectable(size, sd_first)),
        repeats=Repeats(len(groups.places), groups.largest, groups.n_divided),
        raters=_raters(dataset),
        implicit="judgments_implicit" in codes,
        one_search="pool_of_one_search" in codes,
        language=language,
        models=tuple(str(name) for name in models) if isinstance(models, (list, tuple)) else (),
    )


def _judged(lists: Lists, usable: Sequence[str], judgments: pd.DataFrame) -> tuple[Judged, ...]:
    known = pd.MultiIndex.from_frame(judgments[KEY])
    found = []
    for system, frame in lists.items():
        rows = frame[frame["query_id"].isin(set(usable)) & (frame["rank"] <= DEPTH)]
        if len(rows):
            share = float(pd.MultiIndex.from_frame(rows[KEY]).isin(known).mean())
            found.append(Judged(system, share, len(rows), rows["query_id"].nunique()))
    return tuple(found)


def _segments(dataset: Dataset, usable: Sequence[str], detectable: Callable[[int], float]) -> tuple[Segment, ...]:
    names = dataset.queries.loc[dataset.queries["query_id"].isin(set(usable)), "segment"]
    counts = names[names != ""].value_counts()
    return tuple(Segment(str(name), int(size), detectable(int(size))) for name, size in counts.items())


def _raters(dataset: Dataset) -> Raters | None:
    ratings = dataset.ratings
    if ratings is None or ratings.empty or ratings["rater"].nunique() < 2:
        return None
    n_pairs = int((ratings.groupby(KEY)["rater"].nunique() >= 2).sum())
    alpha = agreement_of(ratings) if n_pairs >= MIN_SHARED_PAIRS else None
    return None if alpha is None else Raters(alpha, int(ratings["rater"].nunique()), n_pairs)
