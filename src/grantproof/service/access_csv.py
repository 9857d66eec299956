"""The access review as a file: a row for each assignment that reaches a principal, or each claim.

The columns are documented in `docs/review.md`. Every row names the revision and the instant that it
is true of, so that rows may be sorted, filtered and sent around.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from grantproof.core.identifiers import RoleId
from grantproof.core.model import Principal, Validity
from grantproof.core.organization import Organization
from grantproof.service.access_review import AccessReview, Sought, group_of
from grantproof.service.claim_text import claim_text, moment
from grantproof.service.provenance import Occasion, Provenance
from grantproof.service.review import Holding, holdings
from grantproof.service.spreadsheet import row

Rows = Literal["assignments", "claims"]
"""What a row is: an assignment that reaches a principal, or a claim that it has by one."""

COLUMNS: Final = (
    "organization",
    "revision",
    "at",
    "principal",
    "status",
    "role",
    "group",
    "group_path",
    "validity",
    "from",
    "until",
    "roles",
    "claims",
    "assigned_at",
    "assigned_by",
    "changed_at",
    "decision",
)
BETWEEN: Final = "; "
STEP: Final = " > "
ROWS_A_PIECE: Final = 256

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """What an assigned role gives, in words: the ways to roles, and the claims by them."""

    roles: str
    claims: str


def csv_pieces(
    state: Organization, origin: Provenance | None, *, instant: int, rows: Rows
) -> Iterator[str]:
    """Yield the file in pieces of whole rows: all of one state, as it is at the instant.

    Without `origin` it is not told when something was assigned, by whom, and when it changed.
    """
    yield row(COLUMNS)
    export = _Export(state, origin, instant=instant, rows=rows)
    written = map(row, export.rows())
    while piece := "".join(islice(written, ROWS_A_PIECE)):
        yield piece


def state_of(validity: Validity, instant: int) -> str:
    """Return whether the validity is `valid`, `expired` or `not begun` at the instant."""
    if validity.contains(instant):
        return "valid"
    return "expired" if validity.end is not None and validity.end <= instant else "not begun"


class _Export:
    def __init__(
        self, state: Organization, origin: Provenance | None, *, instant: int, rows: Rows
    ) -> None:
        self._state = state
        self._origin = origin
        self._instant = instant
        self._rows = rows
        self._look = AccessReview(state, Sought(), instant)
        self._given: dict[RoleId, tuple[Given, ...]] = {}
        self._head = (state.id, str(state.revision), moment(instant))

    def rows(self) -> Iterator[Cells]:
        for name in sorted(self._state.principals):
            principal = self._state.principals[name]
            for holding in sorted(
                holdings(self._state, name), key=lambda one: (one.role, group_of(one))
            ):
                yield from self._rows_of(principal, holding)

    def _rows_of(self, principal: Principal, holding: Holding) -> Iterator[Cells]:
        validity = holding.validity
        before = (
            *self._head,
            principal.id,
            "active" if principal.active else "suspended",
            holding.role,
            group_of(holding),
            STEP.join(holding.groups),
            state_of(validity, self._instant),
            _moment(validity.start),
            _moment(validity.end),
        )
        after = (*self._marks(principal, holding), "")
        for given in self._gives(holding.role):
            yield (*before, given.roles, given.claims, *after)

    def _marks(self, principal: Principal, holding: Holding) -> Cells:
        if self._origin is None:
            return ("", "", "")
        assigned = self._origin.assigned(principal.id, holding)
        roles = self._look.inherited(holding.role)
        changed = self._origin.changed(principal.id, holding, roles)
        return (_when(assigned), "" if assigned is None else assigned.actor, _when(changed))

    def _gives(self, role: RoleId) -> tuple[Given, ...]:
        """Return what the rows of an assignment of the role say that it gives."""
        found = self._given.get(role)
        if found is None:
            found = self._given[role] = tuple(self._told(role))
        return found

    def _told(self, role: RoleId) -> Iterator[Given]:
        look = self._look
        ways = [
            (STEP.join(path), [f"{claim.id}: {claim_text(claim)}" for claim in look.claims(end)])
            for end, path in sorted(look.inherited(role).items())
        ]
        claims = [claim for _, own in ways for claim in own]
        if self._rows == "claims" and len(claims) > 0:
            yield from (Given(way, claim) for way, own in ways for claim in own)
        else:
            yield Given(BETWEEN.join(way for way, _ in ways), BETWEEN.join(claims))


def _moment(instant: int | None) -> str:
    return "" if instant is None else moment(instant)


def _when(occasion: Occasion | None) -> str:
    return "" if occasion is None else moment(occasion.instant)
