"""What is running, what has run, and the gates."""

from rerank.ui.choose import choose_experiment
from rerank.ui.pages import open_page
from rerank.ui.run_view import run_view

say = open_page("runs")
experiment = choose_experiment(say)
if experiment is not None:
    run_view(say, experiment)
