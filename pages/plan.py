"""Fix the question, the KPI and the margin before anything is trained."""

from rerank.ui.choose import choose_dataset
from rerank.ui.pages import open_page
from rerank.ui.plan_forecast import forecast_panel
from rerank.ui.plan_form import plan_form
from rerank.ui.plan_language import language_warning
from rerank.ui.plan_power import power_panel
from rerank.ui.plan_start import start_panel

say = open_page("plan")
manifest = choose_dataset(say)
if manifest is not None:
    plan = plan_form(say, manifest)
    if plan is not None:
        language_warning(say, plan, manifest)
        power_panel(say, plan)
        forecast_panel(say, plan)
        start_panel(say, plan, manifest)
