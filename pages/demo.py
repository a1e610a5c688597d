"""Type a query and see two or three orders side by side."""

from rerank.ui.choose import choose_experiment
from rerank.ui.demo_view import demo_view
from rerank.ui.pages import open_page

say = open_page("demo")
experiment = choose_experiment(say, with_result=True)
if experiment is not None:
    demo_view(say, experiment)
