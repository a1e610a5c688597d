"""README.md: its commands exist, and it explains every verdict and decision."""

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest

from rerank.cli.main import _parser
from rerank.decide.evidence import DECISIONS
from rerank.planning.power import SD_BETWEEN_RERANKERS, SD_FIRST_STAGE, minimum_detectable_effect
from rerank.stats.comparison import Verdict

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("line", [line for line in SHELL if "rerank" in line])
def test_every_command_is_one_that_the_program_knows(line: str) -> None:
    program, *arguments = shlex.split(line)
    given = _parser().parse_args(arguments)
    assert program == ".venv/bin/rerank"
    assert (ROOT / getattr(given, "data", "README.md")).exists()


@pytest.mark.parametrize("flag", sorted(set(re.findall(r"`(--[\w-]+)", README))))
def test_every_flag_is_one_that_the_program_knows(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    known = ""
    for arguments in (["--help"], ["run", "--help"]):
        with pytest.raises(SystemExit):
            _parser().parse_args(arguments)
        known += capsys.readouterr().out
    assert flag in known


def test_the_help_explains_the_same_exit_codes() -> None:
    table = README.split("| Exit code |")[1].split("\n\n")[0]
    explained = re.findall(r"^\| (\d) \|", table, re.MULTILINE)
    assert explained == ["0", "1", "2", "3"]
    assert re.findall(r"\d", _parser().epilog or "") == explained


def test_the_makefile_has_the_named_targets() -> None:
    targets = re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"(?:`|^)make ([a-z0-9]+)", README, re.MULTILINE))
    assert {"run", "test"} <= named <= set(targets)


def test_every_verdict_and_decision_is_put_into_words() -> None:
    told = {code for line in README.splitlines() if line.startswith("| `") for code in re.findall(r"`(\w+)`", line)}
    assert set(get_args(Verdict)) | set(DECISIONS) <= told


def test_the_promised_sensitivity_is_what_the_plan_page_would_say() -> None:
    assert "100 tested queries" in README
    for sd, told in ((SD_BETWEEN_RERANKERS, 0.03), (SD_FIRST_STAGE, 0.06)):
        assert f"of {told}" in README
        assert round(minimum_detectable_effect(100, sd, comparisons=2), 2) == told
