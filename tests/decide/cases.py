"""What a decision may rest on: single findings, and every combination of them."""

import dataclasses
from itertools import product
from typing import get_args

from rerank.decide.evidence import Evidence
from rerank.stats.comparison import Comparison, Verdict
from tests.seeded import compared

NUMBERS = {"n_queries": 60, "sd_queries": 0.12, "se": 0.0155, "df": 59.0, "margin": 0.02}
EMPTY = {field.name: None for field in dataclasses.fields(Comparison)}
SIGN = {"better": 0.05, "worse": -0.05, "not_worse": 0.03, "inconclusive": 0.01}


def found(verdict: Verdict, reference: str = "first-stage", challenger: str = "C", **changes: object) -> Comparison:
    """Return a comparison with this verdict and only the numbers that a decision reads."""
    facts: dict[str, object] = {
        **EMPTY,
        **NUMBERS,
        "reference": reference,
        "challenger": challenger,
        "measure": "nDCG@10",
        "confirmatory": True,
        "delta": None if verdict == "not_comparable" else SIGN.get(verdict, 0.0),
        "verdict": verdict,
        "negligible": False,
        "reasons": (),
    }
    return Comparison(**{**facts, **changes})  # type: ignore[arg-type]


def evidence(**changes: object) -> Evidence:
    start = Evidence(
        blocking_findings=(),
        oracle_delta=0.3,
        margin=0.02,
        single=found("better"),
        free_baselines=(),
        free_against_single=(),
        second=None,
        distillation_wanted=True,
        teacher_audit="green",
    )
    return dataclasses.replace(start, **changes)  # type: ignore[arg-type]


FREE = found("better", challenger="embedding", delta=0.04)
HIDDEN = compared((0.03, 0.08))  # by training luck; more seeds are as likely as not to show a gain
SECOND = found("better", "C", "C-then-D", delta=0.03)


def _shapes(reference: str, challenger: str) -> list[Comparison | None]:
    """Return every kind of finding: verdicts, negligible ones, with and without a realistic number, luck."""
    plain = [found(verdict, reference, challenger) for verdict in get_args(Verdict)]
    return [
        None,
        *plain,
        found("better", reference, challenger, negligible=True),
        found("better", reference, challenger, reasons=("luck_unknown",)),
        found("worse", reference, challenger, reasons=("luck_unknown",)),
        found("inconclusive", reference, challenger, n_more_queries=30, reasons=("luck_unknown",)),
        found("inconclusive", reference, challenger, n_more_seeds=2),
        dataclasses.replace(HIDDEN, reference=reference, challenger=challenger),
        found("not_comparable", reference, challenger, reasons=("too_few_queries",)),
    ]


def every_evidence() -> list[Evidence]:
    free = [(), (found("equivalent", challenger="embedding"),), (FREE,)]
    against = [(), *((found(verdict, "embedding"),) for verdict in ("better", "inconclusive", "equivalent", "worse"))]
    cases = [evidence(blocking_findings=("x",)), evidence(oracle_delta=0.01)]
    cases += [
        evidence(single=single, teacher_audit="red", distillation_blocked=True) for single in (found("better"), None)
    ]
    for single, second, baselines, pairs, audit, planned in product(
        _shapes("first-stage", "C"),
        _shapes("C", "C-then-D"),
        free,
        against,
        ("red", "amber", None),
        (True, False),
    ):
        cases.append(
            evidence(
                single=single,
                second=second,
                free_baselines=baselines,
                free_against_single=pairs,
                teacher_audit=audit,
                second_planned=planned,
                net_usd={("C", "C-then-D"): -1.0} if planned else {},
            )
        )
    dear = {("first-stage", "C"): -1.0}
    cases += [evidence(net_usd=dear, free_baselines=baselines) for baselines in free]
    cases.append(evidence(net_usd={**dear, ("first-stage", "embedding"): -1.0}, free_baselines=(FREE,)))
    cases += [evidence(second=SECOND, second_against_longer=found_) for found_ in _shapes("C-long", "C-then-D")]
    return cases + guarded(free) + carried(free, against)


def carried(free: list[tuple[Comparison, ...]], against: list[tuple[Comparison, ...]]) -> list[Evidence]:
    """Everything that two stages can meet which are better than the first stage, and perhaps than what is free."""
    beaten = (found("better", challenger="C-then-D"), found("better", "embedding", "C-then-D"))
    singles = [single for single in _shapes("first-stage", "C") if single is not None]
    return [
        evidence(
            single=single,
            second=SECOND,
            free_baselines=baselines,
            free_against_single=pairs,
            second_against_untrained=two,
        )
        for single, baselines, pairs, two in product(singles, free, against, (beaten, beaten[:1], ()))
    ]


def guarded(free: list[tuple[Comparison, ...]]) -> list[Evidence]:
    """Everything that a broken guardrail or the question "label or distil?" can meet."""
    broken = [dict.fromkeys(names, ("min_recall",)) for names in ((), ("C",), ("C", "embedding"), ("C-then-D",))]
    signals = [None, *(found(verdict, "C", "D") for verdict in get_args(Verdict))]
    singles = _shapes("first-stage", "C")
    return [
        evidence(single=single, second=second, free_baselines=baselines, broken=breaks, signal=signal)
        for single, second, baselines, breaks, signal in product(singles, (None, SECOND), free, broken, signals)
    ]
