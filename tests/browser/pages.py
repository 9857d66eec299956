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
    Page("not-found", "/console/no-such-page"),
    Page("forbidden", "/console/orgs/no-such-organization"),
)
