"""What the trainings tell beyond their ranking: would more judgments help, and what of stage two's gain is its own."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rerank.figures.curve import learning_curve
from rerank.ui.show import figure, table
from rerank.wording.language import Say
from rerank.wording.tables import attribution_table, curve_table


def curve(say: Say, result: Mapping[str, Any]) -> None:
    """Show the learning curve, if one was planned."""
    if not result.get("learning_curve"):
        st.write(say("The plan has no learning curve: nothing is known of what more judgments would bring."))
        return
    heading = say("Would more judgments help?")
    st.markdown(f"**{heading}**")
    drawn = learning_curve(say, result)
    figure(say, drawn, curve_table(say, result), "learning_curve", heading)
    st.caption(
        say(
            "Trained on parts of the training queries; smaller parts lie in larger ones, test queries are the same. "
            "Bars: 95 % interval of the difference to the first stage. Seeds per point: {n}; with one, a point can be "
            "lucky.",
            n=result["learning_curve"][0]["n_seeds"],
        )
    )


def attribution(say: Say, result: Mapping[str, Any]) -> None:
    """Show what the second stage's gain is made of, where its controls were trained."""
    if not result.get("attribution"):
        return
    heading = say("What the second stage's gain is made of")
    st.markdown(f"**{heading}**")
    table(say, attribution_table(say, result), "attribution")
    st.caption(
        say(
            "The parts add up to the difference between two stages and the single one. Exploratory: the controls have "
            "the same number of training steps as the two stages together."
        )
    )
