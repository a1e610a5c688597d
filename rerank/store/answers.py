"""Answers of paid teachers, kept for good under what was asked: no question is paid for twice."""

import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rerank.store.database import open_database
from rerank.store.home import home

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
  question TEXT PRIMARY KEY,
  family TEXT NOT NULL,
  purse TEXT NOT NULL,
  reply TEXT NOT NULL,
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  predicted_prompt_tokens REAL NOT NULL,
  predicted_completion_tokens REAL NOT NULL,
  usd REAL NOT NULL,
  answered_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_by_family ON answers (family);
CREATE INDEX IF NOT EXISTS answers_by_purse ON answers (purse);
CREATE TABLE IF NOT EXISTS lost_attempts (
  purse TEXT NOT NULL,
  usd REAL NOT NULL,
  most_usd REAL NOT NULL,
  lost_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS lost_attempts_by_purse ON lost_attempts (purse);
"""


@dataclass(frozen=True)
class Answer:
    """One answer: what was said, tokens as the endpoint counted them (None: it did not) and as they were predicted."""

    reply: Mapping[str, Any]
    prompt_tokens: int | None
    completion_tokens: int | None
    predicted_prompt_tokens: float
    predicted_completion_tokens: float
    usd: float


@dataclass(frozen=True)
class Counted:
    """Of the answers of one family: how many told their tokens, how many those were, and how many were predicted."""

    n_answers: int
    prompt_tokens: float
    predicted_prompt_tokens: float
    completion_tokens: float
    predicted_completion_tokens: float


def _open() -> AbstractContextManager[sqlite3.Connection]:
    return open_database(home() / "answers.sqlite", _SCHEMA)


def find_answer(question: str) -> Answer | None:
    """Return the answer to a question, named by the digest of the full request; None when it was not given yet."""
    with _open() as database:
        row = database.execute("SELECT * FROM answers WHERE question = ?", (question,)).fetchone()
    if row is None:
        return None
    return Answer(
        json.loads(row["reply"]),
        row["prompt_tokens"],
        row["completion_tokens"],
        row["predicted_prompt_tokens"],
        row["predicted_completion_tokens"],
        row["usd"],
    )


def keep_answer(question: str, family: str, purse: str, answer: Answer) -> None:
    """Keep an answer. family: endpoint, model and prompt; purse: who paid."""
    values = (
        question,
        family,
        purse,
        json.dumps(answer.reply, ensure_ascii=False, allow_nan=False),
        answer.prompt_tokens,
        answer.completion_tokens,
        answer.predicted_prompt_tokens,
        answer.predicted_completion_tokens,
        answer.usd,
        time.time(),
    )
    with _open() as database:
        database.execute(f"INSERT OR IGNORE INTO answers VALUES ({','.join('?' * len(values))})", values)


def count_lost(purse: str, usd: float, most_usd: float) -> None:
    """Remember an attempt that may have been billed although no answer came back: about usd, at most most_usd."""
    with _open() as database:
        database.execute("INSERT INTO lost_attempts VALUES (?, ?, ?, ?)", (purse, usd, most_usd, time.time()))


def _spent(purse: str, lost: str) -> tuple[float, float]:
    with _open() as database:
        paid = database.execute("SELECT TOTAL(usd) FROM answers WHERE purse = ?", (purse,)).fetchone()[0]
        gone = database.execute(f"SELECT TOTAL({lost}) FROM lost_attempts WHERE purse = ?", (purse,)).fetchone()[0]
    return float(paid), float(gone)


def spent_usd(purse: str) -> tuple[float, float]:
    """Return what a purse has paid for answers, and about what it may have paid for lost ones."""
    return _spent(purse, "usd")


def most_spent_usd(purse: str) -> float:
    """Return what a purse cannot have exceeded: answers as they were billed, lost ones at their highest price."""
    return sum(_spent(purse, "most_usd"))


def counted(family: str) -> Counted:
    """Return how predicted tokens compare with counted ones over all answers of a family."""
    with _open() as database:
        row = database.execute(
            "SELECT COUNT(*), TOTAL(prompt_tokens), TOTAL(predicted_prompt_tokens), TOTAL(completion_tokens), "
            "TOTAL(predicted_completion_tokens) FROM answers "
            "WHERE family = ? AND prompt_tokens IS NOT NULL AND completion_tokens IS NOT NULL",
            (family,),
        ).fetchone()
    return Counted(int(row[0]), *(float(value) for value in row[1:]))
