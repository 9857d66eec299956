"""Somebody comes, moves or goes: each is one change set, and may be seen before it is made."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Refused, later
from grantproof.api.replies import told
from grantproof.api.running import Here, Running
from grantproof.api.schemas.people import Joining, Leaving, Moving, PersonChange
from grantproof.api.scope import PREFIX, Changes, Changing
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import ChangeSet, SingleCommand, SuspendPrincipal
from grantproof.core.identifiers import PrincipalId
from grantproof.core.limits import COMMIT_ATTEMPTS_MAX
from grantproof.core.organization import Organization
from grantproof.policyfile.differing import changes_of
from grantproof.service.people import Place, joining, leaving, moving, place_of
from grantproof.service.plan_documents import command_document, plan_document
from grantproof.service.solving import Undetermined

STALE: Final = "stale"
ALREADY_SO: Final = "already_so"

router = strict_router(PREFIX, tag="people", access=ADMINISTRATION)

Commands = tuple[SingleCommand, ...]
CommandsOf = Callable[[Organization], Commands]


@router.post("/joins", response_model=PersonChange)
def join(changing: Changing, here: Here, body: Joining) -> Response:
    """Add a principal, put it into groups and let it hold roles: all of it, or nothing."""
    commands = joining(body.principal, body.core(), attributes=body.attributes)
    return _done(changing, here, body, commands_of=lambda _: commands)


@router.post("/moves", response_model=PersonChange)
def move(changing: Changing, here: Here, body: Moving) -> Response:
    """Move a principal from groups and roles to others, at once: what it loses goes first."""

    def commands_of(state: Organization) -> Commands:
        named = Place(body.from_groups, body.from_roles)
        out_of = place_of(state, body.principal) if body.from_all else named
        return moving(state, body.principal, out_of=out_of, into=body.core())

    return _done(changing, here, body, commands_of=commands_of)


@router.post("/leaves", response_model=PersonChange)
def leave(changing: Changing, here: Here, body: Leaving) -> Response:
    """Suspend a principal and take its groups and roles away, or delete it: at once."""
    commands_of = partial(leaving, principal=body.principal, delete=body.delete)
    return _done(changing, here, body, commands_of=commands_of)


def _done(
    changing: Changes, here: Running, body: Joining | Moving | Leaving, *, commands_of: CommandsOf
) -> Response:
    if body.dry_run:
        return _planned(changing, here, body.principal, commands_of=commands_of)
    revision = changing.repeated()
    if revision is not None:
        return _told(body.principal, "accepted", revision)
    outcome, revision = _proposed(changing, body.principal, commands_of)
    return _told(body.principal, outcome, revision)


def _proposed(
    changing: Changes, principal: PrincipalId, commands_of: CommandsOf
) -> tuple[str, int]:
    """Make the change of just the state that it was made up from, and anew when that has gone."""
    for _ in range(COMMIT_ATTEMPTS_MAX):
        state = changing.seen().state
        commands = commands_of(state)
        if len(commands) == 0:
            _check_told(_at(changing, state), principal)
            return "unchanged", state.revision
        try:
            made = _at(changing, state).propose(ChangeSet(commands))
        except Refused as refused:
            if refused.problem.code != STALE or changing.terms.at is not None:
                raise
        else:
            return "accepted", made.state.revision
    detail = f"lost {COMMIT_ATTEMPTS_MAX} races against other writers: try again"
    raise Refused(later("contended", detail))


def _planned(
    changing: Changes, here: Running, principal: PrincipalId, *, commands_of: CommandsOf
) -> Response:
    from grantproof.service import inquiries  # noqa: PLC0415 - it loads the solver

    state = changing.seen().state
    commands = commands_of(state)
    if len(commands) == 0:
        _check_told(_at(changing, state), principal)
        return _told(principal, "unchanged", state.revision)
    made = _at(changing, state).rehearse(ChangeSet(commands))
    now = here.services.decisions.instant()
    found = here.services.solver.ask(partial(inquiries.compared, state, made.state, now=now))
    if isinstance(found, Undetermined):
        raise Refused(later("undetermined", f"what it would mean is not known: {found.why}"))
    plan = {
        "commands": list(map(command_document, commands)),
        **plan_document(changes_of(made.delta)),
        "effect": found.document,
    }
    return _told(principal, "planned", state.revision, plan=plan)


def _check_told(changing: Changes, principal: PrincipalId) -> None:
    """Raise `Refused` for whoever may not suspend the principal: that nothing is left tells much.

    And where there is none, or the terms are not met.
    """
    try:
        changing.rehearse(SuspendPrincipal(principal))
    except Refused as refused:
        if refused.problem.code != ALREADY_SO:
            raise


def _at(changing: Changes, state: Organization) -> Changes:
    """Return what proposes changes to that state alone; to none where the terms name another."""
    wanted = changing.terms.at
    here = frozenset({state.revision})
    at = here if wanted is None or state.revision in wanted else wanted
    return replace(changing, terms=replace(changing.terms, at=at))


def _told(
    principal: PrincipalId, outcome: str, revision: int, *, plan: dict[str, object] | None = None
) -> Response:
    answer = {"principal": str(principal), "outcome": outcome, "revision": revision, "plan": plan}
    return told(answer)
