"""Whether a sample is good enough, in words: the answer, its reasons, what to do, and the tables beside it."""

from collections.abc import Mapping

import pandas as pd

from rerank.adequacy.answer import MATERIAL, NOTICEABLE, Answer, Said
from rerank.adequacy.sample import Judged, Sample
from rerank.stats.compare import MIN_QUERIES
from rerank.wording.language import Say, later
from rerank.wording.names import name_of
from rerank.wording.numbers import count, score, share

ANSWERS: Mapping[str, str] = {
    "enough": later("Enough: this sample can show whether re-ranking pays."),
    "large_effects_only": later("Enough for a large effect only."),
    "not_enough": later("Not enough: with this sample a real gain would probably be missed."),
}
REASONS: Mapping[str, str] = {
    "no_judgments": later("Nobody has judged anything yet, so nothing can be measured."),
    "too_few_queries": later(
        "Only {n} queries have a relevant document; below {minimum} no comparison is possible at all."
    ),
    "gain_must_be_material": later(
        "{n} queries show a gain over today's search of {detectable} {measure} or more; smaller ones, which are the usual ones, would be missed. Whatever comes out will be uncertain by about ± {half_width}."
    ),
    "gain_must_be_large": later(
        "{n} queries show a gain over today's search of {detectable} {measure} or more; a smaller one would probably be missed. Whatever comes out will be uncertain by about ± {half_width}."
    ),
    "few_judged_at_depth": later(
        "Of the first {depth} results of {system} only {judged_share} are judged. The others count as not relevant, so that a model that brings up good documents may look bad."
    ),
    "raters_disagree": later(
        "{n_raters} raters agree poorly (Krippendorff's alpha {alpha}, at least {minimum} is wanted): the grades themselves are uncertain."
    ),
    "implicit_judgments": later(
        "The judgments were made from clicks. They show what was shown and clicked; nobody has judged."
    ),
    "queries_repeat": later(
        "Of the {n} queries only {n_groups} are really different. Counted once, they show a gain of {detectable} {measure} or more."
    ),
    "strategies_hard_to_part": later(
        "Two trained models are told apart only when they differ by {detectable} {measure} or more; the margin δ is {margin}."
    ),
    "only_one_search_judged": later(
        "Nearly everything that is judged comes from today's search: what another order brings up was mostly never judged."
    ),
    "judgments_one_sided": later(
        "{relevant_share} of the judgments say “relevant”. Hardly anything was judged as not relevant; unjudged documents stand in for that."
    ),
    "small_segments": later(
        "Too few queries to say anything about them alone (fewer than {minimum}): {segments}. They count in the whole."
    ),
    "chains_divided": later(
        "{n} queries are so much alike that they could not all be kept in one part (the largest group has {largest}). Results may look a little too good."
    ),
    "language": later("The embedded model does not know the language of these texts."),
}
STEPS: Mapping[str, str] = {
    "judge_log_queries": later(
        "Judge the first ten results of {n} queries that are in the sample and have no judgments (they are in the list to judge). {n_more} more usable queries make a gain of {noticeable} visible."
    ),
    "find_new_queries": later(
        "Add {n} more queries from your search log with judgments of their first ten results, until a gain of {noticeable} is visible."
    ),
    "judge_deeper": later(
        "Look for a relevant document for {n} queries that are judged and have none (the list to judge names the next candidates)."
    ),
    "agree_on_grades": later(
        "Let the raters discuss pairs on which they differ, sharpen the guideline and judge these again."
    ),
    "ask_people": later("Let people judge a part of the pairs and compare with the clicks."),
    "judge_first_ten": later(
        "Judge {n} more documents among the first {depth} of {system}, from the top of the list to judge, until half of them are judged."
    ),
    "choose_model": later("In the plan, choose a base model that knows the language, such as {models}."),
    "make_plan": later("Make a plan and start."),
}
SYSTEMS: Mapping[str, str] = {
    "run": later("your own search"),
    "bm25": later("BM25 (search by words)"),
    "embedding": later("the embedding"),
}
WHYS: Mapping[str, str] = {
    "new_query": later("new query"),
    "no_relevant_yet": later("no relevant document yet"),
    "unjudged_on_top": later("unjudged near the top"),
}


