"""An organization with a guardrail that some changes ask much of: more than a solver has.

Nobody is ever allowed to `pack`. Whoever is given a packer's role could, if so many attributes of a
context could be all different and yet each one of fewer values: few are told apart at once, many
take Z3 for ever, and some have so many values that they do not fit into its memory.
"""

from itertools import combinations
from typing import Any, Final

from tests.survival.serving import Caller
from tests.survival.toggling import ALWAYS, FOUNDING, ORGANIZATION

Json = dict[str, Any]

BASE: Final = f"/v1/orgs/{ORGANIZATION}"
ROLES: Final = ("easy", "hard", "large")
PEOPLE: Final = tuple(f"p{number}" for number in range(300))
LEAVING, SUSPENDED, STAYING = CLERKS = ("leaving", "suspended", "staying")
OPENS: Final[Json] = {
    "id": "clerks-open", "role": "clerk", "action": "open", "resource": "docs", "constraints": [],
}  # fmt: skip
EASY, HARD, LARGE = 4, 10, 8
"""How many attributes must be different. Z3 takes milliseconds for 4, minutes for 10."""
VALUES: Final = 900
"""So many values each of the large ones may have."""


def _differ(one: int, other: int) -> Json:
    return {
        "type": "attribute",
        "path": f"context.a{one}",
        "op": "ne",
        "operand": {"path": f"context.a{other}"},
    }


def _among(number: int, values: list[str]) -> Json:
    return {"type": "attribute", "path": f"context.a{number}", "op": "in", "operand": values}


def _crowded(count: int) -> list[Json]:
    """That so many are different and each one of one fewer values, which cannot be."""
    holes = [f"v{value}" for value in range(count - 1)]
    pairs = combinations(range(count), 2)
    return [*(_among(one, holes) for one in range(count)), *(_differ(*pair) for pair in pairs)]


def _large() -> list[Json]:
    """That some are different, each one of many values; the first of them is no way to it."""
    own = ([f"v{one}-{value}" for value in range(VALUES)] for one in range(LARGE))
    sets = [_among(one, ["a", *values]) for one, values in enumerate(own)]
    return [*sets, *(_differ(one, one + 1) for one in range(LARGE - 1))]


def _packs(role: str, constraints: list[Json]) -> Json:
    claim = {"id": role, "role": role, "action": "pack", "resource": "docs"}
    return {"type": "CreateClaim", "claim": {**claim, "constraints": constraints}}


def _assign(principal: str, role: str) -> Json:
    return {"type": "AssignRole", "principal": principal, "role": role, "validity": ALWAYS}


COMMANDS: Final[list[Json]] = [
    *FOUNDING,
    *({"type": "CreateRole", "role": role} for role in ("clerk", *ROLES)),
    *(
        {"type": "CreatePrincipal", "principal": name, "attributes": {}}
        for name in (*CLERKS, *PEOPLE)
    ),
    {"type": "CreateClaim", "claim": OPENS},
    _packs("easy", _crowded(EASY)),
    _packs("hard", _crowded(HARD)),
    _packs("large", _large()),
    *(_assign(name, "clerk") for name in CLERKS),
]
GUARDRAIL: Final[Json] = {
    "id": "nobody-packs",
    "type": "forbidden",
    "access": {"action": "pack", "resource": "docs"},
}

RESTORING: Final[list[Json]] = [
    _assign(LEAVING, "clerk"),
    {"type": "ResumePrincipal", "principal": SUSPENDED},
    {"type": "CreateClaim", "claim": OPENS},
]
"""What takes the emergency back."""

EMERGENCIES: Final[tuple[tuple[str, str, Json | None, str], ...]] = (
    ("DELETE", f"{BASE}/assignments?principal={LEAVING}&role=clerk", None, LEAVING),
    ("PATCH", f"{BASE}/principals/{SUSPENDED}", {"active": False}, SUSPENDED),
    ("DELETE", f"{BASE}/claims/{OPENS['id']}", None, STAYING),
)
"""What takes access away at once: a request, and whom it leaves without."""


def furnish(caller: Caller) -> None:
    """Make the organization; its guardrail last, when nobody has a packer's role."""
    assert caller.ask("POST", "/v1/orgs", {"id": ORGANIZATION}).status == 201
    made = caller.ask("POST", f"{BASE}/changes", {"commands": COMMANDS})
    assert made.status == 200, made
    guarded = caller.ask("POST", f"{BASE}/guardrails", GUARDRAIL)
    assert guarded.status == 201, guarded


def opens(caller: Caller, principal: str) -> bool:
    """Whether the clerk may do what clerks do."""
    question = {"principal_id": principal, "action": "open", "resource_id": "docs"}
    answer = caller.ask("POST", "/evaluate", {"org_id": ORGANIZATION, **question})
    assert answer.status == 200, answer
    return bool(answer.told["decision"] == "Allow")
