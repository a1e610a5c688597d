"""Every link from one document to another leads to a file that is there, and to a heading that it has."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
DOCUMENTS += sorted(path for folder in ("docs", "data") for path in (ROOT / folder).rglob("*.md"))
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1`*[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
TARGET = re.compile(r"\]\(<?([^()<>\s]+)>?(?: +\"[^\"]*\")?\)")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:")  # https:, mailto:


def targets_of(text: str) -> list[str]:
    """Where a document's links and images lead; what stands in code is no link."""
    prose = CODE.sub("", FENCE.sub("", text))
    found = TARGET.findall(prose)
    assert len(found) == prose.count("]("), "a link is written in a way that this test does not read"
    return found


def anchors_of(text: str) -> set[str]:
    """The anchors that GitHub gives a document's headings: lower case, hyphens for spaces, no punctuation."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} +(.+?)(?: +#+)?$", FENCE.sub("", text), re.MULTILINE):
        shown = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = plain = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
        while slug in found:  # of two equal headings the second is told apart by a number
            found[plain] += 1
            slug = f"{plain}-{found[plain]}"
        found[slug] = 0
    return set(found)


def broken_links(document: Path) -> list[str]:
    """The links of a document that lead to no file or to no heading of it."""
    found = []
    for target in targets_of(document.read_text(encoding="utf-8")):
        if ELSEWHERE.match(target):
            continue
        name, _, anchor = unquote(target).partition("#")
        path = (document.parent / name).resolve() if name else document
        if not path.exists() or (anchor and anchor not in anchors_of(path.read_text(encoding="utf-8"))):
            found.append(target)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    assert broken_links(document) == []


def test_a_link_to_no_file_or_to_no_heading_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Other\n\n```bash\n# not a heading\n```\n", encoding="utf-8")
    links = ["other.md", "other.md#other", "#here", "https://example.org/gone#x", "other.md#not-a-heading", "none.md"]
    links += ["#there", "none.png"]
    lines = [f"- ![text]({target})" for target in links]
    (tmp_path / "one.md").write_text("\n".join(["# Here", *lines, "`[code](no.md)`"]), encoding="utf-8")
    assert broken_links(tmp_path / "one.md") == ["other.md#not-a-heading", "none.md", "#there", "none.png"]


def test_anchors_are_githubs() -> None:
    text = """# The path of the data
## Is the sample “good enough”?
## `export.json`
## C→D, and D
### See [the plan](plan.md#a)
## Lock, seal, looks
## Lock, seal, looks
## snake_case – and more
## 日本語 の 見出し
"""
    assert anchors_of(text) == {
        "the-path-of-the-data",
        "is-the-sample-good-enough",
        "exportjson",
        "cd-and-d",
        "see-the-plan",
        "lock-seal-looks",
        "lock-seal-looks-1",
        "snake_case--and-more",
        "日本語-の-見出し",
    }
