"""What the line under a running job says, in both languages."""

from rerank.jobs.records import Job
from rerank.wording.language import speaker
from rerank.wording.progress import progress_line


def job(state: str = "running", **progress: object) -> Job:
    return Job("j", "experiment", {}, state, 0.0, 0.0, None, 0.0, False, progress, None)  # type: ignore[arg-type]


TRAINING = {"phase": "training", "share": 0.25, "stage": "C-then-D", "n_stages_done": 2, "n_stages": 7, "loss": 0.5}


def test_one_stage_at_a_time_is_named() -> None:
    line = progress_line(speaker("en"), job(**TRAINING, seconds_left=90.0, cost_usd=0.25))
    assert line == "Training the stages · 25% · C→D (2 of 7 stages done) · loss 0.500 · 1.5 min left · $0.250"


def test_stages_side_by_side_are_counted() -> None:
    at_once = {**TRAINING, "n_side_by_side": 3}
    assert "C→D and 2 more at once (2 of 7 stages done)" in progress_line(speaker("en"), job(**at_once))
    assert "C→Dほか2件を同時に学習（学習段階 2/7 完了）" in progress_line(speaker("ja"), job(**at_once))


def test_a_stage_is_not_named_while_test_queries_are_ranked() -> None:
    assert progress_line(speaker("en"), job(**{**TRAINING, "phase": "ranking"})) == "Ranking the test queries · 25%"


def test_a_waiting_job_says_so() -> None:
    assert progress_line(speaker("en"), job("queued")) == "Waiting to start"
