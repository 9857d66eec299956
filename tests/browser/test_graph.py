"""Drawings in a browser: zoomed and moved by key, wheel, button and hand; roles are followed."""

from collections.abc import Iterator
from typing import Literal, get_args
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    StorageState,
    ViewportSize,
)

from tests.browser.looking import HEIGHT, NARROW, SCREENS, WIDE, Look, look, opened
from tests.browser.pages import ALLOWED, HOME
from tests.survival.serving import Process

ROLES = f"{HOME}/roles"

Motion = Literal["no-preference", "reduce"]


def moving(
    browser: Browser, visit: StorageState, *, width: int = WIDE, motion: Motion
) -> BrowserContext:
    """A signed-in browser of somebody who likes motion, or does not."""
    viewport: ViewportSize = {"width": width, "height": HEIGHT}
    return browser.new_context(storage_state=visit, viewport=viewport, reduced_motion=motion)


PRESSED = """(keys) => {
    const frame = document.querySelector('figure.graph .frame'), svg = frame.querySelector('svg');
    return keys.map((key) => {
        frame.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
        return svg.getAttribute('viewBox');
    });
}"""


@pytest.fixture(params=[WIDE, NARROW])
def inside(
    request: pytest.FixtureRequest, browser: Browser, served: Process, visit: StorageState
) -> Iterator[Look]:
    """A signed-in browser, in which nothing has to be waited for until it stands still."""
    context = moving(browser, visit, width=request.param, motion="reduce")
    yield look(context, served)
    context.close()


def frame(seen: Look) -> Locator:
    """The frame of the first drawing."""
    return seen.page.locator("figure.graph .frame").first


def view(seen: Look) -> tuple[float, float, float, float]:
    """What is seen of the drawing: its left, top, width and height."""
    box = frame(seen).locator("svg").get_attribute("viewBox") or ""
    left, top, width, height = (float(part) for part in box.split())
    return left, top, width, height


def test_it_is_zoomed_and_moved_by_key(inside: Look) -> None:
    """Plus, minus and nought, and the arrows; other keys stay the browser's."""
    inside.go(ROLES)
    frame(inside).focus()
    inside.page.keyboard.press("0")
    start = view(inside)
    inside.page.keyboard.press("+")
    nearer = view(inside)
    assert nearer[2] == pytest.approx(start[2] / 1.25, rel=0.02)
    inside.page.keyboard.press("ArrowRight")
    inside.page.keyboard.press("ArrowDown")
    moved = view(inside)
    assert moved[0] > nearer[0]
    assert moved[1] > nearer[1]
    inside.page.keyboard.press("ArrowLeft")
    inside.page.keyboard.press("ArrowUp")
    assert view(inside)[:2] == pytest.approx(nearer[:2], abs=1)
    inside.page.keyboard.press("-")
    inside.page.keyboard.press("0")
    assert view(inside) == pytest.approx(start, abs=1)
    inside.page.keyboard.press("a")
    assert view(inside) == pytest.approx(start, abs=1)
    assert inside.faults == []


def test_it_is_zoomed_by_buttons_and_by_the_wheel_once_it_is_chosen(inside: Look) -> None:
    """The wheel of a page that is read goes on scrolling the page."""
    inside.go(ROLES)
    inside.page.get_by_role("button", name="Fit").first.click()
    start = view(inside)
    frame(inside).scroll_into_view_if_needed()
    frame(inside).hover()
    inside.page.evaluate("document.activeElement.blur()")
    inside.page.mouse.wheel(0, -100)
    assert view(inside) == pytest.approx(start, abs=1)
    frame(inside).focus()
    frame(inside).hover()
    inside.page.mouse.wheel(0, -100)
    nearer = view(inside)
    assert nearer[2] < start[2]
    inside.page.get_by_role("button", name="Zoom out").first.click()
    inside.page.get_by_role("button", name="Zoom in").first.click()
    assert view(inside)[2] == pytest.approx(nearer[2], rel=0.02)


def test_it_is_dragged_and_a_drag_follows_no_link(inside: Look) -> None:
    """What was under the hand stays there; a click on the same box follows it."""
    inside.go(f"{ROLES}/viewer")
    frame(inside).scroll_into_view_if_needed()
    box = inside.page.locator("svg a.node.centre")
    before, place = view(inside), box.bounding_box()
    assert place is not None
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    inside.page.mouse.move(x, y)
    inside.page.mouse.down()
    inside.page.mouse.move(x - 40, y - 15, steps=4)
    inside.page.mouse.up()
    after, there = view(inside), box.bounding_box()
    assert there is not None
    assert (there["x"] - place["x"], there["y"] - place["y"]) == pytest.approx((-40, -15), abs=1)
    assert after[0] > before[0]
    assert urlsplit(inside.page.url).path == f"{ROLES}/viewer"
    inside.page.locator("svg a.node", has_text="editor").first.click()
    inside.page.wait_for_url(f"**{ROLES}/editor")


