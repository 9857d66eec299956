"""Assigning and revoking: first shown, with every check, then made on just what was shown.

What is typed is asked with GET: it changes nothing, and answers what the change would bring about
or why it would be refused. The form below that posts it, with the revision that was shown and a key
that makes it be done once. Whatever goes wrong, what was typed stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends, Query
from starlette.responses import Response

from grantproof.api.access import ADMINISTRATION, check_scopes
from grantproof.api.conditions import once_asked
from grantproof.api.console.differing import compared, proof_of
from grantproof.api.console.forms import Fields, Posted
from grantproof.api.console.moments import Zone
from grantproof.api.console.places import ORGANIZATION, address
from grantproof.api.console.refused import Shown, shown
from grantproof.api.console.rendering import redirect
from grantproof.api.console.timeline import number
from grantproof.api.console.visits import Visit, Visiting
from grantproof.api.console.wanted import ASSIGN, PRINCIPAL, Typed, Wanted, wanted
from grantproof.api.problems import Problem, Refused, store_problem
from grantproof.api.running import Calling
from grantproof.api.scope import Changes, Made
from grantproof.api.strictness import strict_router
from grantproof.core.errors import Illegal
from grantproof.core.hierarchy import closure
from grantproof.core.identifiers import RoleId
from grantproof.core.limits import STRING_LENGTH_MAX
from grantproof.core.organization import Organization
from grantproof.service.callers import Scope
from grantproof.service.event_text import event_text, fact_text
from grantproof.service.history import EventQuery, look_back
from grantproof.service.pap import Terms
from grantproof.service.ports import StoreError
from grantproof.service.receipts import Once

SINCE_MAX: Final = 10
"""So many events are told of what has changed since something was shown."""
LISTED_MAX: Final = 500
"""Ids are offered for choice where there are no more than so many."""
KEPT: Final = frozenset({"contended", "guardrail_undetermined", "idempotency_in_progress"})
"""Problems after which the very same may be asked again."""

router = strict_router(
    f"{ORGANIZATION}/assignments/change",
    tag="console",
    access=ADMINISTRATION,
    in_document=False,
)

Text = Annotated[str, Query(max_length=STRING_LENGTH_MAX)]


async def typing(
    *,
    do: Text = ASSIGN,
    kind: Text = PRINCIPAL,
    holder: Text = "",
    role: Text = "",
    start: Annotated[str, Query(alias="from", max_length=STRING_LENGTH_MAX)] = "",
    end: Annotated[str, Query(alias="until", max_length=STRING_LENGTH_MAX)] = "",
    replace_it: Annotated[str, Query(alias="replace", max_length=STRING_LENGTH_MAX)] = "",
) -> Typed:
    """Return what was typed, without white space around it."""
    return Typed(*(one.strip() for one in (do, kind, holder, role, start, end, replace_it)))


async def both_scopes(caller: Calling) -> None:
    """Raise `Refused` unless the caller may both look and change: a page does both."""
    check_scopes(caller, frozenset({Scope.REVIEW, Scope.ADMINISTER}))


Allowed = Depends(both_scopes)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the form that makes the change sends along: on which revision, and done once."""

    revision: int
    key: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would bring about. `judged` are the guardrails that it was held against.

    `kept` counts those that it cannot break, because it only takes access away; `sets` are the
    separation-of-duty sets that name a role which it gives.
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    judged: tuple[str, ...]
    kept: int
    sets: tuple[str, ...]
    difference: Any
    unknown: Problem | None
    proof: tuple[str, str, str] | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown beside what was typed."""

    status: int = 200
    fault: Illegal | None = None
    refused: Shown | None = None
    effect: Effect | None = None
    ticket: Ticket | None = None
    since: tuple[tuple[int, str, str | None], ...] = ()
    stale: int | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


@router.get("", dependencies=[Allowed])
def rehearse(
    visit: Visiting, typed: Annotated[Typed, Depends(typing)], *, edit: Text = ""
) -> Response:
    """Show what an assignment or its revocation would bring about, or why it would be refused.

    Without anything typed, or to `edit` it first, it is only the form.
    """
    if edit or not typed.is_begun:
        return _page(visit, typed, Answer())
    return _page(visit, typed, _rehearsed(visit, typed))


@router.post("", dependencies=[Allowed])
def change(visit: Visiting, fields: Posted) -> Response:
    """Make the change that was shown, on the revision that was shown, once."""
    typed, reason = Typed.of(fields), fields.text("reason")
    ticket = _ticket(fields)
    try:
        meant = wanted(typed, Zone(visit.state.time_zone))
        changes = _changes(visit, ticket.revision, reason)
    except Illegal as broken:
        answer = _rehearsed(visit, typed)
        return _page(visit, typed, replace(answer, fault=broken, status=400), reason=reason)
    once = _once(visit, typed, ticket, reason=reason)
    changes = replace(changes, terms=replace(changes.terms, once=once))
    try:
        made = changes.propose(meant.command(visit.state), subject=meant.subject)
    except StoreError as error:
        answer = _refused(visit, store_problem(error), meant, ticket=ticket)
    except Refused as refused:
        if refused.problem.code == "stale":
            visit = _now(visit, changes)
            answer = _stale(visit, typed, refused.problem, revision=ticket.revision)
        else:
            answer = _refused(visit, refused.problem, meant, ticket=ticket)
    else:
        to = address("orgs", visit.state.id, "assignments", made=made.state.revision)
        return redirect(to)
    return _page(visit, typed, answer, reason=reason)


def _rehearsed(visit: Visit, typed: Typed) -> Answer:
    """Return what the change would bring about now, with a ticket for just that."""
    try:
        meant = wanted(typed, Zone(visit.state.time_zone))
    except Illegal as broken:
        return Answer(400, fault=broken)
    state = visit.state
    try:
        command = meant.command(state)
        made = _changes(visit, state.revision, "").rehearse(command, subject=meant.subject)
    except Refused as refused:
        return _refused(visit, refused.problem, meant)
    key = f"console-{visit.request.state.request_id}"
    return Answer(effect=_effect(visit, meant, made), ticket=Ticket(state.revision, key))


def _effect(visit: Visit, meant: Wanted, made: Made) -> Effect:
    from grantproof.analysis.guarding import skips  # noqa: PLC0415 - it loads the solver

    state, after = visit.state, made.state
    kept = [name for name, one in sorted(state.guardrails.items()) if skips(made.delta, one, state)]
    found, unknown = compared(visit, state, after)
    return Effect(
        removed=tuple(map(fact_text, made.delta.removed)),
        added=tuple(map(fact_text, made.delta.added)),
        judged=tuple(name for name in sorted(state.guardrails) if name not in kept),
        kept=len(kept),
        sets=() if len(made.delta.added) == 0 else _sets(state, meant.role),
        difference=found,
        unknown=unknown,
        proof=None if found is None else proof_of(found),
    )


def _sets(state: Organization, role: RoleId) -> tuple[str, ...]:
    roles: Iterable[RoleId] = closure({role}, state.roles.parents)
    return tuple(sorted({name for one in roles for name in state.sod_sets_by_role.get(one, ())}))


def _refused(
    visit: Visit, problem: Problem, meant: Wanted, *, ticket: Ticket | None = None
) -> Answer:
    """Return why the change is not made; what may be asked again keeps its ticket."""
    again = problem.code in KEPT or problem.code == "store_unavailable"
    return Answer(
        problem.status,
        refused=shown(problem, meant, visit.state.id),
        ticket=ticket if again else None,
        headers=dict(problem.headers),
    )


def _now(visit: Visit, changes: Changes) -> Visit:
    """Return the visit at the revision that is known by now; raises `Refused` when it is gone."""
    seen = changes.seen()
    visit.request.state.seen = seen
    return replace(visit, seen=seen)


def _stale(visit: Visit, typed: Typed, problem: Problem, *, revision: int) -> Answer:
    """Return what has changed since the revision, and what the change would bring about now."""
    now, store = visit.state.revision, visit.here.services.store
    query = EventQuery(after=revision)
    found = look_back(store, visit.state.id, query, before=now + 1, limit=SINCE_MAX)
    since = tuple((one.revision, event_text(one), one.actor) for one in found.entries)
    answer = _rehearsed(visit, typed)
    status = problem.status if answer.refused is None else answer.status
    return replace(answer, status=status, stale=revision, since=since)


def _changes(visit: Visit, revision: int, reason: str) -> Changes:
    """Return what proposes changes to just that revision; raises `Illegal` for the reason."""
    if not reason.isprintable():
        raise Illegal("reason", "must be printable text")
    request_id = visit.request.state.request_id
    author = replace(visit.caller.author, request_id=request_id, reason=reason or None)
    terms = Terms(at=frozenset({revision}))
    return Changes(visit.here.services, visit.state.id, author, terms)


def _ticket(fields: Fields) -> Ticket:
    """Return what the form was given when it was shown; raises `Refused` for anything else."""
    return Ticket(number("revision", fields.text("revision")), fields.text("key"))


def _once(visit: Visit, typed: Typed, ticket: Ticket, *, reason: str) -> Once:
    asked = {**typed.fields, "reason": reason, "revision": str(ticket.revision)}
    path = visit.request.url.path
    return once_asked(ticket.key, path=path, query=b"", body=urlencode(asked).encode())


def _page(visit: Visit, typed: Typed, answer: Answer, *, reason: str = "") -> Response:
    state, zone = visit.state, Zone(visit.state.time_zone)
    return visit.page(
        "assign.html",
        status=answer.status,
        headers=answer.headers,
        typed=typed,
        fields=typed.fields,
        answer=answer,
        reason=reason,
        zone=zone,
        offered={
            "principals": _offered(state.principals),
            "groups": _offered(state.groups),
            "roles": _offered(state.roles),
        },
    )


def _offered(names: Any) -> list[str]:
    return sorted(names) if len(names) <= LISTED_MAX else []
