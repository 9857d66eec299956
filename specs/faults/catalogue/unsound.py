"""Evaluation that allows what nothing grants."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault, Proof

POLICY: Final = "grantproof.core.policy"
HIERARCHY: Final = "grantproof.core.hierarchy"
MATCHING: Final = "grantproof.core.matching"

_unsound = partial(Fault, kind="unsound evaluation", shown_by="P-SOUND")
_decides = partial(_unsound, property_id="P-SOUND", gate=Proof("policy.evaluate"))

FAULTS: Final = (
    _decides(
        id="suspended-honoured",
        sentence="a suspended principal is allowed what it holds",
        edits=(Edit(POLICY, "if not principal.active:", "if principal.id != request.principal:"),),
    ),
    _decides(
        id="clash-ignored",
        sentence="roles that may not be active together are",
        edits=(
            Edit(
                POLICY,
                "        return Deny(SessionClash(clash.id, tuple(sorted(clash.roles & active)), "
                "clash.n))\n",
                "        pass\n",
            ),
        ),
    ),
    _unsound(
        id="any-for-all",
        sentence="one constraint that holds suffices",
        property_id="P-MONO-CONSTRAINT",
        gate=Proof("constraints.all_hold"),
        edits=(
            Edit(
                "grantproof.core.constraints",
                "return all(holds(constraint, situation) for constraint in constraints)",
                "return any(holds(constraint, situation) for constraint in constraints)",
            ),
        ),
    ),
    _unsound(
        id="expired-honoured",
        sentence="an assignment counts before it starts and after it has ended",
        property_id="P-SOUND",
        gate=Proof("hierarchy.valid_roles"),
        edits=(
            Edit(
                HIERARCHY,
                "for role, validity in assigned.items() if validity.contains(instant))",
                "for role, validity in assigned.items())",
            ),
        ),
    ),
    _unsound(
        id="any-administers",
        sentence="a claim on every action grants administrative ones too",
        property_id="P-SOUND",
        gate=Proof("matching.action_matches"),
        edits=(Edit(MATCHING, "return action not in ADMINISTRATIVE_ACTIONS", "return True"),),
    ),
    _unsound(
        id="exactly-grants-inside",
        sentence="a claim on one resource grants everything inside it",
        property_id="P-SOUND",
        gate=Proof("matching.resource_matches"),
        edits=(
            Edit(
                MATCHING,
                "return value == target.resource and value in target.lineage",
                "return value in target.lineage",
            ),
        ),
    ),
    _unsound(
        id="either-pattern",
        sentence="it suffices that the action or the resource matches",
        property_id="P-SOUND",
        gate=Proof("matching.claim_matches"),
        edits=(
            Edit(
                MATCHING,
                "return action_matches(claim.action, action) and resource_matches(claim.resource, "
                "target)",
                "return action_matches(claim.action, action) or resource_matches(claim.resource, "
                "target)",
            ),
        ),
    ),
    _unsound(
        id="session-widens",
        sentence="a session activates roles that its principal does not hold",
        property_id="P-DSD",
        shown_by="P-DSD",
        gate=Proof("duty.active_roles"),
        edits=(
            Edit(
                "grantproof.core.duty",
                "return closure(request.active_roles & effective, state.roles.parents)",
                "return closure(request.active_roles, state.roles.parents)",
            ),
        ),
    ),
    # Z3 proves `evaluate`, but of this fault it is undecided between refuting and giving up.
    Fault(
        id="constraints-skipped",
        kind="unsound evaluation",
        sentence="a claim grants whether or not its constraints hold",
        property_id="P-SOUND",
        gate=Executable(),
        edits=(
            Edit(
                POLICY,
                "[claim for claim in matching if all_hold(claim.constraints, situation)]",
                "matching",
            ),
        ),
    ),
    _unsound(
        id="attributes-skipped",
        sentence="a condition on attributes holds whatever they are",
        property_id="P-ATTR",
        gate=Proof("constraints.holds"),
        edits=(
            Edit(
                "grantproof.core.constraints",
                "            return attribute_holds(constraint.operator, left, right)",
                "            return left is None or right is None or left is not None",
            ),
        ),
    ),
    Fault(
        id="stale-index",
        kind="unsound evaluation",
        sentence="the index goes on answering from assignments that are gone",
        property_id="P-INDEX",
        gate=Executable(),
        edits=(
            Edit(
                "grantproof.core.staleness",
                "            return Stale(principals=(fact.principal,))",
                "            return Stale()",
            ),
        ),
    ),
)