def answer_sentence(say: Say, answer: Answer) -> str:
    """Return the overall answer."""
    return say(ANSWERS[answer.code])


def headline_sentence(say: Say, sample: Sample) -> str:
    """Return what the sample can show, whatever the answer is."""
    if not sample.n_usable:
        return say("No query has a relevant document yet.")
    return say(
        "{n} queries can be used. A gain over today's search of {detectable} {measure} or more would be found in four of five cases; the result will be uncertain by about ± {half_width}.",
        n=count(sample.n_usable),
        detectable=score(sample.detectable_first),
        measure=sample.measure,
        half_width=score(sample.half_width),
    )


def said_sentence(say: Say, said: Said, sample: Sample) -> str:
    """Return a reason or a step as a sentence."""
    sentence = REASONS.get(said.code) or STEPS[said.code]
    facts: dict[str, object] = {"measure": sample.measure, "noticeable": score(NOTICEABLE)}
    for name, value in said.facts.items():
        facts[name] = _in_words(say, name, value)
    return say(sentence).format_map(facts)


def _in_words(say: Say, name: str, value: object) -> object:
    if name == "system":
        return name_of(say, SYSTEMS, str(value))
    if name.endswith("_share") and isinstance(value, float):
        return share(value)
    if name in ("alpha", "minimum") and isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, float):
        return score(value)
    if isinstance(value, int):
        return count(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) or say("(none)") for item in value)
    return value


def basis_sentence(say: Say, sample: Sample) -> str:
    """Return what the figures rest on."""
    facts = {
        "alpha": sample.alpha,
        "n": sample.n_questions,
        "first": score(sample.sd_first),
        "second": score(sample.sd_between),
        "noticeable": score(NOTICEABLE),
        "material": score(MATERIAL),
    }
    where = (
        say("The spread of the differences to the first stage, {first}, is from a pilot on this dataset.", **facts)
        if sample.from_pilot
        else say("The spread of the differences ({first} to the first stage) is a typical one of nDCG@10.", **facts)
    )
    rule = say(
        "Enough: a gain of {noticeable} is found with 80 % probability at α = {alpha} over {n} questions. For a large effect only: one of {material}. After Spärck Jones (1974), who calls differences of 5 points noticeable and of 10 material.",
        **facts,
    )
    plan = say(
        "This holds for a plan “for a decision”, which tests every evaluable query; a quick look tests fewer and shows larger gains only."
    )
    return f"{rule} {where} {plan}"


