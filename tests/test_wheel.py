"""What an installation without the source tree has."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rerank.cost.prices import current_prices
from rerank.errors import RerankError
from rerank.store import home

ROOT = Path(__file__).resolve().parents[1]
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
USE = """
from rerank.cost.prices import current_prices, labour_price
from rerank.intake.finish import finish
from rerank.intake.disk import read_folder
from rerank.store import home
from rerank.wording.card import _template
_template()
print(home._PACKAGE)
print(labour_price(current_prices()).kind, len(finish(read_folder(home.bundled("sample")), "sample").queries))
"""


def test_a_wheel_carries_prices_and_sample(tmp_path: Path) -> None:
    tree, installed = tmp_path / "tree", tmp_path / "installed"
    tree.mkdir()
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for name in ("rerank", "data"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=tree, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    shutil.rmtree(tree)
    environment = os.environ | {"PYTHONPATH": str(installed)}
    said = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert said.stdout.splitlines() == [str(installed / "rerank"), "labour 216"]


def test_what_an_installation_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "_PACKAGE", tmp_path / "rerank")
    with pytest.raises(RerankError) as raised:
        current_prices()
    assert (raised.value.code, raised.value.facts) == ("bundled_missing", {"file": "data/prices.csv"})
