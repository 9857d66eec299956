"""Tokens: credentials that an issuer signs, and the port that reads them.

A token names one principal of one organization. It never makes an operator: `operate` is not for
credentials that others hand out.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from grantproof.service.callers import Caller


class KeySetUnavailable(Exception):
    """The issuer's keys cannot be had, or what was had are none; its text says why, in a line."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A token whose signature and claims hold; it counts until before `until`, epoch seconds."""

    caller: Caller
    until: int


class Unverified(Enum):
    """Why a token is not verified."""

    INVALID = auto()
    """Whatever becomes of the issuer's keys, it is none."""
    UNKNOWN_KEY = auto()
    """It names a key that the issuer may have published since."""
    NO_KEYS = auto()
    """There are no keys of the issuer that are recent enough to be trusted."""


class Tokens(Protocol):
    """Reads tokens by the keys of their issuer, which are fetched apart from that."""

    def read(self, text: bytes) -> Verified | Unverified:
        """Return what the token says, or why it is not believed; waits for nothing."""
        ...

    def remembers(self, text: bytes) -> bool:
        """Return whether the token was verified here already, so that reading it costs little."""
        ...

    def fetch_due(self, *, unknown_key: bool) -> bool:
        """Return whether the issuer's keys should be fetched now.

        They are fetched again when they have aged. With `unknown_key`, when a token names a key
        that is not there, already after a short while: that is how a new key is found.
        """
        ...

    def fetch(self) -> None:
        """Fetch the issuer's keys; keeps those it has when that fails, and may take seconds."""
        ...