def figures_frame(say: Say, sample: Sample) -> pd.DataFrame:
    """Return the figures behind the answer, one a row, with what each means."""
    rows = [
        (
            say("Evaluable queries"),
            say("{n} of {all}", n=count(sample.n_usable), all=count(sample.n_queries)),
            say(
                "With a relevant document. {without} have no judgments, {none} are judged and have none.",
                without=count(sample.n_without_judgments),
                none=count(sample.n_without_relevant),
            ),
        ),
        (
            say("Training queries"),
            count(sample.n_train),
            say("In each part of a standard plan; every usable query is tested once."),
        ),
        (
            say("Smallest visible gain over today's search"),
            score(sample.detectable_first) if sample.n_usable else "–",
            say("{measure}; found in four of five cases.", measure=sample.measure),
        ),
        (
            say("Smallest visible difference of two models"),
            score(sample.detectable_between) if sample.n_usable else "–",
            say("The margin δ is {margin}.", margin=score(sample.margin)),
        ),
        (
            say("Expected 95 % interval"),
            f"± {score(sample.half_width)}" if sample.n_usable else "–",
            say("Of a difference to today's search."),
        ),
    ]
    for item in sample.judged:
        rows.append(
            (
                say("Judged of the first ten: {system}", system=name_of(say, SYSTEMS, item.system)),
                share(item.share),
                _judged_of(say, item),
            )
        )
    grades = ", ".join(f"{grade}: {count(n)}" for grade, n in sample.grades.items())
    rows.append(
        (
            say("Relevant among the judgments"),
            share(sample.relevant_share) if sample.n_judgments else "–",
            say(
                "By grade: {grades}. {n} usable queries have one grade only.",
                grades=grades or "–",
                n=count(sample.n_one_grade),
            ),
        )
    )
    repeated = sample.n_usable - sample.repeats.n_groups
    rows.append(
        (
            say("Queries that repeat another"),
            count(repeated),
            say(
                "Nearly the same text. They are kept in one part, so that none trains what another tests; the largest group has {n}.",
                n=count(sample.repeats.largest),
            ),
        )
    )
    if sample.raters is not None:
        rows.append(
            (
                say("Raters' agreement"),
                f"{sample.raters.alpha:.2f}",
                say(
                    "Krippendorff's alpha of {raters} raters on {pairs} pairs; 0.67 is the least that carries a conclusion.",
                    raters=count(sample.raters.n_raters),
                    pairs=count(sample.raters.n_pairs),
                ),
            )
        )
    else:
        rows.append((say("Raters' agreement"), "–", say("Not known: no pair was rated by two people.")))
    rows.append(
        (
            say("Language of the embedded model"),
            say("does not fit") if sample.language else say("fits"),
            say("Better: {models}", models=", ".join(sample.models))
            if sample.models
            else say("Judged by the script of the texts; other languages in Latin letters are not recognised."),
        )
    )
    return pd.DataFrame(rows, columns=[say("Figure"), say("Value"), say("What it means")])


def _judged_of(say: Say, item: Judged) -> str:
    facts = {"n": count(item.n_pairs), "queries": count(item.n_queries)}
    if item.system == "embedding":  # its lists are those that a run has ranked
        return say("{n} results of {queries} queries in the newest run; the others count as not relevant.", **facts)
    return say("{n} results of {queries} usable queries; the others count as not relevant.", **facts)


def segments_frame(say: Say, sample: Sample) -> pd.DataFrame:
    """Return one row per segment: its usable queries and what can be said about it alone."""
    return pd.DataFrame(
        [
            {
                say("Segment"): item.name,
                say("Evaluable queries"): item.n_queries,
                say("Smallest visible gain"): score(item.detectable),
                say("What can be said about it alone"): _speaks(say, item.n_queries, item.detectable),
            }
            for item in sample.segments
        ]
    )


def _speaks(say: Say, n_queries: int, detectable: float) -> str:
    if n_queries < MIN_QUERIES:
        return say("nothing")
    if detectable > MATERIAL:
        return say("very large gains only")
    return say("large gains") if detectable > NOTICEABLE else say("noticeable gains")


def to_judge_frame(say: Say, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the list to judge for reading: query, document, and why it is on it."""
    return pd.DataFrame(
        {
            say("Query"): rows["query"],
            say("Document"): rows["doc_id"],
            say("Title"): rows["title"],
            say("Text"): rows["text"].str.slice(0, 300),
            say("Why"): [name_of(say, WHYS, why) for why in rows["why"]],
            say("Weight"): rows["weight"],
        }
    )


def why_sentences(say: Say, answer: Answer, sample: Sample) -> list[str]:
    """Return what the sample can show and every reason, the weightiest first."""
    reasons = [said_sentence(say, item, sample) for item in answer.reasons]
    if {"gain_must_be_large", "gain_must_be_material", "no_judgments", "too_few_queries"} & {
        item.code for item in answer.reasons
    }:
        return reasons
    return [headline_sentence(say, sample), *reasons]


def answer_lines(say: Say, answer: Answer, sample: Sample) -> list[str]:
    """Return the answer for a terminal: the question, what it is, why, and what to do."""
    lines = [say("Is this sample good enough?"), f"  {answer_sentence(say, answer)}"]
    lines += [f"  - {sentence}" for sentence in why_sentences(say, answer, sample)]
    if answer.steps:
        lines.append(say("What to do next:"))
        lines += [f"  {place}. {said_sentence(say, item, sample)}" for place, item in enumerate(answer.steps, 1)]
    return lines
