"""Which column is what: synonyms, guesses and the user's own mapping."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rerank.errors import RerankError

Role = Literal["queries", "documents", "judgments", "candidates", "teacher_scores", "ratings", "clicks"]
ROLES: tuple[Role, ...] = ("queries", "documents", "judgments", "candidates", "teacher_scores", "ratings", "clicks")
Confidence = Literal["high", "medium", "low"]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "queries": ("query_id", "text", "segment"),
    "documents": ("doc_id", "title", "text"),
    "judgments": ("query_id", "doc_id", "grade"),
    "candidates": ("query_id", "doc_id", "rank", "score"),
    "teacher_scores": ("query_id", "doc_id", "score"),
    "ratings": ("query_id", "doc_id", "rater", "grade"),
    "clicks": ("query_id", "doc_id", "position", "event"),
}
OPTIONAL: Mapping[str, tuple[str, ...]] = {"queries": ("frequency",)}  # read when it is there, no part of a dataset
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "queries": ("text",),
    "documents": ("doc_id", "text"),
    "judgments": ("query_id", "doc_id", "grade"),
    "candidates": ("query_id", "doc_id"),
    "teacher_scores": ("query_id", "doc_id", "score"),
    "ratings": ("query_id", "doc_id", "rater", "grade"),
    "clicks": ("query_id", "doc_id", "event"),
}

_QUERY_ID = "qid query_id query-id q_id queryid question_id クエリid クエリ番号 質問id 質問番号"
_QUERY_TEXT = (
    "query query_text querytext user_query question anchor クエリ クエリー 質問 質問文 検索語 検索キーワード キーワード"
)
_DOC_ID = (
    "docid doc_id docno corpus-id corpusid pid product_id passage_id document_id "
    "文書id 文書番号 ドキュメントid 商品id 商品番号 商品コード 品番 記事id"
)
_GRADE = (
    "rating rel relevance label grade gain judgment judgement final_rating 評価 評価値 判定 関連度 関連性 ラベル 点数"
)
_RATER = "rater judge annotator assessor reviewer user_email worker_id 評価者 判定者 担当者"
_SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "queries": {
        "query_id": f"_id id {_QUERY_ID}",
        "text": f"text {_QUERY_TEXT} 本文 テキスト",
        "segment": "segment tag category intent metadata.segment セグメント 区分 カテゴリ",
        "frequency": "frequency count searches search_count n_searches search_volume 検索回数 検索数 頻度 回数",
    },
    "documents": {
        "doc_id": f"_id id {_DOC_ID}",
        "title": "title name product_name タイトル 題名 件名 見出し 商品名",
        "text": "text passage contents document body description content product_description "
        "本文 テキスト 説明 内容 概要",
    },
    "judgments": {
        "query_id": f"{_QUERY_ID} {_QUERY_TEXT}",
        "doc_id": f"{_DOC_ID} document",
        "grade": f"{_GRADE} score",
    },
    "candidates": {
        "query_id": f"{_QUERY_ID} {_QUERY_TEXT}",
        "doc_id": f"{_DOC_ID} document",
        "rank": "rank position doc_position ordinal 順位",
        "score": "score スコア 得点",
    },
    "teacher_scores": {
        "query_id": f"{_QUERY_ID} {_QUERY_TEXT}",
        "doc_id": f"{_DOC_ID} document",
        "score": "score teacher_score スコア 得点",
    },
    "ratings": {
        "query_id": f"{_QUERY_ID} {_QUERY_TEXT}",
        "doc_id": f"{_DOC_ID} document",
        "rater": _RATER,
        "grade": f"{_GRADE} score",
    },
    "clicks": {
        "query_id": f"{_QUERY_ID} {_QUERY_TEXT}",
        "doc_id": f"{_DOC_ID} document",
        "position": "position rank ordinal doc_position 順位 表示順位",
        "event": "event event_type action action_name click clicked イベント 操作",
    },
}
_GENERIC = {
    "id",
    "_id",
    "text",
    "name",
    "score",
    "label",
    "title",
    "content",
    "document",
    "grade",
    "rel",
    "評価",
    "評価値",
}


def folded(name: str) -> str:
    """Return a header for comparing: NFKC, lower case, blanks and camelCase as underscores."""
    plain = unicodedata.normalize("NFKC", name).strip()
    plain = re.sub(r"([a-z])([A-Z])", r"\1_\2", plain).lower()
    return re.sub(r"[\s_]+", "_", plain)


def _known(role: str, field: str) -> list[str]:
    return [folded(word) for word in _SYNONYMS[role][field].split()]


_ALL = {word for role in _SYNONYMS for name in _SYNONYMS[role] for word in _known(role, name)} | {
    "iteration",
    "iter",
    "q0",
}


def is_known(column: str) -> bool:
    """Tell whether a header is a synonym of any field."""
    return folded(column) in _ALL


def column_called(columns: Sequence[str], role: str, field: str) -> str | None:
    """Return the column that is called as a role's field, the first synonym in the list first."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(folded(column), column)
    return next((by_name[word] for word in _known(role, field) if word in by_name), None)


