"""Every page that a browser looks at: a new page is a line here."""

from dataclasses import dataclass
from typing import Final

from tests.browser.furnished import UNBROKEN, WHOLE

HOME: Final = "/console/orgs/acme"
AWAY: Final = f"/console/orgs/{WHOLE}"
"""The organization whose ids are as long as they may be."""
ALLOWED: Final = "principal_id=bob&action=read&resource_id=docs&hour=10&region=us-east-1"
"""What the demo allows."""
LONG_ASKED: Final = f"principal_id={UNBROKEN}-p&action={UNBROKEN}&resource_id={UNBROKEN}"


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its name, which its screenshots have, and its address."""

    name: str
    path: str


PAGES: Final = (
    Page("sign-in", "/console/sign-in"),
    Page("organizations", "/console"),
    Page("overview", HOME),
    Page("roles", f"{HOME}/roles"),
    Page("roles-lit", f"{HOME}/roles?role=team-3&depth=4&holder=person-03"),
    Page("role", f"{HOME}/roles/viewer"),
    Page("try", f"{HOME}/try"),
    Page("try-allow", f"{HOME}/try?{ALLOWED}"),
    Page("try-deny", f"{HOME}/try?principal_id=alice&action=write&resource_id=docs"),
    Page("try-faults", f"{HOME}/try?principal_id=alice&action=%3Cb%3E&resource_id=&hour=x"),
    Page("proofs", "/console/proofs"),
    Page("assignments", f"{HOME}/assignments?who=person-0&made=2"),
    Page("assign", f"{HOME}/assignments/change"),
    Page("assign-shown", f"{HOME}/assignments/change?holder=alice&role=editor"),
    Page("assign-refused", f"{HOME}/assignments/change?holder=carol&role=submitter"),
    Page("assign-unreadable", f"{HOME}/assignments/change?holder=carol&role=a+b"),
    Page("difference", f"{HOME}/diff?from=1&to=2"),
    Page("events", f"{HOME}/events?text=role"),
    Page("event", f"{HOME}/events/2"),
    Page("long-overview", AWAY),
    Page("long-roles", f"{AWAY}/roles"),
    Page("long-role", f"{AWAY}/roles/{UNBROKEN}-a"),
    Page("long-try", f"{AWAY}/try?{LONG_ASKED}"),
    Page("long-assignments", f"{AWAY}/assignments"),
    Page("long-refused", f"{AWAY}/assignments/change?holder={UNBROKEN}-p&role={UNBROKEN}-b"),
    Page("long-difference", f"{AWAY}/diff"),
    Page("long-events", f"{AWAY}/events"),
    Page("long-event", f"{AWAY}/events/1"),
    Page("not-found", "/console/no-such-page"),
    Page("forbidden", "/console/orgs/no-such-organization"),
)
