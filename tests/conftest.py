"""What tests share: a home of their own and tiny data."""

import os
from pathlib import Path

import pandas as pd
import pytest

from rerank.intake.dataset import Dataset
from rerank.intake.finish import finish
from rerank.intake.reading import Source, read_files

ROOT = Path(__file__).resolve().parents[1]
LONGEST_FIRST = ("worker", "cli", "ui")

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Tiny tensors are slower on several threads, and very much slower when other processes want the same cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders that train: what is long must not be left to one process at the end."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(places)))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has an empty home: nothing is read from or left on the machine."""
    folder = tmp_path / "home"
    monkeypatch.setenv("RERANK_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def collections() -> Path:
    """Real collections, when they are there."""
    folder = Path(os.environ.get("RERANK_DATASETS", ROOT.parent / "shared" / "datasets"))
    if not folder.is_dir():
        pytest.skip("no collections on this machine")
    return folder


def tiny_files(n_queries: int = 40, n_topics: int = 8) -> list[Source]:
    """A sample whose relevant documents share a word with their query; enough to train on in seconds.

    Documents of a topic stand in another order each time: BM25, which cannot tell them apart, is not right by chance,
    and an audit has no reason to stop the embedding from teaching.
    """
    words = "apple bridge candle dragon engine forest garden harbor island jacket kettle ladder".split()
    documents = ["doc_id,title,text"]
    for topic in range(n_topics):
        for place in range(4):
            copy = (topic + place) % 4
            other = words[(topic + copy + 1) % len(words)]
            documents.append(f"d{topic}_{copy},{words[topic]} {copy},the {words[topic]} and the {other} number {copy}")
    queries, judgments = ["query_id,query,segment"], ["query_id,doc_id,grade"]
    for number in range(n_queries):
        topic = number % n_topics
        queries.append(f"q{number},about {words[topic]} {number},{'even' if number % 2 == 0 else 'odd'}")
        for copy in range(4):
            judgments.append(f"q{number},d{topic}_{copy},{max(0, 2 - copy)}")
        judgments.append(f"q{number},d{(topic + 1) % n_topics}_0,0")
    return [
        Source("queries.csv", "\n".join(queries).encode()),
        Source("documents.csv", "\n".join(documents).encode()),
        Source("judgments.csv", "\n".join(judgments).encode()),
    ]


@pytest.fixture
def tiny() -> Dataset:
    """A tiny dataset of 40 queries."""
    return finish(read_files(tiny_files()), "tiny")


def frame(**columns: list[object]) -> pd.DataFrame:
    """A frame from columns."""
    return pd.DataFrame(columns)
