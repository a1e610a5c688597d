"""What the trainings tell beyond their ranking: would more judgments help, and what of stage two's gain is its own."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rerank.figures.curve import learning_curve
from rerank.ui.safe import markdown
from rerank.ui.show import figure, table
from rerank.wording.inheritance import inheritance_sentences, inheritance_table
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


def inheritance(say: Say, result: Mapping[str, Any]) -> None:
    """Show what students took over from their teacher, where something distils."""
    sentences = inheritance_sentences(say, result)
    if not sentences:
        return
    heading = say("What the student took over from its teacher")
    st.markdown(f"**{heading}**")
    # On a line of its own: Markdown takes no bold that ends in "。" with a letter right behind it.
    st.markdown(f"**{markdown(sentences[0])}**")
    st.markdown(markdown(say.joined(sentences[1:]), 1200))
    table(say, inheritance_table(say, result), "inheritance")
    st.caption(
        say(
            "Judged documents only; a contradiction is an error of the teacher's or of a judgment, and the teacher's "
            "audit lists the strongest. A model that learned from judgments alone makes some of the same errors, as "
            "they are hard: the difference is what distillation adds. Spearman: whether documents of the same grade "
            "are ordered by their length, or by the query's words in them; 0 is no preference."
        )
    )
