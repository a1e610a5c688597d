"""The dashboard: `streamlit run app.py`."""

from rerank.ui.pages import run_app

run_app()
