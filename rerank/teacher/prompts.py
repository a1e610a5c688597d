"""Prompts: texts in files that users can edit, filled with queries and documents that stay data."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.store.home import bundled, home

Message = dict[str, str]

_NEEDED = {"listwise": {"query", "documents"}, "graded": {"query", "document"}, "yes_no": {"query", "document"}}
_TEXTS = {
    "listwise": ("system", "user", "document"),
    "graded": ("system", "user"),
    "yes_no": ("system", "user", "yes", "no"),
}
_PLACE = re.compile(r"\{([a-z]+)\}")
# What could end a document's part of the prompt, name another document, or begin a turn of the conversation.
_MARK = re.compile(
    r"<(?=\s*/?\s*(?:query|document|instruct|system|user|assistant|think)|\s*[|｜])|[＜〈](?=\s*/)", re.IGNORECASE
)
_TURN = re.compile(r"\[(?=\s*/?\s*(?:INST|SYS)\b)", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[\[［【]\s*([0-9０-９]{1,9})\s*[\]］】]")
_ORDER = re.compile(r"(?<=[0-9０-９)])(\s*)[>＞](?=\s*[(0-9０-９])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True)
class Prompt:
    """A prompt's texts; kind: `listwise`, `graded` or `yes_no`.

    digest: SHA-256 of what is sent besides query and documents. yes, no: the words of a `yes_no` prompt's answers.
    """

    kind: str
    system: str
    user: str
    document: str
    digest: str
    yes: str = ""
    no: str = ""


def load_prompt(kind: str, version: str, language: str) -> Prompt:
    """Read a prompt, the user's own file before the one that comes with the program.

    Raises RerankError `prompt_missing` (facts: file, folder) and `prompt_broken` (facts: file, reason).
    """
    name = f"{kind}-{version}-{language}.toml"
    own = home() / "prompts" / name
    path = own if own.is_file() else bundled("prompts") / name
    if not path.is_file():
        raise RerankError("prompt_missing", file=name, folder=str(own.parent))
    return _read(path, kind)


def _read(path: Path, kind: str) -> Prompt:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RerankError("prompt_broken", file=str(path), reason=str(error)) from error
    names = _TEXTS[kind]
    if set(found) != set(names) or not all(isinstance(found[name], str) for name in names):
        raise RerankError("prompt_broken", file=str(path), reason=", ".join(names))
    texts = {name: found[name].strip() for name in names}
    for name, needed in (("user", _NEEDED[kind]), ("document", {"id", "text"})):
        missing = needed - set(_PLACE.findall(texts.get(name, "")))
        if name in texts and missing:
            raise RerankError("prompt_broken", file=str(path), reason=f"{name}: {{{sorted(missing)[0]}}}")
    if kind == "yes_no" and texts["user"].count("{document}") != 1:
        raise RerankError("prompt_broken", file=str(path), reason="user: {document}")
    return Prompt(
        kind,
        texts["system"],
        texts["user"],
        texts.get("document", ""),
        digest_of([kind, texts]),
        texts.get("yes", ""),
        texts.get("no", ""),
    )


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Put values into their places in one pass: what is put in is not searched for places again."""
    return _PLACE.sub(lambda place: values.get(place.group(1), place.group(0)), template)


def as_data(text: str, most: int) -> str:
    """Return text that can end nothing and name nothing in a prompt, its first `most` letters.

    `</document>` becomes `‹/document>`, `[3] > [1]` becomes `(3) › (1)`, `<|im_start|>` becomes `‹|im_start|>`;
    control and invisible characters go.
    """
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n"))
    text = _TURN.sub("(", _IDENTIFIER.sub(r"(\1)", _MARK.sub("‹", text)))
    text = _ORDER.sub(r"\1›", text)
    return text.strip()[:most].rstrip()


def listwise_messages(prompt: Prompt, query: str, documents: Sequence[str], most: int) -> list[Message]:
    """Return the messages that ask for an ordering of documents, numbered from 1. most: letters of a text."""
    parts = [
        _filled(prompt.document, {"id": str(number), "text": as_data(text, most)})
        for number, text in enumerate(documents, 1)
    ]
    values = {"query": as_data(query, most), "n": str(len(documents)), "documents": "\n".join(parts)}
    return _messages(prompt, values)


def graded_messages(prompt: Prompt, query: str, document: str, most: int) -> list[Message]:
    """Return the messages that ask for one document's grade. most: letters of a text."""
    return _messages(prompt, {"query": as_data(query, most), "document": as_data(document, most)})


def yes_no_parts(prompt: Prompt, query: str, most: int) -> tuple[str, str]:
    """Return what a yes-or-no question says before the document and after it. most: letters of the query."""
    before, after = prompt.user.split("{document}")
    values = {"query": as_data(query, most)}
    return _filled(before, values), _filled(after, values)


def _messages(prompt: Prompt, values: Mapping[str, str]) -> list[Message]:
    return [
        {"role": "system", "content": prompt.system},
        {"role": "user", "content": _filled(prompt.user, values)},
    ]
