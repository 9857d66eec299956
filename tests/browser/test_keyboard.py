"""Everything is reached and done by keyboard, and it is seen where one is."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, StorageState

from tests.browser.looking import NARROW, WIDE, Look, look, opened
from tests.browser.pages import PAGES, Page
from tests.survival.serving import Process

CONTROLS = """() => {
    const wanted = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    const groups = new Set();
    return [...document.querySelectorAll(wanted)].filter((one) => {
        if (one.type === 'hidden' || one.disabled || one.tabIndex < 0) return false;
        if (!one.checkVisibility({visibilityProperty: true})) return false;
        if (one.type !== 'radio') return true;
        const first = !groups.has(one.name);
        groups.add(one.name);
        return first;
    }).map((one, place) => { one.dataset.place = place; return one.outerHTML.slice(0, 120); });
}"""
"""Every control that can be used, in the order of the page; of radio buttons one of each group."""
FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    const group = one.type === 'radio' && document.querySelector(
        `input[type=radio][name="${CSS.escape(one.name)}"][data-place]`);
    return {
        place: (group || one).dataset.place ?? null,
        seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        inside: box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
        html: one.outerHTML.slice(0, 120),
    };
}"""
"""Where the focus is, whether it is seen, and whether that is on the screen."""


@pytest.fixture(scope="module", params=[WIDE, NARROW])
def inside(
    request: pytest.FixtureRequest, browser: Browser, served: Process, visit: StorageState
) -> Iterator[Look]:
    """A signed-in browser."""
    context = opened(browser, width=request.param, visit=visit)
    yield look(context, served)
    context.close()


def walked(seen: Look, count: int) -> list[dict[str, Any]]:
    """Where so many presses of Tab lead, one after the other."""
    found = []
    for _ in range(count):
        seen.page.keyboard.press("Tab")
        found.append(seen.page.evaluate(FOCUSED))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tab_reaches_every_control_in_the_order_of_the_page(inside: Look, page: Page) -> None:
    """Each is seen to have the focus, on the screen; none is passed over, none is a trap.

    Where a field has the focus from the start the walk begins after it, and comes round to it.
    """
    inside.go(page.path)
    controls = inside.page.evaluate(CONTROLS)
    assert len(controls) > 2
    place = inside.page.evaluate(FOCUSED)["place"]
    first = 0 if place is None else int(place) + 1
    # Between the last and the first the focus is the browser's own.
    steps = [step for step in walked(inside, len(controls) + 1) if step["place"] is not None]
    steps = steps[: len(controls)]
    places = [*range(first, len(controls)), *range(first)]
    assert [step["place"] for step in steps] == [str(place) for place in places], (
        controls,
        [step["html"] for step in steps],
    )
    assert [step["html"] for step in steps if not step["seen"] or not step["inside"]] == []


def test_the_skip_link_comes_first_and_leads_past_the_header(inside: Look) -> None:
    """It is seen as soon as it has the focus, and Tab goes on from the content."""
    inside.go("/console/orgs/acme")
    link = inside.page.get_by_role("link", name="Skip to the content")
    assert link.bounding_box() is not None
    inside.page.keyboard.press("Tab")
    box = link.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert inside.page.evaluate("document.activeElement.className") == "skip"
    inside.page.keyboard.press("Enter")
    assert inside.page.evaluate("document.activeElement.id") == "main"
    inside.page.keyboard.press("Tab")
    assert inside.page.evaluate("document.activeElement.closest('main') !== null")


def test_signing_in_and_out_by_keyboard(browser: Browser, served: Process) -> None:
    """The field has the focus at once; Enter sends; a wrong key is told and may be corrected."""
    context = opened(browser)
    seen = look(context, served)
    seen.go("/console/orgs/acme")
    assert "next=%2Fconsole%2Forgs%2Facme" in seen.page.url
    seen.page.keyboard.type("gp_wrong")
    seen.page.keyboard.press("Enter")
    alert = seen.page.get_by_role("alert")
    alert.wait_for()
    assert "no such key counts here" in alert.inner_text()
    field = seen.page.get_by_label("API key or token")
    assert field.get_attribute("aria-invalid") == "true"
    assert field.input_value() == ""
    seen.page.keyboard.type(served.key)
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url(f"{seen.origin}/console/orgs/acme")
    cookie = context.cookies(f"{seen.origin}/console")[0]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"], cookie["expires"]) == (
        True,
        "Strict",
        "/console",
        -1,
    )
    assert context.cookies(f"{seen.origin}/v1/orgs") == []
    seen.page.get_by_role("button", name="Sign out").focus()
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url(f"{seen.origin}/console/sign-in")
    assert context.cookies() == []
    context.close()


def test_a_slash_goes_to_the_search(inside: Look) -> None:
    """And is an ordinary character while somebody types."""
    inside.go("/console")
    inside.page.keyboard.press("/")
    search = inside.page.get_by_role("searchbox")
    assert search.evaluate("one => one === document.activeElement")
    assert search.input_value() == ""
    inside.page.keyboard.type("a/c")
    assert search.input_value() == "a/c"
    search.fill("ac")
    inside.page.keyboard.press("Enter")
    inside.page.wait_for_url("**/console?q=ac")
    assert inside.page.get_by_role("link", name="acme").count() == 1
