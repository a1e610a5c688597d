"""A language model as the teacher on the plan page: what is missing is said, and its key is nowhere asked for."""

from pathlib import Path

from rerank.intake.finish import finish
from rerank.intake.reading import read_files
from rerank.intake.storage import save_dataset
from rerank.ui.safe import markdown
from rerank.wording.language import speaker
from tests.conftest import tiny_files
from tests.ui.conftest import open_page


def test_a_language_model_is_chosen_and_completed(home: Path) -> None:
    say = speaker("ja")
    save_dataset(finish(read_files(tiny_files()), "tiny"))
    page = open_page("plan", lang="ja")
    labelled = {item.label: item for item in page.selectbox}
    labelled[say("Teacher for distillation")].set_value("llm-listwise").run()
    assert not page.exception
    missing = "A language model as the teacher needs the address of an endpoint and the name of a model. Fill in both."
    assert [item.value for item in page.error] == [markdown(say(missing))]
    texts = {item.label: item for item in page.text_input}
    texts[say("Address of the endpoint")].set_value("http://localhost:8000/v1")
    texts[say("Name of the model")].set_value("gpt-5-mini")
    page.run()
    assert not page.exception
    assert not page.error
    numbers = {item.label: item.value for item in page.number_input}
    assert numbers[say("USD per million tokens asked")] == 0.25  # the price table's
    learns = {item.label: item for item in page.selectbox}[say("What D learns of the teacher")]
    assert learns.value == "ranknet"
    assert len(learns.options) == 2
