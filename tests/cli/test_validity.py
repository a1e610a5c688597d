"""`rerank validity`: from a file of scores to a page and figures, and what it says about files that it cannot use."""

import json
from pathlib import Path

import pytest

from rerank.cli import validity
from rerank.cli.main import BAD_INPUT, DONE, main
from rerank.store.home import bundled
from rerank.validity.study import Effort

LEAST = Effort(
    alarms_each=3,
    other_measures_each=2,
    bca=10,
    families_each=2,
    margins_each=2,
    further_any=2,
    further_own=1,
    further_fixed_each=1,
    power_each=1,
    powers=(0.8,),
    luck=10,
)


def test_own_scores_become_a_page_and_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validity, "QUICK", LEAST)
    scores, figures, page = bundled("validity") / "trained.csv", tmp_path / "f.json", tmp_path / "validity.md"
    given = ["--scores", str(scores), "--json", str(figures), "--doc", str(page)]
    assert main(["--lang", "en", "validity", "--quick", *given]) == DONE
    shown = capsys.readouterr().out
    found = json.loads(figures.read_text())
    assert f"{found['false_better']['200']:.1%}; at most 5%" in shown
    assert shown.endswith(f"The whole account: {page}\n")
    text = page.read_text()
    assert f"| {found['coverage']:.1%}".replace("%", " %") in text
    assert "| epqa_dev, trained | 283 |" in text
    assert "Scores come from the files that the command names." in text
    assert "| Success@1 |" not in text  # the file holds no such measure
    assert all(line.count("|") > 2 for line in text.splitlines() if line.startswith("|"))


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (None, "There is no file or folder at {path}. Check the spelling."),
        (
            "strategy,query_id,value\nC,1,0.5\n",
            "{path} has no column “measure”. A per_query.csv has: strategy, query_id, ",
        ),
        (
            "strategy,query_id,measure,value\nC,1,nDCG@10,0.5\nC,2,nDCG@10,good\n",
            "{path}, line 3: “good” is no number.",
        ),
        ("strategy,query_id,measure,value\nC,1,nDCG@10,nan\n", "{path}, line 2: “nan” is no number."),
        ("", "{path} cannot be read as CSV: "),
        ("strategy,query_id,measure,value\nC,1,nDCG@10,0.5\n", "No two strategies have at least 50 common queries"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_and_nothing_is_written(
    written: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, page = tmp_path / "scores.csv", tmp_path / "validity.md"
    if written is not None:
        path.write_text(written)
    assert main(["--lang", "en", "validity", "--scores", str(path), "--doc", str(page)]) == BAD_INPUT
    assert capsys.readouterr().err.startswith(sentence.format(path=path))
    assert not page.exists()
