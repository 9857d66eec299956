"""Decisions drawn: the certificate of an allow as a way down, and where that of a deny breaks off.

What is drawn was decided elsewhere; here it is only put side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain as joined

from grantproof.api.console.drawing import Mark, Node, Picture, chain
from grantproof.api.console.places import address
from grantproof.core.certificate import Certificate
from grantproof.core.constraints import Observation
from grantproof.core.errors import HeldRole
from grantproof.core.identifiers import OrganizationId, ResourceId, RoleId
from grantproof.core.matching import Request, resolve
from grantproof.core.model import Claim, Validity
from grantproof.core.organization import Organization
from grantproof.core.paths import how_held
from grantproof.service.claim_text import claim_head, constraint_text, moment, saw_text

Step = tuple[str, Mark]


@dataclass(frozen=True, slots=True)
class Seen:
    """A constraint in words, what it saw, and whether it held."""

    constraint: str
    saw: str
    held: bool


def seen(observations: Sequence[Observation]) -> list[Seen]:
    """Return what the constraints saw, in words."""
    return [Seen(constraint_text(one.constraint), saw_text(one), one.held) for one in observations]


def of_certificate(certificate: Certificate) -> Picture:
    """Return the certificate as a way from the principal down to what was asked for."""
    organization = certificate.organization
    groups = [
        Node(f"group:{name}", name, "group", "group", mark="lit") for name in certificate.groups
    ]
    roles = [role_node(organization, name, mark="lit") for name in certificate.roles]
    claim = claim_node(organization, certificate.claim, mark="lit")
    # From the one that the claim names to the one that was asked for.
    resources = [
        Node(f"resource:{name}", name, "resource", "resource", mark="lit")
        for name in reversed(certificate.resources)
    ]
    name = certificate.principal
    principal = Node(f"principal:{name}", name, "principal", "principal", mark="lit")
    steps: list[Step] = [
        *_into_groups(len(groups)),
        (f"assigned {_period(certificate.validity)}", "lit"),
        *[("inherits from", "lit") for _ in roles[1:]],
        ("has", "lit"),
        ("is on", "lit"),
        *[("contains", "lit") for _ in resources[1:]],
    ]
    return chain(
        f"why {certificate.principal} is allowed",
        [principal, *groups, *roles, claim, *resources],
        steps,
    )


def of_deny(
    state: Organization,
    request: Request,
    *,
    instant: int,
    claim: Claim | None,
    active: bool,
    failures: Sequence[Observation],
) -> Picture:
    """Return how far the way goes to what was asked for, and what is missing on it.

    By the `claim` that comes nearest, if any speaks of it: `active` says whether a role that counts
    has it, `failures` which of its constraints do not hold.
    """
    start, end = _principal(state, request), _resource(state, request)
    title = f"what {request.principal} lacks"
    if claim is None:
        return chain(title, [start, end], [("no claim speaks of this", "missing")])
    held = how_held(state, request.principal, claim.role, instant=instant)
    nodes, steps = _down_to(state.id, held, claim.role, active=active)
    mark: Mark = "failed" if failures else "lit" if active else ""
    note = constraint_text(failures[0].constraint) + " fails" if failures else ""
    middle = claim_node(state.id, claim, mark=mark, note=note)
    onward: list[Step] = [("has", "lit" if active else ""), ("is on", "" if failures else mark)]
    return chain(title, [start, *nodes, middle, end], [*steps, *onward])


def role_node(organization: OrganizationId, role: RoleId, *, mark: Mark) -> Node:
    """Return the box of a role, which leads to its page."""
    href = address("orgs", organization, "roles", role)
    return Node(f"role:{role}", role, "role", "role", href, mark)


def claim_node(organization: OrganizationId, claim: Claim, *, mark: Mark, note: str = "") -> Node:
    """Return the box of a claim, which leads to it on the page of its role."""
    href = f"{address('orgs', organization, 'roles', claim.role)}#claim-{claim.id}"
    return Node(f"claim:{claim.id}", claim_head(claim), "claim", note or claim.id, href, mark)


def _down_to(
    organization: OrganizationId, held: HeldRole | None, role: RoleId, *, active: bool
) -> tuple[list[Node], list[Step]]:
    """Return the way from the principal to the role: as it is, or as it would have to be."""
    if held is None:
        return (
            [role_node(organization, role, mark="")],
            [("does not hold it", "missing")],
        )
    mark: Mark = "lit" if active else ""
    groups = [Node(f"group:{name}", name, "group", "group", mark=mark) for name in held.groups]
    roles = [role_node(organization, RoleId(name), mark=mark) for name in held.roles]
    inherits: list[Step] = [("inherits from", mark) for _ in roles[1:]]
    into: list[Step] = [(label, mark) for label, _ in _into_groups(len(groups))]
    last: Step = ("assigned", mark) if active else ("assigned, but not active here", "missing")
    return [*groups, *roles], list(joined(into, [last], inherits))


def _into_groups(count: int) -> list[Step]:
    return [("is in" if place == 0 else "is inside", "lit") for place in range(count)]


def _principal(state: Organization, request: Request) -> Node:
    stored = state.principals.get(request.principal)
    mark: Mark = "lit"
    note = "principal"
    if stored is None:
        mark, note = "missing", "there is no such principal"
    elif not stored.active:
        mark, note = "failed", "suspended"
    return Node(f"principal:{request.principal}", request.principal, "principal", note, mark=mark)


def _resource(state: Organization, request: Request) -> Node:
    known = resolve(state, request) is not None
    note = "resource" if known else "there is no such resource"
    name: ResourceId = request.resource
    return Node(f"resource:{name}", name, "resource", note, mark="" if known else "missing")


def _period(validity: Validity) -> str:
    since = "" if validity.start is None else f"from {moment(validity.start)} "
    return since + ("for good" if validity.end is None else f"until {moment(validity.end)}")
