"""What a teacher was asked and what that cost, money or device time, in sentences."""

from collections.abc import Mapping
from typing import Any

from rerank.cost.teachers import is_unpriced
from rerank.wording.language import Say
from rerank.wording.numbers import count, duration, share, usd

LOW_ANSWER_SHARE = 0.5  # of probability on yes and no: below it the model mostly says something else


def asked_sentences(say: Say, result: Mapping[str, Any]) -> list[str]:
    """Return what asking the teacher came to: questions, money against its prediction, what could not be used."""
    found = result.get("asked_teacher")
    if found is None:
        return [*local_teacher_sentences(say, result), *_uploaded_sentences(say, result)]
    sentences = [
        say(
            "The teacher {model} answered {n} questions about {queries} queries for {usd}; predicted were {first} before the first question and {predicted} before the last ones.",
            model=found["model"],
            n=count(found["n_answers"]),
            queries=count(found["n_queries"]),
            usd=usd(found["usd"]),
            first=usd(found["usd_first_predicted"]),
            predicted=usd(found["usd_predicted"]),
        )
    ]
    if found["n_repaired"] or found["n_failed"]:
        sentences.append(
            say(
                "{repaired} of its answers had to be mended, {failed} could not be used; {queries} queries are not taught.",
                repaired=count(found["n_repaired"]),
                failed=count(found["n_failed"]),
                queries=count(found["n_queries_without_answer"]),
            )
        )
    if found["usd_unconfirmed"] > 0:
        sentences.append(
            say(
                "Attempts without an answer may stand on the bill with about {usd} more.",
                usd=usd(found["usd_unconfirmed"]),
            )
        )
    if found["n_without_usage"]:
        sentences.append(
            say("The endpoint did not count the tokens of {n} answers: they are predicted.", n=found["n_without_usage"])
        )
    return sentences


def _uploaded_sentences(say: Say, result: Mapping[str, Any]) -> list[str]:
    """Return that an uploaded teacher's price is not known here, where a strategy learnt from it."""
    if not any(is_unpriced(result, name) for name in result["strategies"]):
        return []
    return [
        say(
            "What the uploaded teacher's scores cost is not known here: it counts only as you state it among the "
            "assumptions (teacher_cost)."
        )
    ]


def local_teacher_sentences(say: Say, result: Mapping[str, Any]) -> list[str]:
    """Return what a larger model on this machine scored, how long that took, and what it could not read or answer."""
    found = result.get("local_teacher")
    if found is None:
        return []
    sentences = [
        say(
            "The teacher {model} scored {pairs} documents of {queries} queries in {time} of this device; {cut} of them were too long for it and were cut.",
            model=found["model"],
            pairs=count(found["n_pairs"]),
            queries=count(found["n_queries"]),
            time=duration(found["device_seconds"], say),
            cut=count(found["n_truncated_pairs"]),
        )
    ]
    answered = found["answer_share"]
    if answered is not None and answered < LOW_ANSWER_SHARE:
        sentences.append(
            say(
                "It gives yes and no only {share} of its probability: it would rather say something else, and its scores may mean little.",
                share=share(answered),
            )
        )
    return sentences
