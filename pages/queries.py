"""Why the mean moved: wins and losses query by query, and the two orders side by side."""

from rerank.ui.choose import choose_experiment
from rerank.ui.pages import open_page
from rerank.ui.query_view import query_view

say = open_page("queries")
experiment = choose_experiment(say, with_result=True)
if experiment is not None:
    query_view(say, experiment)
