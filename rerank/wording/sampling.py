"""What a sample of a large collection is, and what that means for its figures."""

from collections.abc import Mapping
from typing import Any

from rerank.wording.language import Say, later
from rerank.wording.names import name_of

BY = {
    "chance": later("each with the same chance"),
    "segment": later("in proportion to the segments"),
    "frequency": later("by how often they were asked"),
}


def sampling_lines(say: Say, sampling: Mapping[str, Any] | None) -> list[str]:
    """Return sentences about a manifest's `sampling`; none for a dataset that is whole."""
    found = []
    queries = (sampling or {}).get("queries")
    if queries is not None:
        found.append(
            say(
                "A sample of {n} of {of} queries, drawn {by}; judged ones first ({n_judged}).",
                n=f"{queries['n']:,}",
                of=f"{queries['of']:,}",
                by=name_of(say, BY, queries["by"]),
                n_judged=f"{queries['n_judged']:,}",
            )
        )
    documents = (sampling or {}).get("documents")
    if documents is not None:
        found.append(
            say(
                "A sample of {n} of {of} documents; {n_named} of them are named by judgments, results or scores. Among fewer documents a search finds the right one more easily: figures are better than they would be in the whole collection.",
                n=f"{documents['n']:,}",
                of=f"{documents['of']:,}",
                n_named=f"{documents['n_named']:,}",
            )
        )
    return found
