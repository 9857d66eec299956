"""References that dangle, or that lead to another organization."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault, Proof

REFERENCES: Final = "grantproof.core.commands.references"
GUARDING: Final = "grantproof.core.commands.guarding"
REFUSAL: Final = "grantproof.core.commands.refusal"

_dangles = partial(Fault, kind="references", property_id="P-REF", gate=Executable())
_misleads = partial(Fault, kind="references", property_id="P-REJECT")

FAULTS: Final = (
    _dangles(
        id="role-leaves-children",
        sentence="deleting a role forgets the roles that inherit from it",
        edits=(
            Edit(
                REFERENCES,
                "    yield from (Inheritance(child, role) for child in "
                "state.roles.children[role])\n",
                "",
            ),
        ),
    ),
    _dangles(
        id="group-leaves-members",
        sentence="deleting a group leaves its members in it",
        edits=(
            Edit(
                REFERENCES,
                "    yield from (Membership(principal, group) for principal in "
                "state.memberships.to(group))\n",
                "",
            ),
        ),
    ),
    _dangles(
        id="principal-leaves-assignments",
        gate=Proof("commands.references.dependents"),
        sentence="deleting a principal leaves what was assigned to it",
        edits=(
            Edit(
                REFERENCES,
                "    for role, validity in state.assignments.of(principal).items():\n"
                "        yield Assignment(principal, role, validity)\n",
                "",
            ),
        ),
    ),
    _dangles(
        id="role-leaves-claims-on-it",
        sentence="deleting a role leaves the claims that others hold on it",
        edits=(
            Edit(
                REFERENCES,
                '    yield from _claims_on(state, ResourceId(f"role:{role}"))\n',
                "",
            ),
        ),
    ),
    _dangles(
        id="assigned-role-unchecked",
        sentence="a role that does not exist can be assigned",
        edits=(
            Edit(
                REFUSAL,
                "        case AssignRole(principal, role):\n"
                "            yield _principal(state, principal)\n"
                "            yield _role(state, role)\n",
                "        case AssignRole(principal, role):\n"
                "            yield _principal(state, principal)\n",
            ),
        ),
    ),
    _dangles(
        id="set-loses-role",
        sentence="a role that a separation-of-duty set names can be deleted",
        edits=(
            Edit(
                REFUSAL,
                "        if len(sod_sets) > 0:\n",
                "        if len(sod_sets) > len(state.sod_sets):\n",
            ),
        ),
    ),
    _dangles(
        id="guardrail-loses-role",
        sentence="a cascade deletes a role that a guardrail names",
        edits=(
            Edit(
                GUARDING,
                'on=Exactly(ResourceId(f"role:{role}"))',
                'on=Exactly(ResourceId(f"group:{role}"))',
            ),
        ),
    ),
    _dangles(
        id="guardrail-loses-what-is-inside",
        sentence="a cascade deletes a resource that a guardrail names along with the one around it",
        edits=(
            Edit(
                GUARDING,
                "for resource in sorted(descendants(state, roots))",
                "for resource in sorted(roots)",
            ),
        ),
    ),
    _dangles(
        id="guardrail-indexed-by-one",
        sentence="a guardrail is found by the first thing that it names only",
        edits=(
            Edit(
                "grantproof.core.organization",
                "    for name in guardrail.names:\n"
                "        by_name = with_member(by_name, name, guardrail.id)\n",
                "    for name in sorted(guardrail.names, key=str)[:1]:\n"
                "        by_name = with_member(by_name, name, guardrail.id)\n",
            ),
        ),
    ),
    _dangles(
        id="guardrail-names-nothing",
        sentence="a guardrail can be made that names what is not there",
        edits=(
            Edit(
                REFUSAL,
                "for name in sorted(guardrail.names, key=str))",
                "for name in sorted(guardrail.names, key=str) if isinstance(name, OfKind))",
            ),
        ),
    ),
    _dangles(
        id="cascade-unasked",
        sentence="a deletion takes along what refers to it, though nobody asked for a cascade",
        edits=(
            Edit(
                REFUSAL,
                "if not isinstance(command, Deletion) or command.cascade:",
                "if not isinstance(command, Deletion) or not command.cascade:",
            ),
        ),
    ),
    _misleads(
        id="missing-though-there",
        sentence="a role is said to be missing unless a group has its name",
        gate=Proof("properties.p_reject.AssignRole"),
        edits=(
            Edit(
                REFUSAL,
                'return _there("role", (role,), role in state.roles)',
                'return _there("role", (role,), role in state.groups)',
            ),
        ),
    ),
    _misleads(
        id="taken-though-free",
        sentence="a parent is refused as there already because it is one the other way round",
        gate=Proof("properties.p_reject.AddParent"),
        edits=(
            Edit(
                REFUSAL,
                'return _taken("parent", (role, parent), state.roles.has_edge(role, parent))',
                'return _taken("parent", (role, parent), state.roles.has_edge(parent, role))',
            ),
        ),
    ),
    _misleads(
        id="together-told-as-one",
        sentence="in a change, assignments made at once count as one command to what follows them",
        gate=Executable(),
        edits=(
            Edit(
                "grantproof.core.commands",
                "state, position = together.after, position + len(alike)",
                "state, position = together.after, position + 1",
            ),
        ),
    ),
    Fault(
        id="foreign-organization",
        kind="references",
        sentence="a claim can be made on another organization",
        property_id="P-TENANT",
        gate=Executable(),
        edits=(
            Edit(
                "grantproof.core.organization",
                "            exists = entity == state.id",
                '            exists = entity != ""',
            ),
        ),
    ),
)
