"""What a teacher needs: a model on this machine, or where a language model answers, how it is asked, at what cost."""

from dataclasses import replace

import streamlit as st

from rerank.cost.prices import current_prices
from rerank.cost.tokens import listed_token_price
from rerank.planning.plan import (
    LANGUAGE_MODELS,
    LOCAL_MODELS,
    LanguageModel,
    ListwiseMode,
    LocalTeacher,
    Plan,
    PromptLanguage,
)
from rerank.wording.language import Say
from rerank.wording.names import LISTWISE_MODES, PROMPT_LANGUAGES, name_of


def teacher_settings(say: Say, plan: Plan, key: str) -> Plan:
    """Show what the plan's teacher needs besides its name, and return the plan with it; free ones need nothing."""
    if plan.teacher in LANGUAGE_MODELS:
        with st.container(border=True):
            st.subheader(say("Language model as the teacher"), anchor=False)
            return replace(plan, llm=teacher_form(say, plan, key))
    if plan.teacher in LOCAL_MODELS:
        with st.container(border=True):
            st.subheader(say("A larger model on this machine as the teacher"), anchor=False)
            return replace(plan, local_teacher=local_teacher_form(say, plan, key))
    return plan


def local_teacher_form(say: Say, plan: Plan, key: str) -> LocalTeacher:
    """Show what a larger model on this machine needs and return it."""
    local = plan.local_teacher
    is_asked = plan.teacher == "causal-lm"
    st.caption(
        say(
            "The model is asked yes or no about every candidate; its score is how much more probable yes is. Nothing "
            "leaves this machine. Its cost is the time of this device."
        )
        if is_asked
        else say(
            "The model scores every candidate with the same engine as the student. Nothing leaves this machine. Its "
            "cost is the time of this device."
        )
    )
    one, two, three = st.columns(3)
    with one:
        model = st.text_input(
            say("Teacher's model"),
            value=local.model,
            placeholder="Qwen/Qwen3-Reranker-0.6B" if is_asked else "BAAI/bge-reranker-v2-m3",
            key=f"local_model_{plan.teacher}_{key}",
            help=say("The path of a local folder, or a hub id (owner/name). Safetensors only."),
        )
    with two:
        depth = st.number_input(
            say("Candidates per query to score"), 2, 1000, value=local.depth, key=f"local_depth_{key}"
        )
        length = st.number_input(
            say("Tokens that the teacher reads at most"),
            64,
            32768,
            value=local.max_length,
            step=64,
            key=f"local_length_{key}",
            help=say(
                "Of a query with its document, and of the prompt around them. A long document is cut, and a query only "
                "where it takes more than half of them."
            ),
        )
    language = local.language
    if is_asked:
        with three:
            languages: list[PromptLanguage] = ["en", "ja"]
            language = st.selectbox(
                say("Language of the prompt"),
                languages,
                index=languages.index(local.language),
                format_func=lambda item: name_of(say, PROMPT_LANGUAGES, item),
                key=f"local_language_{key}",
                help=say("Re-rankers made of language models were mostly trained with an English prompt."),
            )
    return replace(local, model=model.strip(), depth=int(depth), max_length=int(length), language=language)


def teacher_form(say: Say, plan: Plan, key: str) -> LanguageModel:
    """Show what asking a language model needs and return it. The key is not asked for: it is in the environment."""
    model = plan.llm
    st.caption(
        say(
            "Any endpoint that speaks OpenAI's protocol: a hosted one, or vLLM and Ollama on a machine of your own. "
            "Queries and documents are sent there. Its key is read from the environment or Streamlit's secrets "
            "(RERANK_TEACHER_KEY) and is stored nowhere."
        )
    )
    one, two, three = st.columns(3)
    with one:
        url = st.text_input(
            say("Address of the endpoint"),
            value=model.base_url,
            placeholder="http://localhost:11434/v1",
            key=f"llm_url_{key}",
        )
        name = st.text_input(say("Name of the model"), value=model.model, key=f"llm_model_{key}").strip()
        languages: list[PromptLanguage] = ["en", "ja"]
        language = st.selectbox(
            say("Language of the prompt"),
            languages,
            index=languages.index("ja" if say.language == "ja" else "en"),
            format_func=lambda item: name_of(say, PROMPT_LANGUAGES, item),
            key=f"llm_language_{key}",
        )
    with two:
        mode, passes = model.mode, model.passes
        if plan.teacher == "llm-listwise":
            modes: list[ListwiseMode] = ["windows", "partitions", "single"]
            mode = st.selectbox(
                say("How lists are asked about"),
                modes,
                index=modes.index(model.mode),
                format_func=lambda item: name_of(say, LISTWISE_MODES, item),
                key=f"llm_mode_{key}",
            )
            passes = int(
                st.number_input(
                    say("Times each list is ordered"),
                    1,
                    20,
                    value=model.passes,
                    key=f"llm_passes_{key}",
                    help=say(
                        "From the second time on documents are shown in another order, and the mean rank counts: "
                        "a liking for what stands first averages out. Each time costs the same again."
                    ),
                )
            )
        depth = st.number_input(
            say("Candidates per query to ask about"), 2, 1000, value=model.depth, key=f"llm_depth_{key}"
        )
        checked = st.number_input(
            say("Queries asked about once more for the audit (0: none)"),
            0,
            10_000,
            value=model.checked_queries,
            key=f"llm_checked_{key}",
            help=say(
                "Shuffled, repeated, and with the query written into an irrelevant document. Without them the audit "
                "cannot see whether the teacher is steady, goes by position, or falls for the query's words."
            ),
        )
    with three:
        listed = listed_token_price(name, current_prices()) if name else None
        # The key has the model in it: another model shows its own price.
        prices = [
            st.number_input(
                label,
                min_value=0.0,
                max_value=1e6,
                value=value,
                placeholder=say("not in the price table"),
                format="%.3f",
                key=f"{field}_{name}_{key}",
            )
            for label, field, value in (
                (
                    say("USD per million tokens asked"),
                    "llm_input",
                    listed.usd_per_1m_input if listed else model.usd_per_1m_input,
                ),
                (
                    say("USD per million tokens answered"),
                    "llm_output",
                    listed.usd_per_1m_output if listed else model.usd_per_1m_output,
                ),
            )
        ]
        thinking = st.number_input(
            say("Tokens for thinking (0: none)"),
            0,
            100_000,
            value=model.thinking_tokens,
            step=256,
            key=f"llm_thinking_{key}",
            help=say(
                "A reasoning model thinks before it answers; without room its answers are cut off. Billed as answer."
            ),
        )
        limit = st.number_input(
            say("USD at most for the teacher (0: no limit)"),
            0.0,
            1e6,
            value=model.usd or 0.0,
            step=1.0,
            key=f"llm_usd_{key}",
            help=say("The question that could cross the limit is not asked."),
        )
    return replace(
        model,
        base_url=url.strip(),
        model=name,
        language=language,
        mode=mode,
        passes=passes,
        depth=int(depth),
        checked_queries=int(checked),
        thinking_tokens=int(thinking),
        usd_per_1m_input=prices[0],
        usd_per_1m_output=prices[1],
        usd=limit or None,
    )
