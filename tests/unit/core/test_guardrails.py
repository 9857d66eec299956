"""Guardrails as values: what each rule speaks of, and what it names."""

import pytest

from grantproof.core.attributes import NO_ATTRIBUTES, attributes
from grantproof.core.constraints import RateLimit
from grantproof.core.errors import Illegal
from grantproof.core.guardrails import (
    Access,
    Capped,
    Confined,
    Exclusive,
    Forbidden,
    Guardrail,
    Having,
    HolderOf,
    MemberOf,
    Reserved,
    Rule,
    Selector,
    accesses,
    selectors,
)
from grantproof.core.identifiers import ResourceId
from grantproof.core.limits import (
    CONSTRAINTS_PER_CLAIM_MAX,
    PRINCIPALS_MAX,
    SELECTORS_PER_GUARDRAIL_MAX,
)
from grantproof.core.model import Any, Exactly, OfKind, Within
from tests.organizations import CALM, CLERK, DOCS, PLAN, READ, STAFF, WRITE

ANYTHING = Access(Any(), Any())
INSIDE = Access(Exactly(READ), Within(DOCS))
ITSELF = Access(Exactly(WRITE), Exactly(PLAN))
FILES = Access(Any(), OfKind("file"))
ROLES = Access(Any(), OfKind("role"))
TALL = Having(attributes({"level": 3}))

RULES: list[tuple[Rule, set[object]]] = [
    (Forbidden(ANYTHING), set()),
    (
        Forbidden(INSIDE, frozenset({HolderOf(CLERK)})),
        {Exactly(DOCS), Exactly(ResourceId("role:clerk"))},
    ),
    (
        Reserved(FILES, frozenset({MemberOf(STAFF), TALL})),
        {OfKind("file"), Exactly(ResourceId("group:staff"))},
    ),
    (Confined(ITSELF, (RateLimit(1),)), {Exactly(PLAN)}),
    (Exclusive(INSIDE, ROLES), {Exactly(DOCS), OfKind("role")}),
    (Exclusive(ITSELF, ITSELF), {Exactly(PLAN)}),
    (
        Capped(Access(Any(), Exactly(ResourceId("sod-set:pair"))), 1),
        {Exactly(ResourceId("sod-set:pair"))},
    ),
]


@pytest.mark.parametrize(("rule", "names"), RULES)
def test_what_a_guardrail_names_follows_from_its_rule(rule: Rule, names: set[object]) -> None:
    """Roles and groups as the resources that they are, patterns by what they are about."""
    assert Guardrail(CALM, rule).names == names
    assert Guardrail(CALM, rule) == Guardrail(CALM, rule)


def test_a_rule_tells_its_accesses_and_principals() -> None:
    """Both accesses of an exclusive one; principals only where some are told apart."""
    assert [len(accesses(rule)) for rule, _ in RULES] == [1, 1, 1, 1, 2, 2, 1]
    assert [len(selectors(rule)) for rule, _ in RULES] == [0, 1, 2, 0, 0, 0, 0]
    assert accesses(Exclusive(INSIDE, FILES)) == (INSIDE, FILES)


def test_what_is_true_is_not_one() -> None:
    """Python holds that `True == 1`; guardrails do not."""
    stored = [attributes({"level": value}) for value in (True, 1)]
    assert Having(stored[0]) != Having(stored[1])
    assert Access(Any(), Any(), stored[0]) != Access(Any(), Any(), stored[1])


MANY: list[Selector] = [
    Having(attributes({"level": n})) for n in range(SELECTORS_PER_GUARDRAIL_MAX + 1)
]
LIMITS = tuple(RateLimit(1 + n) for n in range(CONSTRAINTS_PER_CLAIM_MAX + 1))


def test_as_many_as_there_may_be_are_legal() -> None:
    """At the limits, and one below."""
    for fewer in (0, 1):
        who = frozenset(MANY[: SELECTORS_PER_GUARDRAIL_MAX - fewer])
        assert Reserved(ANYTHING, who).who == Forbidden(ANYTHING, who).who == who
        held = LIMITS[: CONSTRAINTS_PER_CLAIM_MAX - fewer]
        assert Confined(ANYTHING, held).constraints == held
        assert Capped(ANYTHING, PRINCIPALS_MAX - fewer).most == PRINCIPALS_MAX - fewer
    assert Capped(ANYTHING, 1).most == 1


def test_what_says_nothing_or_too_much_is_illegal() -> None:
    """One beyond each limit, and empty where something must be said."""
    with pytest.raises(Illegal, match="`who` must have at most 100 members"):
        Forbidden(ANYTHING, frozenset(MANY))
    with pytest.raises(Illegal, match="`who` must have at most 100 members"):
        Reserved(ANYTHING, frozenset(MANY))
    with pytest.raises(Illegal, match="`who` must not be empty"):
        Reserved(ANYTHING, frozenset())
    with pytest.raises(Illegal, match="`constraints` must have at most 64 members"):
        Confined(ANYTHING, LIMITS)
    with pytest.raises(Illegal, match="`constraints` must not be empty"):
        Confined(ANYTHING, ())
    with pytest.raises(Illegal, match="`attributes` must not be empty"):
        Having(NO_ATTRIBUTES)
    for most in (0, PRINCIPALS_MAX + 1):
        with pytest.raises(Illegal, match="`most` must be between 1 and"):
            Capped(ANYTHING, most)
