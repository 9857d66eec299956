"""A real browser, looking at a real service that holds an organization with something of all."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, StorageState, sync_playwright

from grantproof.bootstrap import compose
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE
from grantproof.service.demo import install
from grantproof.service.keyring import KeyRequest, NewKey
from grantproof.settings import Settings
from tests.browser.furnished import furnish, lengthen, whole_report
from tests.browser.looking import SCREENS, begun
from tests.processes import free_port
from tests.survival.serving import CHECKOUT, Process, serving

MISSING: Final = "`chromium` not found: `apt install chromium`, then try again"
ARGUMENTS: Final = (
    "--headless",
    # As root there is no sandbox; only our own pages are looked at.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser of the machine."""
    found = shutil.which("chromium")
    if found is None:
        pytest.exit(MISSING, returncode=2)
    SCREENS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A service with the organization and the report of a whole gate, and its operator's key."""
    folder = tmp_path_factory.mktemp("served")
    database = f"sqlite:///{folder}/served.db"
    services = compose(Settings(database_url=database, host="127.0.0.1"))
    install(services.administration)
    furnish(services)
    lengthen(services)
    made = services.keyring.create(KeyRequest(None, None, EVERY_SCOPE), by=Author("test"))
    services.close()
    assert isinstance(made, NewKey)
    report = folder / "report.json"
    report.write_text(json.dumps(whole_report()), encoding="utf-8")
    settings = {
        "GRANTPROOF_DATABASE_URL": database,
        "GRANTPROOF_VERIFICATION_REPORT": str(report),
        # Each test signs in; nobody guesses here.
        "GRANTPROOF_ATTEMPTS_PER_MINUTE": "0",
    }
    process = Process(free_port(), made.text, folder, {**environment(folder), **settings})
    with serving(process):
        yield process


@pytest.fixture(scope="session")
def visit(browser: Browser, served: Process) -> StorageState:
    """What a browser keeps that has signed in at the service."""
    return begun(browser, served)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The demo, as a newcomer starts it."""
    folder = tmp_path_factory.mktemp("demo")
    settings = {"GRANTPROOF_DEMO": "true", "GRANTPROOF_DATABASE_URL": f"sqlite:///{folder}/demo.db"}
    process = Process(free_port(), "", folder, {**environment(folder), **settings})
    with serving(process):
        yield process


def environment(folder: Path) -> dict[str, str]:
    """Where programs find the sources that are tested, whatever is installed."""
    path = os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])
    return {"HOME": str(folder), "PYTHONPATH": path}
