"""What this is for, where you are, and what to do next."""

import streamlit as st

from rerank.ui.overview import newest_decision, next_step, steps
from rerank.ui.pages import open_page

say = open_page("overview")
st.write(
    say(
        "Is it worth fine-tuning a re-ranker for your search? Upload a sample of your queries and documents: "
        "this measures the gain, how sure it is and what it costs, side by side, and says what to do next."
    )
)
newest_decision(say)
steps(say)
next_step(say)
