"""Which files of a folder or an archive are part of a sample."""

from collections.abc import Sequence
from pathlib import PurePosixPath

READABLE = (
    ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".trec", ".run", ".qrels", ".gz", ".xlsx", ".xlsm",
    ".parquet", ".zip", ".xml", ".topics", ".tab", ".dat", ".log",
)  # fmt: skip
_NOT_DATA = ("readme", "source", "stats", "manifest", "licence", "license", "agreement")
_KNOWN_NOTES = ("readme", "manifest", "licen")  # notes about the sample are no part of it, and everybody knows
_BESIDE = ("candidates", "teacher_scores")
_TABLES = (".csv", ".tsv", ".run", ".trec", ".jsonl", ".txt")


def choose(names: Sequence[str]) -> tuple[list[tuple[str, str | None]], list[str]]:
    """Return the files to read with the role that their place gives them, and those that are left.

    names: paths below the folder, with `/`. In a BEIR folder only its own files count, and `qrels.tsv` wins over
    `qrels/`; elsewhere every file of a known kind.
    """
    chosen: list[tuple[str, str | None]] = []
    root = _beir_root(names)
    if root is not None:
        chosen.extend(_beir(names, root))
    else:
        for name in sorted(names):
            path = PurePosixPath(name)
            if path.suffix.lower() in READABLE and not path.name.lower().startswith(_NOT_DATA):
                chosen.append((name, None))
    read = {name for name, _ in chosen}
    left = [name for name in sorted(names) if name not in read]
    return chosen, [name for name in left if not PurePosixPath(name).name.lower().startswith(_KNOWN_NOTES)]


def _beir_root(names: Sequence[str]) -> str | None:
    """Return the folder that holds corpus.jsonl and queries.jsonl, "" for the top; None when there is none."""
    known = set(names)
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        root = name.removesuffix("corpus.jsonl")
        if (name == "corpus.jsonl" or name.endswith("/corpus.jsonl")) and f"{root}queries.jsonl" in known:
            return root
    return None


def _beir(names: Sequence[str], root: str) -> list[tuple[str, str | None]]:
    known = sorted(names)
    found: list[tuple[str, str | None]] = [(f"{root}queries.jsonl", "queries"), (f"{root}corpus.jsonl", "documents")]
    if f"{root}qrels.tsv" in known:
        found.append((f"{root}qrels.tsv", "judgments"))
    else:
        folder = f"{root}qrels/"
        found += [(name, "judgments") for name in known if name.startswith(folder) and name.endswith(".tsv")]
    for stem in _BESIDE:
        found += [(name, stem) for name in known if _is_beside(name, root, stem)]
    found += [(name, None) for name in known if _is_beside(name, root, "individual_ratings")]
    return found


def _is_beside(name: str, root: str, stem: str) -> bool:
    path = PurePosixPath(name.removeprefix(root))
    return name.startswith(root) and len(path.parts) == 1 and path.stem == stem and path.suffix in _TABLES
