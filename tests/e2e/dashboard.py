"""The dashboard as a process of its own, and what a journey does with its widgets."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from rerank.jobs import demo
from rerank.jobs.records import process_is_gone
from rerank.store.database import connection

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Dashboard:
    """`streamlit run app.py` on a port of its own, with the home that `$RERANK_HOME` names."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        with self._output.open("ab") as stream:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
            )
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1) as answer:
                    if answer.read() == b"ok":
                        return
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        raise AssertionError(f"the dashboard did not start:\n{self._output.read_text(encoding='utf-8')}")

    def kill(self) -> None:
        """End the server as a crash does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def end(self) -> None:
        """End the server and every worker and demo process of this home."""
        self.kill()
        demo.stop()
        with connection() as database:
            pids = [row["pid"] for row in database.execute("SELECT pid FROM jobs WHERE pid IS NOT NULL")]
        for pid in pids:
            if not process_is_gone(pid):
                os.kill(pid, signal.SIGKILL)


def open_app(page: Page, url: str) -> None:
    """Go to an address and wait until its page has run."""
    page.goto(url)
    settled(page)


def settled(page: Page) -> None:
    """Wait until no script is running any more."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)


def heading(page: Page, title: str) -> Locator:
    """The page's title."""
    return page.get_by_role("heading", level=1, name=title, exact=True)


def fill(scope: Page | Locator, label: str, value: str) -> None:
    """Type into a field and leave it, as Streamlit takes a value only then."""
    field = scope.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list by its label."""
    page.get_by_role("combobox", name=re.compile(f"{re.escape(label)}$")).click()
    page.get_by_role("option", name=option).first.click()


def fits(page: Page) -> bool:
    """Whether nothing makes the page scroll sideways; Streamlit scrolls its main part, not the document."""
    try:
        page.wait_for_function(  # figures take the new width a moment after the page has it
            "() => [document.scrollingElement, document.querySelector('[data-testid=stMain]')]"
            ".every(part => part.scrollWidth <= part.clientWidth + 2)",
            timeout=10_000,
        )
    except PlaywrightTimeout:
        return False
    return True


def wants_pictures() -> bool:
    """Say whether somebody wants pictures of pages: `$RERANK_SCREENSHOTS` names a folder."""
    return bool(os.environ.get("RERANK_SCREENSHOTS"))


def picture(page: Page, name: str) -> None:
    """Save the whole page as a picture in the folder named by `$RERANK_SCREENSHOTS`, if there is one."""
    folder = os.environ.get("RERANK_SCREENSHOTS")
    if not folder:
        return
    size = page.viewport_size
    if size is None:
        raise AssertionError("the page has no size")
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": int(height) + 60})
    page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    page.wait_for_timeout(700)  # figures are drawn again after a change of size, without telling anybody
    page.screenshot(path=str(Path(folder) / f"{name}.png"))
    page.set_viewport_size(size)


def no_exception(page: Page) -> None:
    """The page shows no exception."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
