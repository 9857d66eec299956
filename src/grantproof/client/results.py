"""What a decision comes to, wherever it was made: a closed union, and never a bare bool.

`Allow` and `Deny` are decisions. `Undetermined` is that there is none: the service was not reached
in time, or did not answer as it should. Only an `Allow` is allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Document = Mapping[str, Any]
"""An object of JSON, as `docs/openapi.json` describes it."""

NO_TRUTH: Final = "a decision has no truth value, or a Deny would be true too: ask `.allowed`"


class _Decided:
    """What no decision has."""

    __slots__ = ()

    def __bool__(self) -> bool:
        raise TypeError(NO_TRUTH)


@dataclass(frozen=True, slots=True)
class Allow(_Decided):
    """The request is allowed, by `claim`, at `revision`.

    `decided_at` and `valid_until` are epoch seconds; until the latter time alone does not change
    the answer, and nothing means that it never does, or that counters matter. `meter_age` is
    there when they do: how many seconds ago they were read. `certificate` is the evidence, when it
    was asked for. `request_id` names the request in the log of the service that was asked for it;
    an embedded engine has none. `cached` says that the answer was given before, at that instant.
    """

    claim: str
    revision: int
    decided_at: int
    valid_until: int | None
    meter_age: int | None = None
    certificate: Document | None = None
    request_id: str | None = None
    cached: bool = False

    @property
    def allowed(self) -> Literal[True]:
        """Whether the request is allowed."""
        return True


@dataclass(frozen=True, slots=True)
class Deny(_Decided):
    """The request is denied: `code` says why for programs, `reason` in words.

    `claim` is the one that came nearest, when its constraints failed. The rest is as of an `Allow`.
    """

    code: str
    reason: str
    revision: int
    decided_at: int
    valid_until: int | None
    claim: str | None = None
    meter_age: int | None = None
    request_id: str | None = None
    cached: bool = False

    @property
    def allowed(self) -> Literal[False]:
        """Whether the request is allowed."""
        return False


@dataclass(frozen=True, slots=True)
class Undetermined(_Decided):
    """There is no answer, and `detail` says why: nothing is allowed.

    `code` is that of the problem which the service told, or one of `timeout`, `unreachable`,
    `broken_exchange`, `unexpected_answer` and `malformed_answer`. `status` is that of the last
    answer, if there was one, and `attempts` how often it was asked.
    """

    code: str
    detail: str
    status: int | None = None
    attempts: int = 1
    request_id: str | None = None

    @property
    def allowed(self) -> Literal[False]:
        """Whether the request is allowed."""
        return False


Decision = Allow | Deny | Undetermined
"""What becomes of a question; only an `Allow` allows."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The change was made: the organization is at `revision`."""

    revision: int
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The change was refused and nothing was changed; `witness` is the evidence against it."""

    code: str
    detail: str
    status: int
    witness: Document | None = None
    request_id: str | None = None


Change = Changed | Rejected | Undetermined
"""What becomes of a change; an undetermined one was made or not."""


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to a question of review, as its route writes it, on the state at `revision`."""

    document: Document
    revision: int
    request_id: str | None = None


Finding = Told | Undetermined
"""What becomes of a question about the policy itself."""


class CallerError(Exception):
    """The call itself is wrong, and would be however often it came again.

    A field breaks a rule (`invalid`), the credential does not count (`unauthenticated`) or lacks a
    scope: `code` is that of the problem (`docs/errors.md`), `status` that of the answer, and
    `errors` name each field at fault. An engine raises it too, of status 400.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int = 400,
        errors: tuple[Document, ...] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.errors = errors
        self.request_id = request_id


class Unanswered(Exception):
    """What a client that `raises` raises in the place of an `Undetermined`."""

    def __init__(self, undetermined: Undetermined) -> None:
        super().__init__(f"{undetermined.code}: {undetermined.detail}")
        self.undetermined = undetermined
