"""A small file of every format, made for the tests, with what it must become."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from rerank.intake.sources import Source

Pairs = list[tuple[str, str, float]]


@dataclass(frozen=True)
class Layout:
    """Files, which of them is meant, and the rows that must come out: judgments, scores, texts by id."""

    files: tuple[Source, ...]
    judgments: Pairs | None = None
    candidates: list[tuple[str, str, int]] | None = None
    teacher_scores: Pairs | None = None
    queries: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)  # title and text together


def text(name: str, content: str) -> Source:
    return Source(name, content.encode())


def as_json(name: str, value: object) -> Source:
    return text(name, json.dumps(value, indent=1))


def workbook(sheets: Mapping[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet(**columns: list[Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


QUERIES = text("queries.csv", "query_id,query\nq1,red shoes\nq2,blue hat\n")
DOCUMENTS = text("documents.csv", "doc_id,title,text\nd1,Shoes,red ones\nd2,Hat,a blue one\n")
JUDGED: Pairs = [("q1", "d1", 2), ("q2", "d2", 0)]
BY_TEXT: Pairs = [("red shoes", "d1", 2), ("blue hat", "d2", 0)]
LONG = "A passage of the collection that says something about {} in more than forty characters."

LAYOUTS: dict[str, Layout] = {
    "trec_qrels": Layout((QUERIES, DOCUMENTS, text("a", "q1 0 d1 2\nq2 0 d2 0\n")), JUDGED),
    "trec_run": Layout(
        (QUERIES, DOCUMENTS, text("a", "q1 Q0 d2 1 0.5 bm25\nq1 Q0 d1 2 1.5 bm25\nq2 Q0 d2 1 3 bm25\n")),
        candidates=[("q1", "d1", 1), ("q1", "d2", 2), ("q2", "d2", 1)],
    ),
    "trec_topics": Layout(
        (
            text(
                "t",
                "<top>\n<num> Number: q1\n<title> red shoes\n<desc> Description:\nwhich\n</top>\n\n"
                '<topic number="q2"><query>blue &amp; hat</query></topic>\n',
            ),
            DOCUMENTS,
        ),
        queries={"q1": "red shoes", "q2": "blue & hat"},
    ),
    "beir_qrels": Layout(
        (QUERIES, DOCUMENTS, text("dev.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td2\t0\n")), JUDGED
    ),
    "beir_texts": Layout(
        (
            text("queries.jsonl", '{"_id": "q1", "text": "red shoes"}\n{"_id": "q2", "text": "blue hat"}\n'),
            text("corpus.jsonl", '{"_id": "d1", "title": "Shoes", "text": "red ones"}\n'),
        ),
        queries={"q1": "red shoes", "q2": "blue hat"},
        documents={"d1": "Shoes red ones"},
    ),
    "quepid_ratings": Layout(
        (DOCUMENTS, text("ratings.csv", "query,docid,rating\nred shoes,d1,2\nblue hat,d2,0\nnew,,\n")),
        BY_TEXT,
        queries={"red shoes": "red shoes", "blue hat": "blue hat", "new": "new"},
    ),
    "quepid_detailed": Layout(
        (
            text(
                "case.csv",
                "Team Name,Case Name,Case ID,Query Text,Doc ID,Doc Position,Title,Rating\n"
                "T,C,7,red shoes,d1,1,Red shoes,2\nT,C,7,blue hat,d2,1,Blue hat,0\n",
            ),
        ),
        BY_TEXT,
        queries={"red shoes": "red shoes"},
        documents={"d1": "Red shoes ", "d2": "Blue hat "},
    ),
    "quepid_snapshot": Layout(
        (
            DOCUMENTS,
            text(
                "snapshot.csv",
                "Snapshot Name,Snapshot Time,Case ID,Query Text,Doc ID,Doc Position\n"
                "S,2024-01-01,7,red shoes,d2,2\nS,2024-01-01,7,red shoes,d1,1\n",
            ),
        ),
        candidates=[("red shoes", "d1", 1), ("red shoes", "d2", 2)],
    ),
    "quepid_book": Layout(
        (
            as_json(
                "book.json",
                {
                    "name": "book",
                    "query_doc_pairs": [
                        {
                            "query_text": "red shoes",
                            "doc_id": "d1",
                            "position": 1,
                            "document_fields": json.dumps({"title": "Shoes", "description": "red ones"}),
                            "judgements": [
                                {"rating": 1.0, "unrateable": False, "judge_later": False, "user_email": "a@x.org"},
                                {"rating": 2.0, "unrateable": False, "judge_later": False, "user_email": "b@x.org"},
                                {"rating": 0.0, "unrateable": True, "judge_later": False, "user_email": "c@x.org"},
                            ],
                        },
                        {
                            "query_text": "blue hat",
                            "doc_id": "d2",
                            "document_fields": {"title": "Hat"},
                            "judgements": [{"rating": 0, "user_email": "a@x.org"}],
                        },
                    ],
                },
            ),
        ),
        BY_TEXT,
        documents={"d1": "Shoes red ones", "d2": "Hat "},
    ),
    "opensearch_judgments": Layout(
        (
            DOCUMENTS,
            as_json(
                "j.json",
                {
                    "judgmentRatings": [
                        {"query": "red shoes", "ratings": [{"docId": "d1", "rating": "2.000"}]},
                        {"query": "blue hat", "ratings": [{"docId": "d2", "rating": "0.000"}]},
                    ]
                },
            ),
        ),
        BY_TEXT,
        queries={"red shoes": "red shoes"},
    ),
    "rank_eval": Layout(
        (
            DOCUMENTS,
            as_json(
                "r.json",
                {
                    "requests": [
                        {
                            "id": "q1",
                            "request": {"query": {"match": {"title": {"query": "red shoes", "operator": "and"}}}},
                            "ratings": [{"_index": "x", "_id": "d1", "rating": 2}],
                        },
                        {
                            "id": "q2",
                            "request": {"query": {"match": {"title": "blue hat"}}},
                            "ratings": [{"_index": "x", "_id": "d2", "rating": 0}],
                        },
                    ]
                },
            ),
        ),
        JUDGED,
        queries={"q1": "red shoes", "q2": "blue hat"},
    ),
    "json_nested": Layout((QUERIES, DOCUMENTS, as_json("q.json", {"q1": {"d1": 2}, "q2": {"d2": 0}})), JUDGED),
    "json_records": Layout(
        (
            QUERIES,
            DOCUMENTS,
            as_json("j.json", [{"qid": "q1", "docno": "d1", "rel": 2}, {"qid": "q2", "docno": "d2", "rel": 0}]),
        ),
        JUDGED,
    ),
    "jsonl": Layout(
        (
            QUERIES,
            DOCUMENTS,
            text("j.jsonl", '{"qid": "q1", "docno": "d1", "rel": 2}\n{"qid": "q2", "docno": "d2", "rel": "0"}\n'),
        ),
        JUDGED,
    ),
    "ranklib": Layout(
        (
            DOCUMENTS,
            text(
                "l.txt",
                "# qid:q1: red shoes\n2 qid:q1 1:0.5 # d1 Shoes\n0 qid:q2 # d2 blue hat\n1 qid:q2 # d1 blue hat\n",
            ),
        ),
        [("q1", "d1", 2), ("q2", "d2", 0), ("q2", "d1", 1)],
        queries={"q1": "red shoes", "q2": "blue hat"},
    ),
    "elastic_ltr": Layout(
        (
            DOCUMENTS,
            text("e.tsv", "query_id\tquery\tdoc_id\tgrade\nqid:q1\tred shoes\td1\t2\nqid:q2\tblue hat\td2\t0\n"),
        ),
        JUDGED,
        queries={"q1": "red shoes", "q2": "blue hat"},
    ),
    "raters_wide": Layout(
        (
            text(
                "chorus.csv",
                "query,docid,name,description,agent_1_rating,agent_2_rating,agent_3_rating,final_rating\n"
                "red shoes,d1,Shoes,red ones,2,2,1,2\nblue hat,d2,Hat,a blue one,0,1,0,0\n",
            ),
        ),
        BY_TEXT,
        queries={"red shoes": "red shoes"},
        documents={"d1": "Shoes red ones", "d2": "Hat a blue one"},
    ),
    "raters_long": Layout(
        (
            QUERIES,
            DOCUMENTS,
            text(
                "r.tsv",
                "query-id\tcorpus-id\trater\trating\nq1\td1\ta@x.org\t1.0\nq1\td1\tb@x.org\t2.0\nq2\td2\ta@x.org\t0\n",
            ),
        ),
        JUDGED,
    ),
    "wands": Layout(
        (
            text(
                "query.csv", "query_id\tquery\tquery_class\nq1\tred shoes\tShoes\nq2\tblue hat\tHats\nq3\tsofa\tSofas\n"
            ),
            text("product.csv", "product_id\tproduct_name\tproduct_description\nd1\tShoes\tred, ones\nd2\tHat\tblue\n"),
            text(
                "label.csv",
                "id\tquery_id\tproduct_id\tlabel\n0\tq1\td1\tExact\n1\tq2\td2\tIrrelevant\n2\tq3\td2\tPartial\n",
            ),
        ),
        [("q1", "d1", 2), ("q2", "d2", 0), ("q3", "d2", 1)],
        documents={"d1": "Shoes red, ones"},
    ),
    "click_log": Layout(
        (
            DOCUMENTS,
            text(
                "log.csv",
                "timestamp,session_id,query,doc_id,position,event\n"
                + "".join(f"t,s{n},red shoes,d1,1,impression\nt,s{n},red shoes,d2,2,impression\n" for n in range(12))
                + "".join(f"t,s{n},red shoes,d1,1,click\n" for n in range(3))
                + "".join(f"t,s{n},blue hat,d2,1,impression\nt,s{n},blue hat,d1,2,impression\n" for n in range(12, 24))
                + "".join(f"t,s{n},blue hat,d1,2,click\n" for n in range(12, 15)),
            ),
        ),
        # click rate is 3/24 at both positions: 3 clicks where 1.5 were expected, or none
        [("red shoes", "d1", 3), ("red shoes", "d2", 0), ("blue hat", "d2", 0), ("blue hat", "d1", 3)],
        queries={"red shoes": "red shoes", "blue hat": "blue hat"},
    ),
    "ubi_queries": Layout(
        (
            DOCUMENTS,
            text(
                "ubi_queries.jsonl",
                "".join(
                    json.dumps({"query_id": f"u{n}", "user_query": "red shoes", "query_response_hit_ids": ["d1", "d2"]})
                    + "\n"
                    for n in range(10)
                ),
            ),
            text(
                "ubi_events.jsonl",
                "".join(
                    json.dumps(
                        {
                            "action_name": "click",
                            "query_id": f"u{n}",
                            "event_attributes": {"object": {"object_id": "d1"}, "position": {"ordinal": 1}},
                        }
                    )
                    + "\n"
                    for n in range(2)
                ),
            ),
        ),
        [("red shoes", "d1", 2)],  # nobody ever clicked at position 2: nothing can be said about d2
        queries={"red shoes": "red shoes"},
    ),
    "top1000": Layout(
        (
            text(
                "top1000.dev",
                f"11\t101\tred shoes\t{LONG.format('shoes')}\n11\t102\tred shoes\t{LONG.format('hats')}\n",
            ),
        ),
        queries={"11": "red shoes"},
        documents={"101": " " + LONG.format("shoes")},
    ),
    "triples": Layout(
        (text("triples.tsv", f"red shoes\t{LONG.format('shoes')}\t{LONG.format('hats')}\n"),),
        [("red shoes", LONG.format("shoes"), 1), ("red shoes", LONG.format("hats"), 0)],
        queries={"red shoes": "red shoes"},
    ),
    "training_pairs": Layout(
        (
            text(
                "t.jsonl",
                '{"anchor": "red shoes", "positive": "They are red.", "negative": "They are blue."}\n'
                '{"anchor": "blue hat", "positive": "It is blue.", "negative": "They are blue."}\n',
            ),
        ),
        [
            ("red shoes", "They are red.", 1),
            ("red shoes", "They are blue.", 0),
            ("blue hat", "It is blue.", 1),
            ("blue hat", "They are blue.", 0),
        ],
    ),
    "labeled_list": Layout(
        (text("l.jsonl", '{"query": "red shoes", "docs": ["They are red.", "It is blue."], "labels": [0.9, 0.1]}\n'),),
        teacher_scores=[("red shoes", "They are red.", 0.9), ("red shoes", "It is blue.", 0.1)],
    ),
    "cohere": Layout(
        (
            text(
                "c.jsonl",
                '{"query": "red shoes", "relevant_passages": ["They are red."], "hard_negatives": ["It is."]}\n',
            ),
        ),
        [("red shoes", "They are red.", 1), ("red shoes", "It is.", 0)],
    ),
    "orderings": Layout(
        (
            QUERIES,
            DOCUMENTS,
            text("o.jsonl", '{"query_id": "q1", "doc_ids": ["d1", "d2"], "response": "[2] > [1]"}\n'),
        ),
        teacher_scores=[("q1", "d2", 1), ("q1", "d1", 0)],
    ),
    "workbook": Layout(
        (
            Source(
                "sample.xlsx",
                workbook(
                    {
                        "クエリ": [["クエリ番号", "質問"], ["q1", "red shoes"], ["q2", "blue hat"]],
                        "documents": [
                            ["id", "title", "text"],
                            ["d1", "Shoes", "red ones"],
                            ["d2", "Hat", "a blue one"],
                        ],
                        "judgments": [["query_id", "doc_id", "rating"], ["q1", "d1", 2], ["q2", "d2", 0.0]],
                        "candidates": [["query_id", "doc_id", "rank"], ["q1", "d2", 1], ["q1", "d1", 2]],
                    }
                ),
            ),
        ),
        JUDGED,
        candidates=[("q1", "d2", 1), ("q1", "d1", 2)],
        queries={"q1": "red shoes", "q2": "blue hat"},
        documents={"d1": "Shoes red ones"},
    ),
    "parquet": Layout(
        (
            QUERIES,
            Source("d.parquet", parquet(doc_id=["d1", "d2"], title=["Shoes", "Hat"], text=["red ones", "a blue one"])),
            Source("j.parquet", parquet(query_id=["q1", "q2"], doc_id=["d1", "d2"], grade=[2.0, 0.0])),
        ),
        JUDGED,
        documents={"d1": "Shoes red ones"},
    ),
    "delimited": Layout((QUERIES, DOCUMENTS, text("j.csv", "query_id;doc_id;grade\r\nq1;d1;2\r\nq2;d2;0\r\n")), JUDGED),
}
LAYOUTS["ubi_events"] = LAYOUTS["ubi_queries"]
