"""The message catalogues: `python -m tests.catalogue` extracts every sentence, merges and compiles."""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from rerank.wording.language import DEFAULT, DOMAIN, FOLDER, LANGUAGES

ROOT = Path(__file__).resolve().parents[1]
SPEAKING = ("say", "later")  # their first argument is a message
TRANSLATED = [language for language in LANGUAGES if language != DEFAULT]
# One constant time: a catalogue changes in the repository when a sentence does, never because it was written again.
WRITTEN_AT = datetime(2025, 1, 1, tzinfo=UTC)


def sources() -> Iterator[Path]:
    """Yield every file that can hold a sentence."""
    yield ROOT / "app.py"
    yield from sorted((ROOT / "pages").glob("*.py"))
    yield from sorted((ROOT / "rerank").rglob("*.py"))


def extracted() -> Catalog:
    """Return every sentence of the product with the files that say it."""
    template = Catalog(project=DOMAIN, charset="utf-8", creation_date=WRITTEN_AT, revision_date=WRITTEN_AT)
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        for _, message, comments, _ in extract_from_file("python", path, keywords=dict.fromkeys(SPEAKING)):
            template.add(message, locations=[(place, None)], auto_comments=comments)
    return template


def po_path(language: str) -> Path:
    """Return where a language's translations are written."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def mo_path(language: str) -> Path:
    """Return where a language's compiled translations lie."""
    return po_path(language).with_suffix(".mo")


def read(language: str) -> Catalog:
    """Return a language's translations; empty when there is no file yet."""
    path = po_path(language)
    if not path.is_file():
        return Catalog(locale=language, project=DOMAIN, charset="utf-8")
    with path.open("rb") as stream:
        return read_po(stream, locale=language, domain=DOMAIN)


def read_compiled(language: str) -> Catalog:
    """Return a language's compiled translations."""
    with mo_path(language).open("rb") as stream:
        return read_mo(stream)


def update(language: str) -> Catalog:
    """Merge the sentences of the source into a language's catalogue, write it and compile it.

    A sentence that changed keeps its old translation, marked fuzzy, until somebody has looked at it; one
    that is gone is dropped.
    """
    catalogue = read(language)
    catalogue.update(extracted(), update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.header_comment = f"# {LANGUAGES[language]}"
    catalogue.fuzzy = False
    catalogue.creation_date = catalogue.revision_date = WRITTEN_AT
    catalogue.version, catalogue.msgid_bugs_address = "1", ""
    catalogue.last_translator = catalogue.language_team = "rerank"
    written = io.BytesIO()
    write_po(written, catalogue, width=0, sort_by_file=True, include_lineno=False)
    po_path(language).parent.mkdir(parents=True, exist_ok=True)
    po_path(language).write_bytes(written.getvalue())
    with mo_path(language).open("wb") as stream:
        write_mo(stream, read(language))
    return read(language)


def main() -> int:
    """Update every language; 0 when every sentence is translated, else 1 with the ones that are not."""
    missing = 0
    for language in TRANSLATED:
        catalogue = update(language)
        open_messages = [message for message in catalogue if message.id and (not message.string or message.fuzzy)]
        for message in open_messages:
            print(f"{language}: {'changed' if message.string else 'missing'}: {message.id}")
        print(f"{language}: {len(catalogue)} sentences, {len(open_messages)} to translate")
        missing += len(open_messages)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
