"""A browser, a dashboard per test, and what every journey must keep to."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    WebSocket,
    expect,
    sync_playwright,
)

from tests.e2e.dashboard import Dashboard, no_exception
from tests.models import make_tiny_model

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

expect.set_options(timeout=20_000)  # a page may wait for a worker that trains on the same two cores


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium, started once."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.fail("no chromium: see .ci/run")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that trains in seconds."""
    return make_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def app(home: Path, tmp_path: Path) -> Iterator[Dashboard]:
    """A running dashboard on the test's empty home."""
    dashboard = Dashboard(tmp_path / "server.txt")
    dashboard.start()
    yield dashboard
    dashboard.end()


class Watch:
    """What a browser context asked for and complained about."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self._host = urlsplit(origin).netloc
        self.elsewhere: list[str] = []
        self.errors: list[str] = []
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("page", lambda page: page.on("websocket", self._socket))

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self._host:
            self.elsewhere.append(url)

    def _request(self, request: Request) -> None:
        self._asked(request.url)

    def _socket(self, socket: WebSocket) -> None:
        self._asked(socket.url)

    def _console(self, message: ConsoleMessage) -> None:
        # Streamlit looks for its server below a page's own address first (404), and a server that is killed
        # on purpose cannot be reached: the browser reports both, and neither is an exception.
        expected = ("Failed to load resource", "net::ERR_", "WebSocket", "disconnected from server")
        if message.type == "error" and not any(part in message.text for part in expected):
            self.errors.append(message.text)


@contextmanager
def visiting(browser: Browser, url: str, **settings: object) -> Iterator[BrowserContext]:
    """A visitor; fails on a request to anywhere else, on an error in the console and on an exception shown."""
    settings = {"locale": "en-US", "viewport": {"width": 1280, "height": 900}, **settings}
    visitor = browser.new_context(**settings)  # type: ignore[arg-type]
    visitor.set_default_timeout(30_000)
    watch = Watch(visitor, url)
    yield visitor
    for page in visitor.pages:
        no_exception(page)
    visitor.close()
    assert watch.elsewhere == []
    assert watch.errors == []


@pytest.fixture
def page(browser: Browser, app: Dashboard) -> Iterator[Page]:
    """A visitor's page that has opened nothing yet."""
    with visiting(browser, app.url) as visitor:
        yield visitor.new_page()
