"""By what each invariant's row of the inductive matrix is closed, where no frame closes a cell."""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from grantproof.core.administration import has_administrator
from grantproof.core.constraints import Constraint
from grantproof.core.model import SodSet, Validity
from specs.footprints import WHOLE

FACTS_ARE_KEPT: Final = (
    "grantproof.core.organization.with_fact",
    "grantproof.core.organization.without_fact",
    "properties.p_induct.removing",
)
"""A fact is added, or removed, and nothing else; what is left is as it was; the indexes agree."""
REMOVING: Final = FACTS_ARE_KEPT[1:]


@dataclass(frozen=True)
class Closing:
    """The theorems that close a row, and the fields of an organization that they speak of.

    `modules` have a theorem of each command; `besides` are what those suppose. `removal` closes a
    cell whose command only removes what the invariant reads. `made` are the classes whose
    constructor refuses what is not well-formed. The argument needs that no command writes
    `unwritten`, and that what `apply` writes besides is not read by `apart`.
    """

    speaks_of: frozenset[str]
    why: str
    modules: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    removal: tuple[str, ...] = ()
    made: tuple[type, ...] = ()
    unwritten: tuple[str, ...] = ()
    apart: Callable[..., object] | None = None

    @property
    def constructors(self) -> tuple[str, ...]:
        """The functions that refuse what is not well-formed."""
        return tuple(f"{cls.__module__}.{cls.__qualname__}.__post_init__" for cls in self.made)


def _of(*fields: str) -> frozenset[str]:
    return frozenset(fields)


def _refers(*fields: str) -> Closing:
    return Closing(
        _of(*fields),
        "what is referred to is there after",
        modules=("p_ref",),
        besides=("properties.p_checked.references",),
    )


HELD: Final = _of("assignments", "group_assignments")
FEWER_EDGES: Final = (*REMOVING, "properties.p_inside.fewer_edges")
EACH_ALONE: Final = "it speaks of one fact alone, and what can be made is well-formed"

CLOSINGS: Final[dict[str, Closing]] = {
    "assignment-refers": _refers(
        "assignments", "group_assignments", "groups", "principals", "roles"
    ),
    "membership-refers": _refers("groups", "memberships", "principals"),
    "parent-refers": _refers("roles"),
    "claim-refers": _refers(
        "claims", "groups", "id", "resources", "resources_of_kind", "roles", "sod_sets"
    ),
    "resource-parent-refers": _refers("resources", "resources_of_kind"),
    "set-refers": _refers("roles", "sod_sets"),
    "guardrail-refers": _refers(
        "groups", "guardrails", "id", "resources", "resources_of_kind", "roles", "sod_sets"
    ),
    "roles-acyclic": Closing(
        _of("roles"), "an edge that closes a cycle is refused", ("p_dag",), removal=FEWER_EDGES
    ),
    "groups-acyclic": Closing(
        _of("groups"), "an edge that closes a cycle is refused", ("p_dag",), removal=FEWER_EDGES
    ),
    "resources-acyclic": Closing(
        _of("resources"),
        "a resource gets its parent when it is made",
        ("p_inside",),
        removal=FEWER_EDGES,
    ),
    "constraint-well-formed": Closing(
        _of("claims"), EACH_ALONE, removal=REMOVING, made=typing.get_args(Constraint)
    ),
    "validity-well-formed": Closing(HELD, EACH_ALONE, removal=REMOVING, made=(Validity,)),
    "set-well-formed": Closing(_of("sod_sets"), EACH_ALONE, removal=REMOVING, made=(SodSet,)),
    "static-duty-holds": Closing(
        HELD | _of("groups", "memberships", "roles", "sod_sets", "sod_sets_by_role"),
        "those who gain a role are checked at every start, the others gain none that counts",
        ("p_sod_kept", "p_sod_exact", "p_sod_refused"),
        besides=(
            "properties.p_sod_kept.only_its_roles_count",
            "properties.p_sod_safe.at_every_instant",
        ),
    ),
    "at-most-one-assignment": Closing(
        HELD, "a pair is a key, and both directions agree", ("p_ref",), besides=FACTS_ARE_KEPT
    ),
    "last-administrator-kept": Closing(
        HELD
        | _of("administered", "claims", "claims_by_resource", "groups")
        | _of("id", "memberships", "principals", "roles"),
        "who removes something must leave one, who adds takes none away",
        besides=(
            "grantproof.core.commands.apply",
            "properties.p_administered.adding_keeps_all",
            "properties.p_administered.more_is_no_less",
            *FACTS_ARE_KEPT,
        ),
        unwritten=("administered",),
        apart=has_administrator,
    ),
    "within-limits": Closing(
        HELD
        | _of("claims", "claims_by_role", "groups", "guardrails", "memberships", "principals")
        | _of("resources", "resources_of_kind", "roles", "sod_sets"),
        "one more than there may be is refused",
        ("p_limits", "p_reject"),
        removal=(*REMOVING, "properties.p_limits.fewer"),
    ),
    "indexes-agree": Closing(
        WHOLE, "a fact goes into every index and out of it", ("p_ref",), besides=FACTS_ARE_KEPT
    ),
}
"""By the names under which `invariants.valid` reports."""
