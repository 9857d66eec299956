"""Every page as it is seen: wide and narrow, light and dark, with and without scripts."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, StorageState

from tests.browser.furnished import HOSTILE
from tests.browser.looking import (
    NARROW,
    SCREENS,
    WIDE,
    Look,
    Scheme,
    look,
    opened,
)
from tests.browser.pages import HOME, PAGES, Page
from tests.survival.serving import Process

GRAVE = {"serious", "critical"}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
VIEWS = [(scheme, width) for scheme in SCHEMES for width in (WIDE, NARROW)]
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: f"{view[0]}-{view[1]}")
def seen(
    request: pytest.FixtureRequest, browser: Browser, served: Process, visit: StorageState
) -> Iterator[Look]:
    """A signed-in browser of one scheme and width."""
    scheme, width = request.param
    context = opened(browser, scheme=scheme, width=width, visit=visit)
    yield look(context, served)
    context.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_fit_to_be_seen(request: pytest.FixtureRequest, seen: Look, page: Page) -> None:
    """No grave fault of accessibility, nothing sideways, nothing from elsewhere, no complaint."""
    seen.faults.clear()
    seen.go(page.path)
    view = request.node.callspec.id.replace(page.name, "").strip("-")
    seen.page.screenshot(path=SCREENS / f"{page.name}-{view}.png", full_page=True)
    assert seen.page.evaluate(OVERFLOW) <= 0
    assert grave_faults(seen) == []
    assert seen.faults == []
    assert seen.page.locator("h1").count() == 1


def grave_faults(seen: Look) -> list[str]:
    """What axe-core calls serious or critical."""
    found = Axe().run(seen.page)
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found.response["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


def test_what_is_not_fit_is_found(browser: Browser, served: Process, visit: StorageState) -> None:
    """The checks are not blind: of a page that is spoilt they tell all of it."""
    context = opened(browser, width=NARROW, visit=visit)
    seen = look(context, served)
    seen.go(HOME)
    seen.page.evaluate(
        """() => {
            document.querySelector('h1').innerHTML = '<img src="/console/static/icon.svg">';
            document.documentElement.lang = '';
            const wide = document.createElement('div');
            wide.setAttribute('style', 'width: 900px');
            document.body.append(wide);
            console.error('spoilt');
            wide.style.width = '900px';
            wide.textContent = 'wide';
            fetch('http://127.0.0.1:9/elsewhere').catch(() => {});
        }"""
    )
    seen.page.wait_for_timeout(200)
    told = " ".join(seen.faults)
    assert "spoilt" in told
    assert "elsewhere" in told
    assert "Content Security Policy" in told
    assert seen.page.evaluate(OVERFLOW) > 0
    assert len(grave_faults(seen)) >= 2
    context.close()


@pytest.fixture(scope="module")
def readers(browser: Browser, served: Process, visit: StorageState) -> Iterator[tuple[Look, Look]]:
    """Two signed-in browsers, of which the second runs no scripts."""
    contexts = [opened(browser, scripts=scripts, visit=visit) for scripts in (True, False)]
    yield look(contexts[0], served), look(contexts[1], served)
    for context in contexts:
        context.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_works_without_scripts(readers: tuple[Look, Look], page: Page) -> None:
    """It says the same words, and its links and forms are there."""
    words = list[str]()
    for reader in readers:
        reader.go(page.path)
        words.append(stable(reader.page.locator("main").inner_text()))
    assert words[0] == words[1]
    assert len(words[0]) > 20


def stable(text: str) -> str:
    """The words without what differs from one look to the next."""
    lines = [line for line in text.splitlines() if "ago" not in line and "request" not in line]
    return "\n".join(lines)


def test_what_people_wrote_is_seen_as_text(seen: Look) -> None:
    """Nothing of it is run, and all of it is read."""
    seen.faults.clear()
    seen.go(HOME)
    assert HOSTILE in seen.page.locator("main").inner_text()
    assert seen.page.locator("main img").count() == 0
    assert seen.faults == []
