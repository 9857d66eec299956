"""What the error codes of PostgreSQL mean, and its refusals to connect, which carry no code.

A code has five characters, of which the first two are its class, see
https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

import re
from typing import Final

from grantproof.service.ports import StoreError, StoreMissing, StoreUnavailable, StoreUnusable

CLASS_LENGTH: Final = 2

Meaning = tuple[type[StoreError], str]

TRY_AGAIN: Final[Meaning] = (StoreUnavailable, "is locked by another program: try again")
UNREACHABLE: Final[Meaning] = (
    StoreUnavailable,
    "cannot be reached: check that its server runs and that the address is right",
)
INTERRUPTED: Final[Meaning] = (StoreUnavailable, "is being stopped or started: try again")
TOO_SLOW: Final[Meaning] = (StoreUnavailable, "takes too long to answer: try again")
FULL: Final[Meaning] = (StoreUnavailable, "lacks memory or other means: try again, or add some")
DAMAGED: Final[Meaning] = (StoreUnusable, "is damaged: restore it from a backup")

MEANINGS: Final[dict[str, Meaning]] = {
    "08": UNREACHABLE,
    "23": (
        StoreUnusable,
        "contradicts the change, so it was edited by hand: restore it from a backup",
    ),
    "25006": (StoreUnavailable, "cannot be written, as a standby cannot: name the primary"),
    "25P03": TOO_SLOW,
    "25P04": TOO_SLOW,
    "28": (StoreUnavailable, "does not let this role in: check its name and its password"),
    "3D000": (StoreMissing, "is not there: create it on its server, or name another"),
    "3F000": (StoreUnavailable, "has no schema that this role may use: grant it one"),
    "40": TRY_AGAIN,
    "42501": (StoreUnavailable, "does not allow this role what it needs: grant it"),
    "53": FULL,
    "53100": (StoreUnavailable, "does not fit on its disk: free some space"),
    "53300": (StoreUnavailable, "has no free connection: try again"),
    "54": (StoreUnusable, "cannot hold so large a change: propose it in several parts"),
    "55P03": TRY_AGAIN,
    "57": INTERRUPTED,
    "57014": TOO_SLOW,
    "58": (StoreUnavailable, "cannot be read or written: check its disk"),
    "XX": DAMAGED,
}
"""By code, or else by class."""

REFUSALS: Final = (
    (re.compile(r'database ".*" does not exist'), "3D000"),
    (re.compile(r"authentication failed|no password|no pg_hba|role .* (not exist|not perm)"), "28"),
    (re.compile(r"permission denied for database"), "42501"),
    (re.compile(r"too many (clients|connections)|remaining connection slots"), "53300"),
    (re.compile(r"the database system is "), "57P03"),
)
"""What a server says to whom it does not let in, as far as it says it in English."""

LOST: Final = frozenset({"08", "57"})
"""The classes of errors after which nobody knows whether the server committed."""


def meaning_of(code: str) -> Meaning | None:
    """Return what the code means, or nothing when it should never occur."""
    return MEANINGS.get(code) or MEANINGS.get(code[:CLASS_LENGTH])


def meaning_of_refusal(said: str) -> Meaning:
    """Return what it means that no connection was made, or that one broke."""
    codes = (code for words, code in REFUSALS if words.search(said))
    return meaning_of(next(codes, "08")) or UNREACHABLE


def leaves_open(error: BaseException) -> bool:
    """Return whether a commit that ended with the error may have been made all the same."""
    code = getattr(error, "sqlstate", None)
    return code is None or code[:CLASS_LENGTH] in LOST
