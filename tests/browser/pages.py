"""Every page that a browser looks at: a new page is a line here."""

from dataclasses import dataclass
from typing import Final

HOME: Final = "/console/orgs/acme"


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its name, which its screenshots have, its address, and who looks at it."""

    name: str
    path: str
    signed_in: bool = True


PAGES: Final = (
    Page("sign-in", "/console/sign-in", signed_in=False),
    Page("organizations", "/console"),
    Page("overview", HOME),
    Page("proofs", "/console/proofs"),
    Page("not-found", "/console/no-such-page"),
    Page("forbidden", "/console/orgs/no-such-organization"),
)
