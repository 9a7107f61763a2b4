"""A real JupyterLab on a copy of the notebooks, in a real headless Chromium: what a learner sees and does."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, TimeoutError, sync_playwright

from course_utils.jupyter import jupyter_variables

PROJECT = Path(__file__).resolve().parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-prefers-reduced-motion",
]  # fmt: skip
SETTINGS = {
    # Cells far down are otherwise taken out of the page, and a test could not ask for them.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
PATIENCE = 240_000  # milliseconds for a whole lesson on a busy machine; nothing is judged by it


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """The address, token included, of a JupyterLab on copies of `notebooks` and `exercises` inside `folder`."""
    for name in ("notebooks", "exercises", "docs"):
        shutil.copytree(PROJECT / name, folder / name)
    for plugin, values in SETTINGS.items():
        path = folder / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), "utf-8")
    private = folder / "runtime"
    private.mkdir(mode=0o700)
    variables = os.environ | {
        "COURSE_SERVER_FILE": str(private / "server.json"),
        "COURSE_LOG": str(private / "log.sqlite"),  # and not the suite's: two JupyterLabs may run at a time
        "COURSE_SPEED": "5",
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(private),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        **jupyter_variables(),
        "JUPYTER_TOKEN": (token := secrets.token_hex(16)),
        "PYTHONPATH": str(PROJECT),
    }
    command = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", "--ServerApp.port=0", "--no-browser",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly", "--allow-root",
    ]  # fmt: skip
    with (folder / "jupyter.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
        try:
            yield f"{address(private, process, folder / 'jupyter.log')}lab/tree/{{path}}?token={token}"
        finally:
            process.terminate()
            process.wait(30)
            subprocess.run(
                [sys.executable, "-m", "course_utils", "stop"],
                env=variables,
                cwd=PROJECT,
                capture_output=True,
                check=True,
            )


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """A notebook of these code cells, which has not been run."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)


def address(folder: Path, process: subprocess.Popen, log: Path) -> str:
    """Where the server listens, once it does."""
    for _ in range(1200):
        for path in folder.glob("jpserver-*.json"):
            if url := json.loads(path.read_text("utf-8") or "{}").get("url"):
                return url
        assert process.poll() is None, log.read_text("utf-8")
        time.sleep(0.05)
    raise AssertionError(log.read_text("utf-8"))


@contextmanager
def chromium(width: int = 1280, height: int = 1000) -> Iterator[Page]:
    """A page of a fresh headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


class Notebook:
    """One notebook that is open in JupyterLab."""

    def __init__(self, page: Page, address: str, path: str, shots: Path) -> None:
        self.page, self.shots = page, shots
        page.goto(address.format(path=path) + "&reset")
        page.locator(".jp-CodeCell .cm-content").nth(4).wait_for(state="attached")
        page.locator(".jp-StatusBar-Widget, #jp-main-statusbar").get_by_text("| Idle").wait_for()

    def cell(self, text: str) -> Locator:
        """The code cell that holds this text."""
        return self.page.locator(".jp-CodeCell", has=self.page.locator(".cm-content", has_text=text)).first

    def output(self, text: str) -> Locator:
        """What the code cell with this text shows."""
        return self.cell(text).locator(".jp-OutputArea")

    def menu(self, *labels: str) -> None:
        """Choose an entry of a menu, then of what opens."""
        self.page.locator(".lm-MenuBar-item", has_text=labels[0]).first.click()
        for label in labels[1:]:
            self.page.locator(".lm-Menu-item", has_text=re.compile(f"^{re.escape(label)}")).first.click()

    def run_all(self) -> None:
        """Run every cell and wait until the last one is done."""
        begun = "() => [...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('*'))"
        for _ in range(3):  # on a busy machine a menu may close again before its entry is clicked
            self.menu("Run", "Run All Cells")
            with suppress(TimeoutError):
                self.page.wait_for_function(begun, timeout=15_000)
                break
        self.wait()

    def wait(self) -> None:
        """Wait until no cell is waiting or running."""
        busy = "() => [...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('*'))"
        self.page.wait_for_timeout(300)
        self.page.wait_for_function(
            busy.replace("some", "every").replace("p.textContent", "!p.textContent"), timeout=PATIENCE
        )

    def run(self, text: str) -> Locator:
        """Run the cell with this text, and give what it shows."""
        self.cell(text).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        self.wait()
        return self.output(text)

    def write(self, text: str, source: str) -> None:
        """Replace the whole cell that holds `text`, and run it."""
        self.cell(text).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Control+Enter")
        self.wait()

    def shot(self, name: str, place: Locator | None = None) -> None:
        """Keep a picture of the page, with this place in view."""
        if place:
            place.scroll_into_view_if_needed()
        self.page.screenshot(path=self.shots / f"{name}.png")


def token_of(address: str) -> str:
    return address.rpartition("=")[2]


def kernels(address: str) -> int:
    """How many kernels run."""
    url = f"{address.partition('lab/')[0]}api/kernels?token={token_of(address)}"
    with urllib.request.urlopen(url) as answer:
        return len(json.load(answer))
