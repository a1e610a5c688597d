"""Pages without a browser: what their tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _like_one_server() -> Iterator[None]:
    """Nothing is left in the caches; AppTest keeps functions in the session, which the real server refuses."""
    names = {"runner.enforceSerializableSessionState": False, "client.showErrorDetails": "full"}
    before = {name: config.get_option(name) for name in names}
    for name, value in names.items():
        config.set_option(name, value)
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    for name, value in before.items():
        config.set_option(name, value)


def open_page(name: str, **parameters: str) -> AppTest:
    """A page opened through the app, with the address's parameters."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.query_params.update(parameters)
    app.run()
    if name != "overview":
        app.switch_page(f"pages/{name}.py").run()
    return app
