"""Continuing an experiment from its page."""

from pathlib import Path
from typing import Any

import pytest

from rerank.jobs import queue
from rerank.planning.experiments import lock_plan
from rerank.ui import run_view
from tests.tiny import tiny_plan
from tests.ui.conftest import open_page


@pytest.mark.parametrize("devices", [("cpu",), ("cpu", "cuda"), ()])
def test_an_experiment_continues_on_the_device_of_its_last_job(
    devices: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(run_view, "start", lambda kind, spec: started.append(spec))
    experiment = lock_plan(tiny_plan(tmp_path / "model"), name="tiny", dataset_name="tiny")
    for device in devices:
        job, _ = queue.submit("experiment", {"experiment": experiment, "gate": 1, "device": device})
        queue.finish(job.id, "stopped")
    page = open_page("runs", experiment=experiment)
    page.button(key="continue").click().run()
    gate, device = (1, devices[-1]) if devices else (2, "auto")
    assert started == [{"experiment": experiment, "gate": gate, "device": device}]
