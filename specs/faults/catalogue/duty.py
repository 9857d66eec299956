"""Separation of duty that somebody can get around, or that gets in the way."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault, Proof

DUTY: Final = "grantproof.core.duty"
REFUSAL: Final = "grantproof.core.commands.refusal"
ASSIGNING: Final = "grantproof.core.commands.assigning"

_unsafe = partial(Fault, kind="separation of duty", shown_by="P-SOD-SAFE")
_unchecked = partial(_unsafe, property_id="P-SOD-SAFE", gate=Executable())

FAULTS: Final = (
    _unsafe(
        id="one-too-many",
        sentence="n is taken for the largest count allowed",
        property_id="P-SOD-SYM",
        gate=Proof("duty.exceeds"),
        edits=(
            Edit(
                DUTY,
                "return len(sod_set.roles & roles) >= sod_set.n",
                "return len(sod_set.roles & roles) > sod_set.n",
            ),
        ),
    ),
    _unsafe(
        id="direct-roles-only",
        sentence="inherited roles do not count",
        property_id="P-SOD-SAFE",
        gate=Proof("duty.static_clash"),
        edits=(
            Edit(
                DUTY,
                'breached(state, effective_roles(state, principal, instant), "static")',
                "breached(\n            state, "
                "frozenset(state.assignments.of(principal)), "
                '"static"\n        )',
            ),
        ),
    ),
    _unsafe(
        id="beginning-only",
        sentence="only what is held from the beginning of time counts, not what starts later",
        property_id="P-SOD-SAFE",
        gate=Proof("duty.starts"),
        edits=(
            Edit(
                DUTY,
                "        INSTANT_MIN if validity.start is None else validity.start\n",
                "        INSTANT_MIN if validity.start is None else INSTANT_MIN\n",
            ),
        ),
    ),
    Fault(
        id="dynamic-refuses",
        kind="separation of duty",
        sentence="a set that binds sessions forbids assignments too",
        property_id="P-SOD-EXACT",
        gate=Proof("duty.breached"),
        edits=(Edit(DUTY, "if sod_set.mode == mode and exceeds(", "if exceeds("),),
    ),
    Fault(
        id="one-direction",
        kind="separation of duty",
        sentence="a set is looked up by the first of its roles only: the order decides",
        property_id="P-SOD-SYM",
        gate=Executable(),
        edits=(
            Edit(
                "grantproof.core.organization",
                "    for role in sod_set.roles:\n"
                "        by_role = with_member(by_role, role, sod_set.id)\n",
                "    for role in sorted(sod_set.roles)[:1]:\n"
                "        by_role = with_member(by_role, role, sod_set.id)\n",
            ),
        ),
    ),
    _unchecked(
        id="parent-unchecked",
        sentence="giving a role a parent does not look at who holds the role",
        edits=(
            Edit(
                REFUSAL,
                "return _if_named(state, {parent}, holders_of(state, {role}))",
                "return frozenset()",
            ),
        ),
    ),
    _unchecked(
        id="membership-unchecked",
        sentence="joining a group does not look at the roles of the group",
        edits=(
            Edit(
                REFUSAL,
                "return _if_named(state, _roles_through(state, group), {principal})",
                "return frozenset()",
            ),
        ),
    ),
    _unchecked(
        id="nesting-unchecked",
        sentence="the members of a group that joins another are not looked at",
        edits=(
            Edit(
                REFUSAL,
                "return _if_named(state, _roles_through(state, container), "
                "members_of(state, {group}))",
                "return frozenset()",
            ),
        ),
    ),
    _unchecked(
        id="together-on-before",
        sentence="many assignments at once are checked on what is held before all of them",
        edits=(Edit(ASSIGNING, "static_clash(after, who)", "static_clash(state, who)"),),
    ),
    _unchecked(
        id="new-set-unchecked",
        sentence="a new set does not look at who holds its roles already",
        edits=(Edit(REFUSAL, "return holders_of(state, sod_set.roles)", "return frozenset()"),),
    ),
)
