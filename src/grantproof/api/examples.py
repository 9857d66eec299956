"""Requests and answers of the demo organization, for the OpenAPI document."""

from typing import Any, Final

Json = dict[str, Any]

ALICE_READS: Final[Json] = {
    "org_id": "acme",
    "principal_id": "alice",
    "action": "read",
    "resource_id": "docs",
    "region": "us-east-1",
    "hour": 10,
    "usage": 0,
}
ALLOWED: Final[Json] = {
    "decision": "Allow",
    "reason": None,
    "reason_code": None,
    "revision": 1,
    "decided_at": 1_767_225_600,
    "valid_until": 1_767_229_200,
    "claim_id": "viewer-read-docs",
}
DENIED: Final[Json] = {
    "decision": "Deny",
    "reason": "time window 9-17 does not hold at hour 22 on Thu",
    "reason_code": "constraint_failed",
    "revision": 1,
    "decided_at": 1_767_225_600,
    "valid_until": 1_767_229_200,
    "claim_id": "viewer-read-docs",
}
COUNTED: Final[Json] = {
    "decision": "Allow",
    "reason": None,
    "reason_code": None,
    "revision": 7,
    "decided_at": 1_767_225_600,
    "valid_until": None,
    "claim_id": "exporter-export-reports",
    "meter_age": 0,
}
USED_UP: Final[Json] = {
    **COUNTED,
    "decision": "Deny",
    "reason": "usage 100 is not below 100 a day",
    "reason_code": "constraint_failed",
}
MALFORMED: Final[Json] = {
    "error": {
        "status": 400,
        "code": "invalid",
        "detail": "`resource_id` is required",
        "errors": [{"field": "resource_id", "rule": "is required"}],
    }
}

SINGLE_BODIES: Final[Json] = {
    "in office hours": ALICE_READS,
    "at night": {**ALICE_READS, "hour": 22},
    "with the certificate": {**ALICE_READS, "principal_id": "bob", "explain": True},
}
SINGLE_ANSWERS: Final[Json] = {"allowed": ALLOWED, "denied": DENIED}
BATCH_BODY: Final[Json] = {
    "two questions": {
        "org_id": "acme",
        "items": [
            {"principal_id": "alice", "action": "read", "resource_id": "docs", "hour": 10},
            {"principal_id": "alice", "action": "read"},
        ],
    }
}
BATCH_ANSWER: Final[Json] = {
    "an answer and an error": {
        "items": [ALLOWED, MALFORMED],
        "revision": 1,
        "decided_at": 1_767_225_600,
    }
}

CONSUME_BODIES: Final[Json] = {
    "an export": {
        "org_id": "acme",
        "principal_id": "alice",
        "action": "export",
        "resource_id": "reports",
    }
}
CONSUME_ANSWERS: Final[Json] = {"counted": COUNTED, "used up": USED_UP}
WHAT_IF_BODIES: Final[Json] = {
    "at night": {**ALICE_READS, "context": {"hour": 22}},
    "with another role": {
        **ALICE_READS,
        "action": "write",
        "commands": [
            {
                "type": "AssignRole",
                "principal": "alice",
                "role": "editor",
                "validity": {"from": None, "until": None},
            }
        ],
    },
}
