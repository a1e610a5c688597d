"""What the teacher is worth before it teaches, and where it and the human disagree."""

from rerank.ui.audit_view import audit_view
from rerank.ui.choose import choose_experiment
from rerank.ui.pages import open_page

say = open_page("teacher")
experiment = choose_experiment(say)
if experiment is not None:
    audit_view(say, experiment)
