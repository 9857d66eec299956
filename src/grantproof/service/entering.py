"""Requests that are asked in a stored session, and what becomes of their answers.

The decision sees a request with the roles of the session. Where there is no such session it sees
one without roles, which is denied; the reason told is then that of the session.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from grantproof.core.matching import Request
from grantproof.core.policy import NoRole
from grantproof.core.sessions import NoSession, Session, in_force, within

NO_SESSION: Final = NoSession()


class SessionUnread(Exception):
    """The session is not known, or was read too long ago: read it, and ask again."""


@dataclass(frozen=True, slots=True)
class InSession:
    """A request in a stored session, which `find` returns where it is asked, or nothing.

    `find` may raise `SessionUnread`.
    """

    request: Request
    find: Callable[[], Session | None]


class Entered(NamedTuple):
    """A request as it is decided. `ends` is when its session does; `absent` that there is none."""

    request: Request
    ends: int | None = None
    absent: bool = False


def entered(asked: Request | InSession, instant: int) -> Entered:
    """Return the request as it is decided at the instant; raises `SessionUnread`."""
    if not isinstance(asked, InSession):
        return Entered(asked)
    session = asked.find()
    request = within(asked.request, session, instant)
    if session is None or not in_force(asked.request, session, instant):
        return Entered(request, absent=True)
    return Entered(request, session.expires_at)


def is_for_session(reason: object, request: Entered) -> bool:
    """Return whether a deny for this reason is one because there is no such session."""
    return request.absent and isinstance(reason, NoRole)
