"""What a teacher says: scores of candidates, and of the unlabelled queries that distillation learns from besides."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.audit.answers import Extras
from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.evaluation.fusion import standardised
from rerank.intake.dataset import Dataset
from rerank.planning.graph import distils
from rerank.planning.losses import holds_only_ranks
from rerank.planning.plan import LANGUAGE_MODELS, LOCAL_MODELS
from rerank.retrieval.candidates import Scorer, scorer_of, search_identity, top
from rerank.retrieval.unlabelled import UnlabelledQuery
from rerank.store.artefacts import read_or_none, read_parquet, write_parquet
from rerank.store.home import room
from rerank.worker.asking import Asked, ask_language_model
from rerank.worker.first_stage import Similarities
from rerank.worker.local_teacher import LocalTeacher
from rerank.worker.tasks import judged_tasks, unlabelled_tasks
from rerank.worker.workbench import Workbench

ASKED = (*LANGUAGE_MODELS, *LOCAL_MODELS)  # teachers whose word costs something
PairScores = Mapping[tuple[str, str], float]
_KEY = ["query_id", "doc_id"]


@dataclass(frozen=True)
class Teaching:
    """A teacher's scores by (query, document), the candidates of unlabelled queries, and the digest of both.

    A teacher that gives orderings has the negated rank for a score. similarities: the encoder's, of every candidate
    and every judged document, for finding false negatives. asked: what a paid teacher was asked and what it cost.
    local: a larger model on this device, with what it scored and that it took. extras: what the teacher's protocol
    tells an audit besides.
    """

    scores: PairScores
    digest: str
    unlabelled: pd.DataFrame  # query_id, doc_id, rank
    similarities: PairScores
    asked: Asked | None = None
    local: LocalTeacher | None = None
    scored: pd.DataFrame | None = None  # what `LocalTeacher.score` returns
    extras: Extras = field(default_factory=Extras)

    @property
    def local_record(self) -> dict[str, Any] | None:
        """Return what the result says about a local teacher, None without one."""
        if self.local is None or self.scored is None:
            return None
        return self.local.record(self.scored)


def teaching_of(
    bench: Workbench, names: Sequence[str], embedding: NDArray[np.float64], similarities: Similarities
) -> Teaching:
    """Return what the plan's teacher says about judged queries: all that its audit looks at.

    embedding: the encoder's similarity of every candidate. names: the strategies that will be trained; a teacher
    that costs something is asked only when one of them distils.
    Raises RerankError `no_teacher_scores`, what `ask_language_model` and what `LocalTeacher` raise.
    """
    near = _by_pair(bench.candidates, embedding) | _judged_similarities(bench, similarities)
    plan = bench.plan
    if not distils(names if plan.teacher in ASKED else plan.strategies):
        return Teaching({}, "", _nothing(), near)
    kind = plan.teacher
    if kind in LANGUAGE_MODELS:
        asked = ask_language_model(bench, judged_tasks(bench), len(bench.unlabelled))
        extras = _extras(bench, asked)
        return Teaching(asked.scores, _digest(bench, asked.scores), _nothing(), near, asked=asked, extras=extras)
    if kind in LOCAL_MODELS:
        local = LocalTeacher(bench)
        scored = local.score(judged_tasks(bench))
        scores = _by_pair(scored, scored["score"].to_numpy(dtype=np.float64))
        return Teaching(
            scores,
            _digest(bench, scores, local),
            _nothing(),
            near,
            local=local,
            scored=scored,
            extras=Extras(model=local.source.name, n_asked=int(scored["query_id"].nunique()), usd=local.usd(scored)),
        )
    extras = Extras()
    if kind == "uploaded":
        if bench.dataset.teacher_scores is None:
            raise RerankError("no_teacher_scores", dataset=bench.dataset.name)
        uploaded = bench.dataset.teacher_scores
        scores = _by_pair(uploaded, uploaded["score"].to_numpy(dtype=np.float64))
        extras = Extras(kind="order" if holds_only_ranks(uploaded) else "scores")
    else:
        own = bench.candidates.assign(similarity=embedding)
        scores = _by_pair(own, _free_teacher(own, kind))
    return Teaching(scores, _digest(bench, scores), _nothing(), near, extras=extras)


def with_unlabelled(bench: Workbench, names: Sequence[str], teaching: Teaching, similarities: Similarities) -> Teaching:
    """Return the whole teaching: with what the teacher says about unlabelled queries, which its audit does not need.

    names: the strategies that will be trained after the gate: where none of them distils nothing more is asked.
    """
    if not bench.unlabelled or not distils(names):
        return teaching
    kind = bench.plan.teacher
    more = _unlabelled(bench, similarities)
    found = dataclasses.replace(teaching, unlabelled=more)
    if kind in LANGUAGE_MODELS and teaching.asked is not None:
        later = ask_language_model(bench, unlabelled_tasks(bench, more), before=teaching.asked)
        found = dataclasses.replace(found, asked=later, scores=later.scores)
    elif kind in LOCAL_MODELS and teaching.local is not None:
        scored = teaching.local.score(unlabelled_tasks(bench, more))
        scores = _by_pair(scored, scored["score"].to_numpy(dtype=np.float64))
        whole = pd.concat([teaching.scored, scored], ignore_index=True)
        found = dataclasses.replace(found, scored=whole, scores=dict(teaching.scores) | scores)
    elif kind != "uploaded":
        found = dataclasses.replace(found, scores=dict(teaching.scores) | _by_pair(more, _free_teacher(more, kind)))
    return dataclasses.replace(found, digest=_digest(bench, found.scores, teaching.local, with_more=True))


def _digest(bench: Workbench, scores: PairScores, local: LocalTeacher | None = None, *, with_more: bool = False) -> str:
    kind = bench.plan.teacher
    identity: list[object]
    if kind == "uploaded":
        identity = ["uploaded", bench.dataset.digest]
    elif kind in LANGUAGE_MODELS:
        # Answers themselves, not what was asked: an endpoint's model can change under its name.
        identity = [kind, sorted([*pair, score] for pair, score in scores.items())]
    elif local is not None:
        identity = [local.identity, bench.candidates_digest, bench.plan.local_teacher.depth]
    else:
        identity = [kind, bench.candidates_digest, bench.device.numerics()]
    if with_more:
        searched = search_identity(bench.plan.first_stage.searched_with)
        identity.append([bench.plan.unlabelled.source, [item.query_id for item in bench.unlabelled], searched])
    return digest_of(identity)


def _extras(bench: Workbench, asked: Asked) -> Extras:
    """Return what asking a language model tells an audit besides the answers.

    Malformed is what had to be repaired and what could not be. Its grades need not be the judgments' ones. What was
    asked for the audit alone is no part of what the teacher costs and of what it got wrong.
    """
    record, rounds = asked.record, asked.rounds
    again = None
    if len(rounds):
        asked_how = np.where(rounds["round"] == 0, "first", np.where(rounds["is_shuffled"], "shuffled", "repeated"))
        again = rounds[[*_KEY, "round", "score", "position"]].assign(asked=asked_how)
    n_answers = int(record["n_answers"]) - int(record["n_check_answers"])
    return Extras(
        kind="order" if bench.plan.teacher == "llm-listwise" else "scores",
        again=again,
        n_answers=n_answers,
        n_malformed=min(n_answers, int(record["n_repaired"]) + int(record["n_failed"])),
        n_asked=int(record["n_queries"]),
        n_tokens=round(record["prompt_tokens"] + record["completion_tokens"] - record["check_tokens"]),
        usd=float(record["usd"]) - float(record["check_usd"]),
        model=str(record["model"]),
        probed=asked.probed if len(asked.probed) else None,
    )


def _nothing() -> pd.DataFrame:
    return pd.DataFrame({"query_id": [], "doc_id": [], "rank": [], "score": [], "similarity": []})


def _by_pair(frame: pd.DataFrame, scores: NDArray[np.float64]) -> dict[tuple[str, str], float]:
    pairs = zip(frame["query_id"], frame["doc_id"], scores, strict=True)
    return {(str(query), str(doc)): float(score) for query, doc, score in pairs}


def _free_teacher(rows: pd.DataFrame, kind: str) -> NDArray[np.float64]:
    """Return the embedding's similarities, or their even mixture with the first stage's scores, per query."""
    similar = rows["similarity"].to_numpy(dtype=np.float64)
    if kind == "embedding":
        return similar
    names = list(rows["query_id"])
    return standardised(similar, names) + standardised(rows["score"].to_numpy(dtype=np.float64), names)


def _judged_similarities(bench: Workbench, similarities: Similarities) -> dict[tuple[str, str], float]:
    """Return the encoder's similarity of relevant documents where the first stage found none of a query's.

    One found document is yardstick enough for false negatives; a dense judgment set has thousands of others.
    """
    if not bench.plan.contrastive.false_negative_share:
        return {}
    judgments, plan = bench.dataset.judgments, bench.plan
    rows = judgments.loc[judgments["grade"] >= plan.relevant_grade, _KEY]
    rows = rows[rows["query_id"].isin(set(bench.candidates["query_id"]))]
    rows = rows[rows["doc_id"].isin(set(bench.dataset.documents["doc_id"]))]
    rows = rows.merge(bench.candidates[_KEY].assign(is_known=1), on=_KEY, how="left")
    found = set(rows.loc[rows["is_known"].notna(), "query_id"])
    rows = rows.loc[~rows["query_id"].isin(found), _KEY].reset_index(drop=True)
    if rows.empty:
        return {}
    queries, documents = bench.texts(set(rows["query_id"]), set(rows["doc_id"]))
    return _by_pair(rows, similarities.of_texts(queries, documents, rows))


def _unlabelled(bench: Workbench, similarities: Similarities) -> pd.DataFrame:
    """Return the candidates of the unlabelled queries with first-stage scores and similarities.

    A pseudo-query is searched for as if somebody had asked it. Its own document is among its candidates, without
    the words that the query was taken from.
    """
    plan, dataset = bench.plan, bench.dataset
    first = plan.first_stage
    digest = digest_of(
        {
            "dataset": dataset.digest,
            "first_stage": [first.kind, first.depth],
            "queries": [[item.query_id, item.text, item.rest] for item in bench.unlabelled],
            "teacher": plan.teacher,
            "encoder": similarities.identity,
            "words": search_identity(first.searched_with),
        }
    )
    path = room("candidates") / f"{digest}.parquet"
    rests = {item.rest_id: item.rest for item in bench.unlabelled if item.is_pseudo}
    found = read_or_none(read_parquet, path)
    if found is None:
        bench.reporter.progress(phase="unlabelled")
        found = _search(bench, dataset, similarities)
        queries, documents = bench.texts((), set(found["doc_id"]) - set(rests))
        queries |= {item.query_id: item.text for item in bench.unlabelled}
        if plan.teacher in ("embedding", "fusion"):
            found = found.assign(similarity=similarities.of_texts(queries, documents | rests, found))
        else:  # another teacher has its own opinion
            found = found.assign(similarity=0.0)
        write_parquet(path, found)
    return found


def _search(bench: Workbench, dataset: Dataset, similarities: Similarities) -> pd.DataFrame:
    plan = bench.plan
    depth = plan.first_stage.depth
    if plan.teacher == "uploaded":
        names = {item.query_id for item in bench.unlabelled}
        scored = dataset.teacher_scores
        if scored is None:
            raise RerankError("no_teacher_scores", dataset=dataset.name)
        rows = scored[scored["query_id"].isin(names)].sort_values(["query_id", "score"], ascending=[True, False])
        rows = rows[rows["doc_id"].isin(set(dataset.documents["doc_id"]))].groupby("query_id").head(depth)
        return rows.assign(rank=rows.groupby("query_id").cumcount() + 1).reset_index(drop=True)[
            [*_KEY, "rank", "score"]
        ]
    kind = plan.first_stage.searched_with
    search = scorer_of(kind, dataset, similarities.scorer() if kind in ("embedding", "rrf") else None)
    place = {str(doc_id): position for position, doc_id in enumerate(dataset.documents["doc_id"])}
    doc_ids = dataset.documents["doc_id"].to_numpy()
    frames = []
    for item in bench.unlabelled:
        frames.append(_candidates_of(item, search, doc_ids, place, depth))
        bench.meter.did()  # a chance to stop
    return pd.concat(frames, ignore_index=True)


def _candidates_of(
    item: UnlabelledQuery, search: Scorer, doc_ids: NDArray[np.object_], place: Mapping[str, int], depth: int
) -> pd.DataFrame:
    scores = search(item.text)
    chosen = list(top(scores, depth))
    names = [str(doc_ids[position]) for position in chosen]
    if item.is_pseudo:
        own = place[item.doc_id]
        if item.doc_id not in names:
            chosen, names = [*chosen[: depth - 1], own], [*names[: depth - 1], item.doc_id]
        names = [item.rest_id if name == item.doc_id else name for name in names]
    return pd.DataFrame(
        {
            "query_id": item.query_id,
            "doc_id": names,
            "rank": np.arange(1, len(names) + 1),
            "score": scores[chosen].astype(np.float64),
        }
    )
