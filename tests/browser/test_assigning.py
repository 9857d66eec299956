"""Assigning a role in the demo, as an administrator does: by keyboard, and when it is refused."""

from playwright.sync_api import Browser, StorageState, expect

from tests.browser.furnished import UNBROKEN
from tests.browser.looking import Look, look, opened
from tests.browser.pages import AWAY, HOME
from tests.survival.serving import Process


def to(seen: Look, name: str) -> None:
    """Press Tab until the focus is on the control of that name."""
    for _ in range(60):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate(NAME_OF_FOCUSED) == name:
            return
    raise AssertionError(name)


NAME_OF_FOCUSED = """() => {
    const one = document.activeElement;
    return (one.labels?.[0] ?? one).innerText.replace(/\\s+/g, ' ').trim();
}"""


def test_a_role_is_assigned_and_revoked_by_keyboard(browser: Browser, demo: Process) -> None:
    """Typed, shown with what it would bring about, made, and taken back; never with a mouse."""
    context = opened(browser)
    seen = look(context, demo)
    seen.go(f"{HOME}/assignments")
    keys = seen.page.keyboard
    to(seen, "Assign a role")
    keys.press("Enter")
    seen.page.wait_for_url("**/assignments/change")
    to(seen, "Whose id is")
    keys.type("alice")
    to(seen, "The role")
    keys.type("editor")
    to(seen, "Show what it would do")
    keys.press("Enter")
    seen.page.wait_for_url("**/assignments/change?*")
    main = seen.page.locator("main")
    assert "allowed by claim editor-write-docs" in main.inner_text()
    to(seen, "Why")
    keys.type("leave of bob")
    keys.press("Enter")
    seen.page.wait_for_url("**/assignments?made=*")
    assert "assigned role editor to principal alice" in main.inner_text()
    assert "leave of bob" in main.inner_text()
    to(seen, "Revoke editor from alice")
    keys.press("Enter")
    seen.page.wait_for_url("**/assignments/change?*")
    assert "Who loses what" in main.inner_text()
    to(seen, "Revoke")
    keys.press("Enter")
    seen.page.wait_for_url("**/assignments?made=*")
    assert "revoked role editor from principal alice" in main.inner_text()
    assert seen.faults == []
    context.close()


def test_a_refused_assignment_shows_the_witness(browser: Browser, demo: Process) -> None:
    """In the demo carol has finance: as a submitter too she is shown in words and drawn."""
    context = opened(browser)
    seen = look(context, demo)
    address = f"{HOME}/assignments/change?holder=carol&role=submitter"
    assert seen.go(address) == 409
    alert = seen.page.get_by_role("alert")
    assert "submitter conflicts with finance" in alert.inner_text()
    drawn = seen.page.get_by_role(
        "img", name="how carol would hold 2 roles of finance-or-submitter"
    )
    assert drawn.is_visible()
    assert drawn.locator(".edge.new").count() == 1
    seen.page.get_by_role("link", name="Revoke finance from principal carol").click()
    assert "principal carol holds role finance" in seen.page.locator("main").inner_text()
    assert seen.faults == []
    context.close()


def test_names_are_drawn_within_their_boxes(
    browser: Browser, served: Process, visit: StorageState
) -> None:
    """However wide their letters are, on a witness: what is cut off is told beside it."""
    context = opened(browser, visit=visit)
    seen = look(context, served)
    assert seen.go(f"{AWAY}/assignments/change?holder={UNBROKEN}-p&role={UNBROKEN}-b") == 409
    widths = seen.page.evaluate(
        """() => [...document.querySelectorAll('.witness .box')].map((box) => [
            box.querySelector('.name').getComputedTextLength(),
            box.querySelector('rect').width.baseVal.value,
        ])"""
    )
    assert len(widths) == 4
    assert [one for one in widths if one[0] > one[1]] == []
    context.close()


