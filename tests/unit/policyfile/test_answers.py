"""Answers as documents: decisions, certificates and explanations."""

import msgspec

from grantproof.core.certificate import Certificate
from grantproof.core.constraints import GeoFence, Observation, TimeWindow
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
)
from grantproof.core.model import Claim, Exactly, Validity
from grantproof.core.policy import Allow, ConstraintFailed, Deny, NoRole
from grantproof.policyfile import answers
from grantproof.policyfile.answers import CODES, Explanation, WeighedClaim, evaluation

FENCE = GeoFence(frozenset({Region("eu")}))
CLAIM = Claim(
    ClaimId("reading"),
    RoleId("viewer"),
    Exactly(Action("read")),
    Exactly(ResourceId("docs")),
    (FENCE,),
)
SEEN = Observation(FENCE, (None,), False)
PROOF = Certificate(
    organization=OrganizationId("acme"),
    revision=7,
    instant=1_000,
    principal=PrincipalId("ann"),
    groups=(),
    validity=Validity(None, 2_000),
    roles=(RoleId("editor"), RoleId("viewer")),
    claim=CLAIM,
    resources=(ResourceId("docs"),),
    observations=(Observation(TimeWindow(9, 17), (10, 2), True),),
)
WRITTEN_PROOF = {
    "organization": "acme",
    "revision": 7,
    "instant": 1_000,
    "principal": "ann",
    "groups": [],
    "from": None,
    "until": 2_000,
    "roles": ["editor", "viewer"],
    "claim": {
        "id": "reading",
        "role": "viewer",
        "action": "read",
        "resource": "docs",
        "constraints": [{"type": "geo_fence", "regions": ["eu"]}],
    },
    "resources": ["docs"],
    "observations": [
        {
            "constraint": {
                "type": "time_window",
                "start": 9,
                "end": 17,
                "weekdays": [0, 1, 2, 3, 4, 5, 6],
            },
            "saw": [10, 2],
            "held": True,
        }
    ],
}
PLACE = {"revision": 7, "decided_at": 1_000, "valid_until": None}


def written(answer: answers.Evaluation) -> object:
    """What a program reads."""
    return msgspec.json.decode(msgspec.json.encode(answer))


def test_codes_are_the_names_in_small_letters() -> None:
    """A program finds the reason that the documentation describes."""
    assert {code.replace("_", "") for code in CODES.values()} == {
        reason.__name__.lower() for reason in CODES
    }


def test_an_allow_names_its_claim_and_may_carry_its_certificate() -> None:
    """The certificate is there only when it was asked for."""
    bare = {"decision": "Allow", "reason": None, "reason_code": None, "claim_id": "reading"}
    told = evaluation(CLAIM, revision=7, decided_at=1_000, valid_until=None)
    assert written(told) == {**bare, **PLACE}
    told = evaluation(CLAIM, revision=7, decided_at=1_000, valid_until=None, certificate=PROOF)
    assert written(told) == {**bare, **PLACE, "certificate": WRITTEN_PROOF}


def test_a_deny_names_its_reason_and_the_claim_that_failed() -> None:
    """Where one did; a certificate that was asked for is null."""
    told = evaluation(NoRole(), revision=7, decided_at=1_000, valid_until=None, certificate=None)
    reason = {"decision": "Deny", "reason": "no active role", "reason_code": "no_role"}
    assert written(told) == {**reason, **PLACE, "certificate": None}
    failed = ConstraintFailed(CLAIM.id, (SEEN,))
    told = evaluation(failed, revision=7, decided_at=1_000, valid_until=None)
    assert (told.reason_code, told.claim_id) == ("constraint_failed", "reading")


def explained(decision: Allow | Deny) -> Explanation:
    """The explanation of a decision on which one claim bore."""
    return Explanation.of(
        decision,
        effective_roles=(RoleId("editor"), RoleId("viewer")),
        active_roles=(RoleId("viewer"),),
        claims=[WeighedClaim.of(CLAIM, (SEEN,), active=True)],
        revision=7,
        decided_at=1_000,
    )


def test_an_explanation_tells_the_decision_and_what_bore_on_it() -> None:
    """Either evidence or a reason; every claim with what it saw."""
    allowed, denied = explained(Allow(PROOF)).written(), explained(Deny(NoRole())).written()
    assert (allowed["decision"], allowed["certificate"]) == ("Allow", WRITTEN_PROOF)
    assert (denied["reason_code"], denied["certificate"]) == ("no_role", None)
    fence = {"type": "geo_fence", "regions": ["eu"]}
    assert denied["claims"] == [
        {
            "claim": WRITTEN_PROOF["claim"],
            "active": True,
            "observations": [{"constraint": fence, "saw": [None], "held": False}],
        }
    ]
    assert denied["active_roles"] == ["viewer"]
