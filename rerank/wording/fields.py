"""Names of roles and fields of a sample."""

from collections.abc import Mapping

from rerank.wording.language import later

ROLE_NAMES: Mapping[str, str] = {
    "queries": later("Queries"),
    "documents": later("Documents"),
    "judgments": later("Judgments"),
    "candidates": later("Your search's results"),
    "teacher_scores": later("Teacher scores"),
    "ratings": later("Ratings of several people"),
    "clicks": later("Clicks and impressions"),
    "unknown": later("not recognised"),
}

FIELD_NAMES: Mapping[str, str] = {
    "query_id": later("Query id"),
    "doc_id": later("Document id"),
    "text": later("Text"),
    "title": later("Title"),
    "segment": later("Segment"),
    "grade": later("Grade"),
    "rank": later("Rank"),
    "score": later("Score"),
    "rater": later("Rater"),
    "position": later("Position"),
    "event": later("Event"),
}
