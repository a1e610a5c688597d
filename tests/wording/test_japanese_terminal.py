"""The command line and the figures speak Japanese when they are asked to."""

import re
from pathlib import Path

import pytest

from rerank.cli.main import main
from rerank.figures.forest import forest
from rerank.figures.grades import grade_histogram
from rerank.figures.power import detectable_effect
from rerank.wording.language import speaker
from tests.conftest import ROOT

JAPANESE = re.compile("[ぁ-んァ-ヶ一-龠]")


def in_japanese(text: str) -> bool:
    return all(JAPANESE.search(line) for line in text.splitlines() if line.strip())


def test_a_check_is_reported_in_japanese(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "ja", "check", str(ROOT / "data" / "sample")]) == 0
    said = capsys.readouterr().out
    assert in_japanese(said)
    assert said.splitlines()[-1] == "実行できます。"


def test_the_terminals_language_is_taken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert main(["check", str(ROOT / "data" / "sample")]) == 0
    assert in_japanese(capsys.readouterr().out)


def test_bad_rows_are_named_in_japanese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "queries.csv").write_text("query_id,text\nq1,返品の方法\nq1,領収書\n,在庫\n", encoding="utf-8")
    (tmp_path / "documents.csv").write_text("doc_id,text\nd1,返品の手順\n", encoding="utf-8")
    (tmp_path / "judgments.csv").write_text("query_id,doc_id,grade\nq1,d1,2\nq9,d1,1\n", encoding="utf-8")
    assert main(["--lang", "ja", "check", str(tmp_path)]) == 2
    said = capsys.readouterr().out
    assert in_japanese(said)
    assert "queries.csv:3  同じクエリIDがすでにあります（「queries.csv」の2行目）。最初のものを使います。" in said
    assert "判定のクエリがサンプルにありません。" in said


def test_an_error_is_said_in_japanese(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "ja", "check", "no/such/place"]) == 2
    assert capsys.readouterr().err == (
        "「no/such/place」にファイルもフォルダーもありません。パスを確認してください。\n"
    )


def test_figures_are_labelled_in_japanese() -> None:
    say = speaker("ja")
    found = {"reference": "first-stage", "challenger": "C", "measure": "nDCG@10", "verdict": "inconclusive"}
    found |= {"delta": 0.01, "ci_low": -0.02, "ci_high": 0.04}
    drawn = forest(say, [found], 0.02)
    (point,) = drawn.data
    assert point.y == ("C 対 第一段検索",)
    assert point.text == ("  ? 判断できない",)
    histogram = grade_histogram(say, {0: 3, 2: 1})
    assert (histogram.layout.xaxis.title.text, histogram.layout.yaxis.title.text) == ("関連度", "判定")
    curves = {kind: [(15, 0.1), (40, 0.06)] for kind in ("to_first", "between")}
    power = detectable_effect(say, curves, dict.fromkeys(curves, (15, 0.1)), 0.02)
    assert [line.name for line in power.data if line.mode == "lines"] == [
        "第一段検索との比較",
        "再ランキング同士の比較",
    ]
    assert power.data[1].text == ("この計画",)
