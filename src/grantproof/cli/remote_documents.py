"""What is written to a server, and read of it: an answer without what it must have is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from grantproof.cli.exits import Stop, absent
from grantproof.cli.remote_http import not_ours

if TYPE_CHECKING:
    from grantproof.core.organization import Organization
    from grantproof.policyfile.contexts import Written
    from grantproof.service.pip import Supplied


@contextmanager
def reading() -> Iterator[None]:
    """Turn an answer that does not have what it must into the end of the command."""
    try:
        yield
    except (KeyError, TypeError, ValueError):
        raise not_ours("its answer cannot be read") from None


def decided(told: "Written") -> "Written":
    """Return a decision that has all that is printed of one; raises `Stop` for any other."""
    from grantproof.policyfile.answer_cores import certificate_of

    with reading():
        _ = (told["decision"], told["reason"], told["revision"], told["decided_at"])
        if told["certificate"] is not None:
            certificate_of(told["certificate"])
    return told


def weighed(told: "Written") -> "Written":
    """Return an explanation that has all that is printed of one; raises `Stop` for any other."""
    from grantproof.policyfile.answer_cores import weighed_of

    with reading():
        _ = (told["effective_roles"], told["active_roles"])
        for one in told["claims"]:
            weighed_of(one)
    return told


def not_there(name: str) -> Stop:
    """Return the end of a command on an organization that the server does not show."""
    line = f"organization `{name}` does not exist, or is not that of the key"
    return Stop(absent("organization", name).code, line)


def state_of(content: bytes, *, revision: int) -> "Organization":
    """Return the organization that a document describes; raises `Stop` when it describes none."""
    from dataclasses import replace

    from pydantic import ValidationError

    from grantproof.core.commands import Rejected, apply
    from grantproof.core.commands.language import ChangeSet
    from grantproof.core.limits import INSTANT_MIN
    from grantproof.policyfile.organization_document import OrganizationDocument, to_change_set

    try:
        document = OrganizationDocument.model_validate_json(content)
    except ValidationError:
        raise not_ours("its document of the organization cannot be read") from None
    commands, state = to_change_set(document), document.empty()
    if commands:
        outcome = apply(state, ChangeSet(commands), actor="remote", instant=INSTANT_MIN)
        if isinstance(outcome, Rejected):
            raise not_ours("its document of the organization describes none")
        state = outcome.state
    return replace(state, revision=revision)


def revision_of(told: "Written") -> int:
    """Return the revision that an answer names; raises `Stop` when it names none."""
    revision = told.get("revision")
    if not isinstance(revision, int):
        raise not_ours("its answer names no revision")
    return revision


def context_document(supplied: "Supplied") -> dict[str, Any]:
    """Return what is said of the context as a request writes it."""
    from grantproof.core.geodesy import degrees
    from grantproof.policyfile.value_fields import write_attributes

    place, attributes = supplied.position, write_attributes(supplied.attributes)
    said = {
        "region": None if supplied.region is None else str(supplied.region),
        "position": None if place is None else degrees(place),
        "attributes": attributes or None,
        "hour": supplied.hour,
        "weekday": supplied.weekday,
        "usage": supplied.usage,
        "rate": supplied.rate,
    }
    return {name: value for name, value in said.items() if value is not None}
