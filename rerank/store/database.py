"""The SQLite database: one connection per call, safe for several processes."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
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


@dataclass(frozen=True)
class _Kept:
    """A connection that nobody uses, and the file that it belongs to."""

    path: Path
    inode: int
    connection: sqlite3.Connection


_kept: dict[str, _Kept] = {}  # by file name: a process works in one home
_lock = threading.Lock()


@contextmanager
def open_database(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """Open a database, created if missing; commits at the end, rolls back on an exception, closes always.

    WAL lets pages read while a worker writes. What is committed is on the disk.
    """
    database = sqlite3.connect(path, timeout=30.0, isolation_level=None)
    try:
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA busy_timeout = 30000")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(schema)
        _keep_open(path)
        yield database
        if database.in_transaction:
            database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    finally:
        database.close()


def _keep_open(path: Path) -> None:
    """Hold a connection of this process open, so that none that works is the last one to close.

    The last one writes the log back into the database and removes it, which takes more than twice as long as all else
    that a small write does.
    """
    inode = path.stat().st_ino
    with _lock:
        kept = _kept.get(path.name)
        if kept is not None and (kept.path, kept.inode) == (path, inode):
            return
        connection = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # before that, nothing is open
        _kept[path.name] = _Kept(path, inode, connection)
    if kept is not None:
        with suppress(sqlite3.Error):  # of a folder that may be gone
            kept.connection.close()
