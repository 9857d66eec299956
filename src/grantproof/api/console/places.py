"""Where the console is: the addresses of its pages."""

from typing import Final
from urllib.parse import quote, urlencode

from grantproof.api.access import CONSOLE, is_public

ORGANIZATION: Final = f"{CONSOLE}/orgs/{{org}}"
"""Below it is everything about one organization."""

NEXT_LENGTH_MAX: Final = 2_000


def is_console(path: str) -> bool:
    """Return whether the address is one of the console's."""
    return path == CONSOLE or path.startswith(f"{CONSOLE}/")


def address(*segments: str, **query: object) -> str:
    """Return the address of a page: `address("orgs", org, "roles", role, show="all")`.

    Slashes within a segment stay, as ids of resources have them; what is `None` is left out of the
    query.
    """
    path = "/".join([CONSOLE, *(quote(segment, safe="/:@+=~$") for segment in segments)])
    asked = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(asked)}" if asked else path


def safe_next(wanted: str) -> str:
    """Return where to go on after signing in: a page of the console, whatever is wanted.

    An address elsewhere would let a link to the sign-in page lead there (CWE-601).
    """
    path = wanted.partition("?")[0]
    fits = (
        len(wanted) <= NEXT_LENGTH_MAX
        and wanted.isascii()
        and wanted.isprintable()
        and is_console(path)
        and not is_public(path)
        and not {"\\", " ", "#"} & set(wanted)
        and not {"", ".", ".."} & set(path.split("/")[1:])
    )
    return wanted if fits else CONSOLE
