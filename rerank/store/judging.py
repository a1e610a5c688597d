"""Judging tasks on disk: nothing is overwritten, and a mark is on the disk before the next pair is shown."""

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from rerank.store.database import open_database
from rerank.store.home import home

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
  id TEXT PRIMARY KEY,
  dataset TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at REAL NOT NULL,
  settings TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS pairs (
  task TEXT NOT NULL,
  query_id TEXT NOT NULL,
  doc_id TEXT NOT NULL,
  priority REAL NOT NULL,
  PRIMARY KEY (task, query_id, doc_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS guidelines (task TEXT NOT NULL, text TEXT NOT NULL, saved_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS raters (
  task TEXT NOT NULL,
  rater TEXT NOT NULL,
  joined_at REAL NOT NULL,
  PRIMARY KEY (task, rater)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task TEXT NOT NULL,
  rater TEXT NOT NULL,
  query_id TEXT NOT NULL,
  doc_id TEXT NOT NULL,
  grade INTEGER,
  seconds REAL,
  marked_at REAL NOT NULL,
  undone_at REAL
);
CREATE INDEX IF NOT EXISTS marks_by_task ON marks (task);
"""

Pair = tuple[str, str]  # query_id, doc_id


def _open() -> AbstractContextManager[sqlite3.Connection]:
    return open_database(home() / "judging.sqlite", _SCHEMA)


def add_task(
    identity: str,
    dataset: str,
    name: str,
    settings: Mapping[str, Any],
    guideline: str,
    pairs: Iterable[tuple[str, str, float]],
) -> None:
    """Write a task with its pairs (query_id, doc_id, priority) in one step; one that is there already stays."""
    with _open() as database:
        database.execute("BEGIN IMMEDIATE")
        if database.execute("SELECT 1 FROM tasks WHERE id = ?", (identity,)).fetchone():
            return
        now = time.time()
        written = json.dumps(settings, ensure_ascii=False, allow_nan=False)
        database.execute("INSERT INTO tasks VALUES (?, ?, ?, ?, ?)", (identity, dataset, name, now, written))
        database.execute("INSERT INTO guidelines VALUES (?, ?, ?)", (identity, guideline, now))
        database.executemany("INSERT INTO pairs VALUES (?, ?, ?, ?)", ((identity, *pair) for pair in pairs))


def read_tasks() -> list[dict[str, Any]]:
    """Return all tasks, newest first: id, dataset, name, created_at, settings, guideline, n_pairs."""
    query = (
        "SELECT tasks.*, "
        "(SELECT text FROM guidelines WHERE task = tasks.id ORDER BY rowid DESC LIMIT 1) AS guideline, "
        "(SELECT COUNT(*) FROM pairs WHERE task = tasks.id) AS n_pairs "
        "FROM tasks ORDER BY created_at DESC, id"
    )
    with _open() as database:
        rows = database.execute(query).fetchall()
    return [{**dict(row), "settings": json.loads(row["settings"])} for row in rows]


def read_pairs(task: str) -> list[tuple[str, str, float]]:
    """Return a task's pairs: query_id, doc_id, priority."""
    with _open() as database:
        rows = database.execute("SELECT query_id, doc_id, priority FROM pairs WHERE task = ?", (task,)).fetchall()
    return [tuple(row) for row in rows]


def save_guideline(task: str, text: str) -> None:
    """Keep a new text of the guideline; earlier ones stay, with their time."""
    with _open() as database:
        database.execute("INSERT INTO guidelines VALUES (?, ?, ?)", (task, text, time.time()))


def add_rater(task: str, rater: str) -> None:
    """Note that somebody judges; once is enough."""
    with _open() as database:
        database.execute("INSERT OR IGNORE INTO raters VALUES (?, ?, ?)", (task, rater, time.time()))


def read_raters(task: str) -> list[str]:
    """Return a task's raters, the first one first."""
    with _open() as database:
        rows = database.execute("SELECT rater FROM raters WHERE task = ? ORDER BY joined_at, rater", (task,))
        return [str(row["rater"]) for row in rows]


def add_mark(task: str, rater: str, pair: Pair, grade: int | None, seconds: float | None) -> None:
    """Write what a rater said of a pair at once; grade None: skipped. The same word said twice is written once."""
    with _open() as database:
        database.execute("BEGIN IMMEDIATE")
        last = database.execute(
            "SELECT query_id, doc_id, grade FROM marks WHERE task = ? AND rater = ? AND undone_at IS NULL "
            "ORDER BY id DESC LIMIT 1",
            (task, rater),
        ).fetchone()
        if last is not None and tuple(last) == (*pair, grade):
            return
        now = time.time()
        database.execute("INSERT OR IGNORE INTO raters VALUES (?, ?, ?)", (task, rater, now))
        database.execute(
            "INSERT INTO marks (task, rater, query_id, doc_id, grade, seconds, marked_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (task, rater, *pair, grade, seconds, now),
        )


def undo_mark(task: str, rater: str) -> Pair | None:
    """Take back a rater's last mark; returns its pair, None when there is nothing to take back."""
    with _open() as database:
        database.execute("BEGIN IMMEDIATE")
        last = database.execute(
            "SELECT id, query_id, doc_id FROM marks WHERE task = ? AND rater = ? AND undone_at IS NULL "
            "AND seconds IS NOT NULL ORDER BY id DESC LIMIT 1",
            (task, rater),
        ).fetchone()
        if last is None:
            return None
        database.execute("UPDATE marks SET undone_at = ? WHERE id = ?", (time.time(), last["id"]))
    return str(last["query_id"]), str(last["doc_id"])


def import_marks(
    task: str, pairs: Iterable[tuple[str, str, float]], marks: Iterable[tuple[str, str, str, int]]
) -> None:
    """Write the marks of a file (rater, query_id, doc_id, grade), all or none; new pairs join the task."""
    with _open() as database:
        database.execute("BEGIN IMMEDIATE")
        now = time.time()
        database.executemany("INSERT OR IGNORE INTO pairs VALUES (?, ?, ?, ?)", ((task, *pair) for pair in pairs))
        for rater, query_id, doc_id, grade in marks:
            database.execute("INSERT OR IGNORE INTO raters VALUES (?, ?, ?)", (task, rater, now))
            database.execute(
                "INSERT INTO marks (task, rater, query_id, doc_id, grade, marked_at) VALUES (?, ?, ?, ?, ?, ?)",
                (task, rater, query_id, doc_id, grade, now),
            )


def read_marks(task: str) -> list[dict[str, Any]]:
    """Return a task's marks in the order they were made, without those that were taken back.

    Each with rater, query_id, doc_id, grade (None: skipped), seconds (None: from a file), marked_at.
    """
    with _open() as database:
        rows = database.execute(
            "SELECT rater, query_id, doc_id, grade, seconds, marked_at FROM marks "
            "WHERE task = ? AND undone_at IS NULL ORDER BY id",
            (task,),
        )
        return [dict(row) for row in rows]