def test_a_role_is_chosen_by_keyboard(inside: Look) -> None:
    """Whichever has the focus is in view, however small the part that is seen."""
    inside.go(ROLES)
    frame(inside).focus()
    for _ in range(6):
        inside.page.keyboard.press("+")
    view(inside)
    inside.page.keyboard.press("Tab")
    for _ in range(17):
        inside.page.keyboard.press("Tab")
        around, box = frame(inside).bounding_box(), inside.page.locator(":focus").bounding_box()
        assert around is not None
        assert box is not None
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        assert around["x"] < middle[0] < around["x"] + around["width"]
        assert around["y"] < middle[1] < around["y"] + around["height"]
    name = inside.page.locator(":focus").get_attribute("aria-label") or ""
    inside.page.keyboard.press("Enter")
    inside.page.wait_for_url(f"**{ROLES}/*")
    assert inside.page.locator("h1").inner_text() == name.removeprefix("role ").partition(":")[0]


def test_a_step_is_seen_to_be_made(browser: Browser, served: Process, visit: StorageState) -> None:
    """Not at once, and keys that are pressed meanwhile add up; for who wants no motion it is."""
    ends = []
    for motion in reversed(get_args(Motion)):
        context = moving(browser, visit, motion=motion)
        seen = look(context, served)
        seen.go(ROLES)
        frame(seen).focus()
        seen.page.keyboard.press("0")
        # The boxes after each press, read in the same turn: no frame was drawn meanwhile.
        seen.page.wait_for_timeout(500)
        boxes = seen.page.evaluate(PRESSED, ["+", "+", "ArrowRight"])
        assert (len(set(boxes)) == 1) == (motion == "no-preference")
        seen.page.wait_for_timeout(1_000)
        ends.append(view(seen))
        context.close()
    assert ends[0] == pytest.approx(ends[1], abs=1)


def test_without_scripts_the_drawing_scrolls_in_its_frame(
    browser: Browser, served: Process, visit: StorageState
) -> None:
    """At its own size, and the page does not go sideways; there are no buttons that do nothing."""
    context = opened(browser, width=NARROW, scripts=False, visit=visit)
    seen = look(context, served)
    seen.go(ROLES)
    assert seen.page.locator(".zoom").is_hidden()
    around, box = frame(seen).bounding_box(), frame(seen).locator("svg").bounding_box()
    assert around is not None
    assert box is not None
    assert box["width"] > around["width"]
    assert around["width"] <= NARROW
    context.close()


def test_a_decision_is_tried(inside: Look) -> None:
    """The first check of the demo, asked in the form; then a deny, and what would make it Allow."""
    inside.go(f"{HOME}/try")
    page = inside.page
    page.get_by_label("Principal").fill("alice")
    page.get_by_label("Action").fill("read")
    page.get_by_label("Resource").fill("docs")
    page.get_by_text("Here and now", exact=True).click()
    page.get_by_label("Region").fill("us-east-1")
    page.get_by_label("Hour").fill("10")
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("heading", name="Allow", exact=True).wait_for()
    assert urlsplit(page.url).query == ""
    width = page.viewport_size["width"] if page.viewport_size else 0
    page.screenshot(path=SCREENS / f"tried-allow-{width}.png", full_page=True)
    page.get_by_label("Hour").fill("22")
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("heading", name="Deny", exact=True).wait_for()
    assert "time window 9-17 does not hold at hour 22" in page.locator(".why").inner_text()
    page.get_by_role("link", name="Ask that").click()
    page.get_by_role("heading", name="Allow", exact=True).wait_for()
    assert inside.faults == []


def test_a_certificate_leads_to_its_roles(inside: Look) -> None:
    """From a box of the way to the role, and from the page to the graph with the way lit up."""
    inside.go(f"{HOME}/try?{ALLOWED}")
    inside.page.get_by_role("link", name="See it in the whole graph").click()
    inside.page.wait_for_url(f"**{ROLES}?*")
    assert inside.page.locator("svg a.lit").count() == 2
    inside.page.go_back()
    inside.page.locator("svg a.claim").click()
    inside.page.wait_for_url(f"**{ROLES}/viewer#claim-viewer-read-docs")
