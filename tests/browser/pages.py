"""Every page that a browser looks at: a new page is a line here."""

from dataclasses import dataclass
from typing import Final

HOME: Final = "/console/orgs/acme"


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its name, which its screenshots have, and its address."""

    name: str
    path: str


PAGES: Final = (
    Page("sign-in", "/console/sign-in"),
    Page("organizations", "/console"),
    Page("overview", HOME),
    Page("proofs", "/console/proofs"),
    Page("assignments", f"{HOME}/assignments?who=person-0&made=2"),
    Page("assign", f"{HOME}/assignments/change"),
    Page("assign-shown", f"{HOME}/assignments/change?holder=alice&role=editor"),
    Page("assign-refused", f"{HOME}/assignments/change?holder=carol&role=submitter"),
    Page("assign-unreadable", f"{HOME}/assignments/change?holder=carol&role=a+b"),
    Page("difference", f"{HOME}/diff?from=1&to=2"),
    Page("events", f"{HOME}/events?text=role"),
    Page("event", f"{HOME}/events/2"),
    Page("not-found", "/console/no-such-page"),
    Page("forbidden", "/console/orgs/no-such-organization"),
)