def text_columns(columns: Sequence[str], mapping: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    """Return the columns that hold a pair's query text, document title and document text beside its ids."""
    of_query = {folded(word) for word in _QUERY_TEXT.split()}
    named = mapping.get("query_id", "")
    taken = set(mapping.values())
    rest = [column for column in columns if column not in taken]
    query = named if folded(named) in of_query else next((name for name in rest if folded(name) in of_query), None)
    rest = [column for column in rest if column != query]
    title = column_called(rest, "documents", "title")
    return query, title, column_called([name for name in rest if name != title], "documents", "text")


def confidence_of(role: str, mapping: Mapping[str, str]) -> Confidence:
    """Return how sure a proposal is: low when columns have no names, medium when a name could mean other things."""
    columns = [mapping[name] for name in REQUIRED[role] if name in mapping]
    if any(column.isdigit() for column in columns):
        return "low"
    beir = bool(columns) and folded(columns[0]) == "_id"
    return "medium" if not beir and any(folded(column) in _GENERIC for column in columns) else "high"


def is_header(cells: Sequence[str]) -> bool:
    """Say whether a first row is a header: a known name in it, or several words and no number.

    A judgment without a header (`q1  d7  1`) must not lose its first row to a guess.
    """
    names = [folded(cell) for cell in cells]
    if any(name in _ALL for name in names):
        return True
    numeric = [bool(re.fullmatch(r"[+-]?\d+(\.\d+)?", cell.strip())) for cell in cells]
    distinct = len(set(names)) == len(names) and all(names)
    short = all(len(cell) <= 40 and re.fullmatch(r"[\w .()/#-]+", cell) for cell in cells)
    return len(cells) > 2 and not any(numeric) and distinct and short


def propose(columns: Sequence[str], role: str) -> dict[str, str]:
    """Return the proposed `{field: column}` of a role; the first synonym in the list wins."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(folded(column), column)
    found: dict[str, str] = {}
    for wanted in FIELDS[role]:
        for word in _known(role, wanted):
            named = by_name.get(word)
            if named is not None and named not in found.values():
                found[wanted] = named
                break
    return found


def guess_role(columns: Sequence[str], file: str, integer_scores: bool) -> Role | None:
    """Return what a file probably holds, from its columns first and its name last; None when unclear.

    integer_scores: whether a column called score holds small whole numbers only (BEIR's judgments do).
    """
    names = {folded(column) for column in columns}

    def has(role: str, field: str) -> bool:
        return any(word in names for word in _known(role, field))

    hint = folded(Path(file).name)
    pair = has("judgments", "query_id") and has("judgments", "doc_id")
    if pair:
        if has("ratings", "rater") and has("ratings", "grade"):
            return "ratings"
        if any(word in names for word in map(folded, _GRADE.split())):
            return "judgments"
        if has("candidates", "rank"):
            return "candidates"
        if "score" in names:
            if "teacher" in hint:
                return "teacher_scores"
            if "corpus-id" in names or integer_scores:
                return "judgments"
            return "candidates" if re.search("run|candidate|result", hint) else "teacher_scores"
        return None
    if has("documents", "doc_id") and has("documents", "text"):
        says_query = re.search("quer|クエリ|質問", hint) is not None
        says_document = re.search("corpus|doc|passage|collection|product|article|文書", hint) is not None
        own = {folded(word) for word in _DOC_ID.split()} & names
        titled = has("documents", "title")
        if says_query and not own:
            return "queries"
        if says_document or own or titled:
            return "documents"
    if has("queries", "text") and (has("queries", "query_id") or folded("query") in names):
        return "queries"
    return None


def guess_headerless(n_columns: int, file: str, whole_last: bool) -> tuple[Role, dict[str, str]] | None:
    """Return role and mapping of a table without header: `qid docid grade`, or two columns with a telling name."""
    hint = folded(Path(file).name)
    if n_columns == 3 and whole_last:
        return "judgments", {"query_id": "1", "doc_id": "2", "grade": "3"}
    if n_columns == 2 and "quer" in hint:
        return "queries", {"query_id": "1", "text": "2"}
    if n_columns == 2 and re.search("collection|corpus|doc|passage", hint):
        return "documents", {"doc_id": "1", "text": "2"}
    return None


@dataclass(frozen=True)
class FileMapping:
    """What the user says about one file: its role, `{field: column}` and, for judgments, `{label: grade}`."""

    file: str
    role: Role
    columns: Mapping[str, str]
    labels: Mapping[str, int] = field(default_factory=dict)


def read_mapping(path: Path) -> list[FileMapping]:
    """Read a mapping file: one TOML table per role with `file`, `field = "column"` entries and `labels = {Exact = 2}`.

    Raises RerankError `input_not_found`, `mapping_unreadable` or `mapping_invalid`.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RerankError("input_not_found", path=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RerankError("mapping_unreadable", path=str(path), reason=str(error)) from error
    found = []
    for section, table in given.items():
        if section not in ROLES:
            raise RerankError("mapping_invalid", path=str(path), section=section, reason="unknown_role")
        if not isinstance(table, dict) or not isinstance(table.get("file"), str):
            raise RerankError("mapping_invalid", path=str(path), section=section, reason="no_file")
        columns = {name: value for name, value in table.items() if name not in ("file", "labels")}
        labels = table.get("labels", {})
        if not isinstance(labels, dict) or not all(type(grade) is int for grade in labels.values()):
            raise RerankError("mapping_invalid", path=str(path), section=section, reason="labels", field="labels")
        for name, value in columns.items():
            if name not in (*FIELDS[section], *OPTIONAL.get(section, ())):
                raise RerankError(
                    "mapping_invalid", path=str(path), section=section, reason="unknown_field", field=name
                )
            if not isinstance(value, str):
                raise RerankError("mapping_invalid", path=str(path), section=section, reason="not_text", field=name)
        found.append(FileMapping(str(table["file"]), section, columns, labels))
    return found
