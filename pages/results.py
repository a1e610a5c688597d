"""Gain, certainty and cost side by side, and what to do next."""

from rerank.ui.choose import choose_experiment
from rerank.ui.pages import open_page
from rerank.ui.result_view import result_view

say = open_page("results")
experiment = choose_experiment(say, with_result=True)
if experiment is not None:
    result_view(say, experiment)
