"""Bring a sample in, see what is wrong with it, decide what is kept."""

import streamlit as st

from rerank.ui.benchmark_form import benchmark_form
from rerank.ui.dataset_view import dataset_view
from rerank.ui.inbox import inbox_view
from rerank.ui.pages import open_page
from rerank.ui.sample import sample_button
from rerank.ui.upload import upload

say = open_page("data")
stored, new, large = st.tabs([say("Your datasets"), say("Upload a sample"), say("Import from the server")])
with stored:
    dataset_view(say)
    sample_button(say)
with new:
    upload(say)
    benchmark_form(say)
with large:
    inbox_view(say)
