"""A look at the console through a real browser, which notes whatever goes wrong meanwhile."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, BrowserContext, Page, Request, StorageState

from tests.survival.serving import Process

SCREENS: Final = Path(__file__).parents[2] / "build" / "browser"
WIDE, NARROW, HEIGHT = 1280, 400, 800

Scheme = Literal["dark", "light"]


@dataclass
class Look:
    """A page of a browser, and everything that went wrong while it was looked at."""

    page: Page
    origin: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda told: self._note(told.type, told.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._check)
        self.page.on("requestfailed", lambda sent: self.faults.append(f"failed: {sent.url}"))

    def go(self, path: str) -> int:
        """Open the page; return the status of the answer."""
        answer = self.page.goto(self.origin + path)
        assert answer is not None
        return answer.status

    def _note(self, kind: str, text: str) -> None:
        # The browser tells of pages whose status is an error: those are looked at on purpose.
        if kind in {"error", "warning"} and "status of 4" not in text:
            self.faults.append(f"{kind}: {text}")

    def _check(self, request: Request) -> None:
        if not request.url.startswith(f"{self.origin}/") and not request.url.startswith("data:"):
            self.faults.append(f"fetched from elsewhere: {request.url}")


def opened(
    browser: Browser,
    *,
    scheme: Scheme = "light",
    width: int = WIDE,
    scripts: bool = True,
    visit: StorageState | None = None,
) -> BrowserContext:
    """A browser of its own, which knows nothing yet, or is signed in: has the cookie of a visit."""
    return browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme=scheme,
        java_script_enabled=scripts,
        storage_state=visit,
    )


def look(context: BrowserContext, process: Process) -> Look:
    """A new look at the service."""
    return Look(context.new_page(), f"http://localhost:{process.port}")


def begun(browser: Browser, process: Process) -> StorageState:
    """What a browser keeps once it has signed in."""
    context = opened(browser)
    seen = look(context, process)
    seen.go("/console/sign-in")
    seen.page.get_by_label("API key or token").fill(process.key)
    seen.page.get_by_role("button", name="Sign in").click()
    seen.page.wait_for_url(f"{seen.origin}/console")
    kept = context.storage_state()
    context.close()
    return kept
