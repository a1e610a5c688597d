"""The SQLite database: one connection per call, safe for several processes."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from rerank.store.home import home

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  spec TEXT NOT NULL,
  spec_digest TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at REAL NOT NULL,
  started_at REAL,
  finished_at REAL,
  heartbeat_at REAL NOT NULL,
  pid INTEGER,
  stop_requested INTEGER NOT NULL DEFAULT 0,
  progress TEXT NOT NULL DEFAULT '{}',
  error TEXT
);
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (created_at);
"""


def connection() -> AbstractContextManager[sqlite3.Connection]:
    """Open the database of jobs. Use `BEGIN IMMEDIATE` before reading what you will change."""
    return open_database(home() / "rerank.sqlite", _SCHEMA)


@contextmanager
def open_database(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """Open a database, created if missing; commits at the end, rolls back on an exception, closes always.

    WAL lets pages read while a worker writes.
    """
    database = sqlite3.connect(path, timeout=30.0, isolation_level=None)
    try:
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA busy_timeout = 30000")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(schema)
        yield database
        if database.in_transaction:
            database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    finally:
        database.close()
