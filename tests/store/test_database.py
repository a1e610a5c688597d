"""A database of a process: what is written is there for others, wherever the home goes and however the process ends."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rerank.store.database import open_database

SCHEMA = "CREATE TABLE IF NOT EXISTS words (word TEXT)"
WRITE = f"""
import os, signal, sys
from pathlib import Path
from rerank.store.database import open_database
for word in ("one", "two"):
    with open_database(Path(sys.argv[1]), {SCHEMA!r}) as database:
        database.execute("INSERT INTO words VALUES (?)", (word,))
if len(sys.argv) > 2:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def write(path: Path, word: str) -> None:
    with open_database(path, SCHEMA) as database:
        database.execute("INSERT INTO words VALUES (?)", (word,))


def words_in(path: Path) -> list[str]:
    """What somebody else finds in the file."""
    database = sqlite3.connect(path)
    found = [word for (word,) in database.execute("SELECT word FROM words ORDER BY rowid")]
    database.close()
    return found


def test_what_is_written_is_there_for_others_at_once_and_the_log_stays(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"
    for n, word in enumerate(("one", "two", "three"), 1):
        write(path, word)
        assert len(words_in(path)) == n
        # Who closes last writes the log back and removes it: a small write would take more than twice as long.
        assert Path(f"{path}-wal").stat().st_size > 0


def test_an_error_takes_back_what_was_begun(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"
    write(path, "one")

    def interrupted() -> None:
        with open_database(path, SCHEMA) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT INTO words VALUES ('two')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert words_in(path) == ["one"]


def test_a_home_that_was_removed_and_made_again_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "home" / "words.sqlite"
    for word in ("before", "after"):
        path.parent.mkdir()
        write(path, word)
        assert words_in(path) == [word]
        shutil.rmtree(path.parent)


def test_two_homes_by_turns_do_not_mix(tmp_path: Path) -> None:
    paths = [tmp_path / name / "words.sqlite" for name in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
    for n in range(6):
        write(paths[n % 2], f"word {n}")
    assert words_in(paths[0]) == ["word 0", "word 2", "word 4"]
    assert words_in(paths[1]) == ["word 1", "word 3", "word 5"]


def test_after_a_process_has_ended_its_database_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"
    subprocess.run([sys.executable, "-c", WRITE, str(path)], check=True)
    assert [found.name for found in tmp_path.iterdir()] == ["words.sqlite"]
    assert words_in(path) == ["one", "two"]


def test_a_kill_loses_nothing_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"
    killed = subprocess.run([sys.executable, "-c", WRITE, str(path), "kill"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert words_in(path) == ["one", "two"]
    write(path, "three")
    assert words_in(path) == ["one", "two", "three"]
