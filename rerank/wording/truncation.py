"""Documents that are longer than the re-ranker reads, in a sentence."""

from collections.abc import Mapping
from typing import Any

from rerank.wording.language import Say
from rerank.wording.numbers import count, share

MATERIAL_SHARE = 0.05  # of the candidate pairs: below it, what is not read can hardly move a mean


def truncation_sentence(say: Say, result: Mapping[str, Any]) -> str | None:
    """Return what the re-ranker did not read and what to do about it; None when it is little."""
    found = result.get("truncation")
    if found is None or found["share_of_pairs"] < MATERIAL_SHARE:
        return None
    facts = {
        "share": share(found["share_of_pairs"]),
        "n": count(found["n_truncated_pairs"]),
        "total": count(found["n_pairs"]),
        "length": result["plan"]["max_length"],
    }
    if result["plan"]["passages"] == "max":
        return say(
            "{share} of the candidates ({n} of {total}) have a document that is longer than {passages} passages in "
            "pairs of {length} tokens: its end was not read. A larger max_length lets the re-ranker read on.",
            **facts,
            passages=found["max_passages"],
        )
    return say(
        "{share} of the candidates ({n} of {total}) have a document that does not fit into a pair of {length} tokens: "
        "the re-ranker read its beginning only. Reading long documents in passages, or a larger max_length, lets it "
        "read on, at the price of time.",
        **facts,
    )
