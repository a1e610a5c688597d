"""Who may import whom, checked in a fresh interpreter and in the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "transformers", "sentence_transformers", "scipy.stats", "sklearn")
WORKER_SIDE = ("bench", "training", "models", "teacher", "serving", "worker")
PURE = (
    "intake",
    "judging",
    "planning",
    "retrieval",
    "adequacy",
    "evaluation",
    "stats",
    "audit",
    "cost",
    "decide",
    "validity",
)


def modules(folder: str) -> list[str]:
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name != "__main__.py"
    ]


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def loaded_after(names: list[str]) -> set[str]:
    """Which heavy packages a fresh interpreter holds after importing modules."""
    code = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
    code += f"print(','.join(name for name in {HEAVY!r} if name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(filter(None, ran.stdout.strip().split(",")))


def test_the_web_process_loads_neither_torch_nor_other_slow_packages() -> None:
    assert loaded_after([*modules("rerank/ui"), *modules("rerank/jobs")]) == set()


def test_the_command_line_loads_no_torch() -> None:
    assert "torch" not in loaded_after(modules("rerank/cli"))


def test_the_engine_runs_without_streamlit() -> None:
    code = "import sys, rerank.worker.experiment, rerank.serving.engine\nprint('streamlit' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize("path", sorted((ROOT / "rerank").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_room_imports_only_what_it_may(path: Path) -> None:
    room = path.relative_to(ROOT / "rerank").parts[0]
    named = imports_of(path)
    roots = {name.split(".")[0] for name in named}
    rooms = {name.split(".")[1] for name in named if name.startswith("rerank.") and name.count(".") >= 1}
    if room != "ui":
        assert "streamlit" not in roots
    if room not in WORKER_SIDE:
        assert not roots & {"torch", "transformers"}
        assert not rooms & set(WORKER_SIDE), "worker-side rooms are reached through a process"
    if room in PURE:
        assert not rooms & {"ui", "cli", "report", "figures", "wording", "jobs"}
    if room != "figures" and room != "ui":
        assert "plotly" not in roots
    if room == "store":
        assert rooms <= {"store", "errors", "digests"}
    if room not in ("store", "jobs", "worker"):
        assert "sqlite3" not in roots


def test_pages_hold_no_logic() -> None:
    for path in [ROOT / "app.py", *(ROOT / "pages").glob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While)
        assert not [node for node in ast.walk(tree) if isinstance(node, kinds)], path.name


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "helpers", "common", "manager", "base", "misc"}
    assert not [name for name in modules("rerank") if set(name.split(".")) & empty]


def test_the_library_asserts_nothing_at_run_time() -> None:
    """`python -O` drops assert: a check that must hold raises."""
    for path in (ROOT / "rerank").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Assert)], path.name
