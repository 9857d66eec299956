"""What a browser is kept from: other sites' forms and frames, and the demo under another name."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser, StorageState

from tests.browser.looking import look, opened
from tests.survival.serving import Process


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def elsewhere(folder: Path, text: str) -> Iterator[str]:
    """Another site with one page, by the address of that."""
    (folder / "index.html").write_text(text, encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()
    server.server_close()


def test_the_demo_is_seen_at_once(browser: Browser, demo: Process) -> None:
    """No key, no form: the organization is there."""
    context = opened(browser)
    seen = look(context, demo)
    assert seen.go("/console") == 200
    assert seen.page.get_by_role("heading", level=1).inner_text() == "acme"
    assert seen.page.get_by_role("button", name="Sign out").count() == 0
    assert seen.faults == []
    context.close()


def test_a_form_of_another_site_changes_nothing(
    browser: Browser, served: Process, visit: StorageState, *, tmp_path: Path
) -> None:
    """Whoever is signed in stays so: the browser says where it came from."""
    context = opened(browser, visit=visit)
    seen = look(context, served)
    target = f"{seen.origin}/console/sign-out"
    text = f'<form method="post" action="{target}"><button>Win</button></form>'
    with elsewhere(tmp_path, text) as address:
        other = context.new_page()
        other.goto(address)
        other.get_by_role("button").click()
        other.get_by_role("alert").wait_for()
        assert "not sent by a page of this console" in other.content()
    assert len(context.cookies(f"{seen.origin}/console")) == 1
    assert seen.go("/console/orgs/acme") == 200
    context.close()


def test_another_site_cannot_frame_a_page_nor_read_one(
    browser: Browser, served: Process, visit: StorageState, *, tmp_path: Path
) -> None:
    """The frame stays empty, and a link from there arrives without the visit."""
    context = opened(browser, visit=visit)
    seen = look(context, served)
    target = f"{seen.origin}/console/orgs/acme"
    text = f'<iframe src="{target}"></iframe><a href="{target}">there</a>'
    with elsewhere(tmp_path, text) as address:
        other = context.new_page()
        other.goto(address)
        other.wait_for_timeout(200)
        frame = other.frames[-1]
        assert "acme" not in (frame.content() if frame != other.main_frame else "")
        other.get_by_role("link", name="there").click()
        other.wait_for_url("**/console/sign-in?next=*")
        # The way that the page offers is within this site, so the visit counts again.
        other.get_by_role("link", name="Go on").click()
        other.wait_for_url(target)
        assert other.get_by_role("heading", level=1).inner_text() == "acme"
    context.close()
