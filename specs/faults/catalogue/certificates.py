"""A checker of certificates that skips a step, and a producer whose evidence does not hold."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault

CERTIFICATE: Final = "grantproof.core.certificate"

# Z3 proves the checker, but finds no counterexample to a broken one within its time limit: that
# is `undetermined`, which fails the gate `specs` without refuting. The executable one refutes.
_accepts = partial(Fault, kind="certificate", property_id="P-CERT", gate=Executable())

FAULTS: Final = (
    _accepts(
        id="path-unfollowed",
        sentence="the checker does not follow the path from role to role",
        edits=(Edit(CERTIFICATE, "        and _follows(roles, state.roles.parents)\n", ""),),
    ),
    _accepts(
        id="term-unchecked",
        sentence="the checker accepts an assignment that is not valid now",
        edits=(
            Edit(
                CERTIFICATE,
                "        and certificate.validity.contains(certificate.instant)\n",
                "",
            ),
        ),
    ),
    _accepts(
        id="suspended-certified",
        sentence="the checker does not ask whether the principal is suspended",
        edits=(
            Edit(
                CERTIFICATE,
                "return stored is not None and stored.active",
                "return stored is not None",
            ),
        ),
    ),
    _accepts(
        id="claim-unchecked",
        sentence="the checker accepts a claim that the organization does not have",
        edits=(
            Edit(
                CERTIFICATE,
                "        and state.claims.get(certificate.claim.id) == certificate.claim\n",
                "",
            ),
        ),
    ),
    _accepts(
        id="failed-constraint-certified",
        sentence="the checker accepts constraints that did not hold",
        edits=(
            Edit(
                CERTIFICATE,
                " and all(\n"
                "        observation.held for observation in certificate.observations\n"
                "    )",
                "",
            ),
        ),
    ),
    _accepts(
        id="session-unchecked",
        sentence="the checker accepts a path that passes no role of the session",
        edits=(Edit(CERTIFICATE, "        and _within_session(request, certificate)\n", ""),),
    ),
    _accepts(
        id="clash-certified",
        sentence="the checker does not look at dynamic separation of duty",
        edits=(
            Edit(
                CERTIFICATE,
                "        and dynamic_clash(state, active_roles(state, request, context.instant)) "
                "is None\n",
                "",
            ),
        ),
    ),
    _accepts(
        id="membership-uncertified",
        sentence="the checker does not ask whether the principal is in the first group",
        edits=(
            Edit(
                CERTIFICATE,
                "if len(groups) > 0 and groups[0] not in "
                "state.memberships.of(certificate.principal):",
                "if len(groups) > 0 and groups[0] not in state.groups:",
            ),
        ),
    ),
    Fault(
        id="issued-without-session",
        kind="certificate",
        sentence="a certificate shows a path that the session did not choose",
        property_id="P-CERT",
        gate=Executable(),
        edits=(
            Edit(
                CERTIFICATE,
                "    if request.active_roles is None:\n        return how_held(",
                "    if request.action != '':\n        return how_held(",
            ),
        ),
    ),
)
