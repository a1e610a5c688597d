"""Searching leaves a GPU alone, whatever else is installed."""

import os
import subprocess
import sys
from pathlib import Path


def test_jax_is_kept_off_the_gpu(tmp_path: Path) -> None:
    """A package called jax stands in for it: bm25s imports it and computes a selection when it is imported itself."""
    package = tmp_path / "jax"
    package.mkdir()
    (package / "__init__.py").write_text("import os\nprint('platforms', os.environ.get('JAX_PLATFORMS'))\n")
    (package / "lax.py").write_text("def top_k(values, k):\n    return values, k\n")
    environment = {key: value for key, value in os.environ.items() if key != "JAX_PLATFORMS"}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    found = subprocess.run(
        [sys.executable, "-c", "import rerank.retrieval.bm25"],
        capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[2], check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "platforms cpu"
