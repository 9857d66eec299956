"""The page at `/docs` in a browser: of this service alone, under its strict policy, with a key."""

from playwright.sync_api import Browser, Page

from tests.browser.looking import Look, look, opened
from tests.survival.serving import Process

PATIENCE_MS = 120_000
"""Swagger UI works long on an operation that can go wrong in a dozen ways."""
EVALUATE = "#operations-decisions-evaluate"


def opened_operation(seen: Look) -> Page:
    """The page with one operation laid open, as its address asks for."""
    seen.page.set_default_timeout(PATIENCE_MS)
    assert seen.go("/docs#/decisions/evaluate") == 200
    seen.page.locator(f"{EVALUATE} .try-out__btn").wait_for()
    return seen.page


def tried(page: Page) -> str:
    """The status of what the service answers to the example of the operation."""
    page.locator(f"{EVALUATE} .try-out__btn").click()
    page.locator(f"{EVALUATE} .execute").click()
    status = page.locator(f"{EVALUATE} .live-responses-table .response-col_status").last
    status.wait_for()
    return status.inner_text().split()[0]


def test_the_document_is_shown_and_nothing_is_fetched_from_elsewhere(
    browser: Browser, served: Process
) -> None:
    """Every group of routes; nothing that the policy of the page forbids is tried."""
    context = opened(browser)
    seen = look(context, served)
    assert seen.go("/docs") == 200
    seen.page.locator(".opblock-tag").first.wait_for()
    shown = {tag.strip() for tag in seen.page.locator(".opblock-tag").all_inner_texts()}
    assert {"decisions", "authzen", "roles", "events"} <= shown
    assert seen.page.get_by_role("heading", level=1).count() + len(shown) > 10
    assert seen.faults == []
    context.close()


def test_a_key_is_given_and_used(browser: Browser, served: Process) -> None:
    """Without one the example is 401, with the one given under Authorize it is answered."""
    context = opened(browser)
    seen = look(context, served)
    page = opened_operation(seen)
    assert tried(page) == "401"
    page.locator(".auth-wrapper .authorize").click()
    page.locator(".modal-ux input").fill(served.key)
    page.locator(".modal-ux button.authorize").click()
    page.locator(".modal-ux .btn-done").click()
    page.locator(f"{EVALUATE} .btn-clear").click()
    page.locator(f"{EVALUATE} .execute").click()
    status = page.locator(f"{EVALUATE} .live-responses-table .response-col_status")
    status.last.wait_for()
    assert status.last.inner_text().split()[0] == "200"
    assert (
        page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
    )
    assert seen.faults == []
    context.close()


def test_whoever_opens_the_address_finds_the_console(browser: Browser, demo: Process) -> None:
    """The demo shows its organization; its page of the document is a link away for whoever asks."""
    context = opened(browser)
    seen = look(context, demo)
    assert seen.go("/") == 200
    assert seen.page.url.startswith(f"{seen.origin}/console")
    assert seen.faults == []
    context.close()


def test_without_script_the_document_is_linked(browser: Browser, served: Process) -> None:
    """And nothing else is pretended."""
    context = opened(browser, scripts=False)
    seen = look(context, served)
    assert seen.go("/docs") == 200
    link = seen.page.get_by_role("link", name="openapi.json")
    assert seen.page.request.get(f"{seen.origin}/{link.get_attribute('href')}").status == 200
    context.close()
