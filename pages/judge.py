"""People judge pairs of query and document, blind to who found them."""

from rerank.ui.judge_view import judge_view
from rerank.ui.pages import open_page

say = open_page("judge")
judge_view(say)
