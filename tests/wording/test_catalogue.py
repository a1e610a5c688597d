"""Every sentence is extracted, translated and compiled, and says the same with the same facts."""

import ast
import re
from string import Formatter

import pytest

from rerank.wording.language import speaker
from tests.catalogue import (
    ROOT,
    SPEAKING,
    TRANSLATED,
    WRITTEN_AT,
    extracted,
    mo_path,
    po_path,
    read,
    read_compiled,
    sources,
)

# The same in every language: codes, symbols and units.
SYMBOLS = {"C", "D", "C→D", "D→C", "Judged@10", "USD", "p = {p}", "p {p}", "α = {setting}", "δ = {setting}"}
# English word → the one Japanese term for it (chapter 4 of the design, and what has been fixed since).
GLOSSARY = {
    r"quer(y|ies)": "クエリ",
    r"(?<!json )documents?": "文書",
    r"judgments?": "判定",
    r"unjudged": "未判定",
    r"candidates?": "候補",
    r"strateg(y|ies)": "戦略",
    r"experiments?": "実験",
    r"teachers?": "教師モデル",
    r"distil\w*": "蒸留",
    r"contrastive": "対照学習",
    r"single[ -]stages?": "単段階",
    r"second stages?": "二段階目",
    r"first stages?": "第一段検索",
    r"re-rank\w*": "再ランキング|並べ替え",
    r"margin": r"許容差（マージン）δ",
    r"equivalen\w+": "同等",
    r"95 % intervals?": "95%信頼区間",
    r"significance": "有意",
    r"baseline": "ベースライン",
    r"measures?": "指標|測定",
    r"gate": "ゲート",
    r"seeds?": "シード",
    r"folds?": "フォールド",
    r"latency": "レイテンシ",
    r"grades?": "関連度",
    r"plans?": "計画",
    r"(?<!ir-)datasets?": "データセット",
    r"loss": "損失",
    r"embedded": "内蔵",
    r"findings": "検出事項",
}
SAME_OR_NOTHING = re.compile("同じ|同等|一致|差はな|差がな|違いはな|違いがな")


def placeholders(message: str) -> set[str]:
    """Return the placeholders of a message with their conversions and formats."""
    return {
        f"{name}!{conversion}:{layout}"
        for _, name, layout, conversion in Formatter().parse(message)
        if name is not None
    }


def spoken_first_arguments() -> list[tuple[str, str, ast.expr | None]]:
    """Return place, function and first argument of every call of `say` and `later`."""
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", None)
                if name in SPEAKING:
                    place = f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
                    found.append((place, str(name), node.args[0] if node.args else None))
    return found


def is_table_entry(argument: ast.expr | None) -> bool:
    """Say whether an argument only names a message: a variable, an entry of a table or `table.get(...)`."""
    if isinstance(argument, ast.Call):
        return isinstance(argument.func, ast.Attribute) and argument.func.attr == "get"
    return isinstance(argument, (ast.Name, ast.Subscript, ast.Attribute))


def test_every_sentence_can_be_extracted() -> None:
    known = {message.id for message in extracted()}
    lost = []
    for place, name, argument in spoken_first_arguments():
        if isinstance(argument, ast.Constant):
            if argument.value not in known:
                lost.append(f"{place}: {argument.value!r}")
        elif name == "later" or not is_table_entry(argument):
            lost.append(f"{place}: {name}({ast.unparse(argument) if argument else ''})")
    assert lost == []


@pytest.mark.parametrize(
    "written", ['say(f"{n} queries")', 'say("a" + b)', 'say("{}".format(n))', 'say("a" if b else c)']
)
def test_a_sentence_that_is_put_together_is_no_table_entry(written: str) -> None:
    call = ast.parse(written, mode="eval").body
    assert isinstance(call, ast.Call)
    assert not is_table_entry(call.args[0])


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_holds_every_sentence_and_no_other(language: str) -> None:
    said = {message.id for message in extracted() if message.id}
    held = {message.id for message in read(language) if message.id}
    assert said - held == set(), "run `make messages` and translate"
    assert held - said == set(), "run `make messages`"
    assert not read(language).obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_empty_or_fuzzy(language: str) -> None:
    assert [message.id for message in read(language) if message.id and not str(message.string).strip()] == []
    assert [message.id for message in read(language) if message.id and message.fuzzy] == []
    assert "#, fuzzy" not in po_path(language).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_takes_the_same_facts(language: str) -> None:
    differing = [
        message.id
        for message in read(language)
        if message.id and placeholders(str(message.id)) != placeholders(str(message.string))
    ]
    assert differing == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    written = {message.id: message.string for message in read(language) if message.id}
    compiled = {message.id: message.string for message in read_compiled(language) if message.id}
    assert compiled == written, "run `make messages`"
    assert mo_path(language).is_file()


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_changes_only_with_its_sentences(language: str) -> None:
    assert read(language).creation_date == read(language).revision_date == WRITTEN_AT


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_left_in_english(language: str) -> None:
    assert {message.id for message in read(language) if message.id and message.id == message.string} <= SYMBOLS


def test_japanese_uses_one_term_for_one_thing() -> None:
    strays = []
    for message in read("ja"):
        english = re.sub(r"\{\w*\}", "", str(message.id)).lower()
        for word, term in GLOSSARY.items():
            if re.search(rf"\b{word}\b", english) and not re.search(term, str(message.string)):
                strays.append(f"{word}: {message.id} → {message.string}")
    assert strays == []


def test_a_japanese_sentence_ends_as_one() -> None:
    unended = [
        message.string
        for message in read("ja")
        if str(message.id).endswith((".", ".)")) and not str(message.string).endswith(("。", "}"))
    ]
    assert unended == []


def test_what_is_not_shown_never_reads_as_the_same_in_japanese() -> None:
    say = speaker("ja")
    open_ones = (
        "Not worse",
        "Inconclusive",
        "The data do not say whether {challenger} differs from {reference}: {delta} {measure}, 95 % interval "
        "{interval}, {n} queries.",
        "{challenger} is not worse than {reference} by more than {margin} {measure}: difference {delta}, 95 % interval "
        "{interval}, {n} queries.",
        "A gain of the single stage is neither shown nor excluded.",
        "A gain of the single stage is not shown, and no realistic number of queries or seeds would show it.",
        "The second stage is not shown to add anything.",
        "Whether the second stage adds anything is open; the cheaper option wins.",
        "No strategy without training is better than the first stage either.",
        "It is not shown that the single stage beats the best strategy without training.",
        "It is not shown that the teacher is better than what is free.",
        "Stop here: fine-tuning shows no gain worth paying for.",
    )
    held = {message.id for message in read("ja")}
    assert set(open_ones) <= held
    assert [sentence for sentence in open_ones if SAME_OR_NOTHING.search(say(sentence))] == []