def test_what_was_sent_after_the_visit_ended_is_told_and_can_be_sent_again(
    browser: Browser, served: Process, visit: StorageState
) -> None:
    """Nothing was done; whoever signs in again is where the form stood."""
    context = opened(browser, visit=visit)
    seen = look(context, served)
    seen.go(f"{HOME}/assignments/change?holder=alice&role=editor")
    address = seen.page.url
    context.clear_cookies()
    seen.page.get_by_role("button", name="Assign", exact=True).click()
    seen.page.wait_for_url("**/console/sign-in?*")
    assert "Nothing was done" in seen.page.get_by_role("alert").inner_text()
    seen.page.get_by_label("API key or token").fill(served.key)
    seen.page.get_by_role("button", name="Sign in").click()
    seen.page.wait_for_url(address)
    assert seen.page.get_by_role("button", name="Assign", exact=True).is_visible()
    assert seen.faults == []
    context.close()


def test_a_form_that_was_stopped_on_its_way_can_be_sent_again(
    browser: Browser, served: Process, visit: StorageState
) -> None:
    """Whoever waits no longer for a slow service loses nothing of what was typed."""
    context = opened(browser, visit=visit)
    seen = look(context, served)
    seen.go(f"{HOME}/assignments/change?holder=alice&role=editor")
    seen.page.get_by_label("Why").fill("ticket 4711")
    seen.page.evaluate(
        """() => {
            const button = document.querySelector('main form[method=post] button');
            const note = () => { document.body.dataset.states += ` ${button.disabled}`; };
            document.body.dataset.states = '';
            new MutationObserver(note).observe(button, { attributes: true });
        }"""
    )
    # As the browser does it when its user stops it: the page stays.
    seen.page.route("**/assignments/change", lambda route: route.abort("aborted"))
    seen.page.get_by_role("button", name="Assign", exact=True).click(no_wait_after=True)
    body = seen.page.locator("body")
    expect(body).to_have_attribute("data-states", " true false", timeout=60_000)
    assert seen.page.get_by_label("Why").input_value() == "ticket 4711"
    context.close()


def test_what_moved_meanwhile_is_asked_again(browser: Browser, demo: Process) -> None:
    """Two administrators: the second is shown what the first did, and loses nothing."""
    context = opened(browser)
    first, second = look(context, demo), look(context, demo)
    for seen, role in ((first, "finance"), (second, "editor")):
        assert seen.go(f"{HOME}/assignments/change?holder=alice&role={role}") == 200
    second.page.get_by_label("Why").fill("ticket 4711")
    first.page.get_by_role("button", name="Assign", exact=True).click()
    first.page.wait_for_url("**/assignments?made=*")
    second.page.get_by_role("button", name="Assign", exact=True).click()
    alert = second.page.get_by_role("alert")
    alert.wait_for()
    assert "assigned role finance to principal alice" in alert.inner_text()
    assert second.page.get_by_label("Why").input_value() == "ticket 4711"
    second.page.get_by_role("button", name="Assign", exact=True).click()
    second.page.wait_for_url("**/assignments?made=*")
    assert "ticket 4711" in second.page.locator("main").inner_text()
    assert (first.faults, second.faults) == ([], [])
    context.close()


def test_the_timeline_leads_to_what_a_change_granted(browser: Browser, demo: Process) -> None:
    """From the list to an event, to the difference that it made."""
    context = opened(browser)
    seen = look(context, demo)
    assert seen.go(f"{HOME}/events") == 200
    main = seen.page.locator("main")
    assert "The history is whole" in main.inner_text()
    seen.page.get_by_text("Find events").click()
    seen.page.get_by_label("Text").fill("KIND document")
    seen.page.get_by_role("button", name="Find", exact=True).click()
    seen.page.get_by_role("link", name="Show all").wait_for()
    assert "No event is of this kind" in main.inner_text()
    seen.page.get_by_label("Text").fill("CreateKind")
    seen.page.get_by_role("button", name="Find", exact=True).click()
    seen.page.get_by_role("link", name="made 18 changes").click()
    seen.page.get_by_role("link", name="Who gained and who lost access by it?").click()
    seen.page.wait_for_url("**/diff?from=0&to=1")
    assert "the new state allows more" in main.inner_text().lower()
    assert seen.faults == []
    context.close()
