"""Typed values and the comparisons between them: no conversion, ever."""

import operator
from collections.abc import Callable
from typing import Final

import pytest

from grantproof.core.attributes import (
    NO_NAMES,
    Literal,
    Operator,
    Value,
    attributes,
    booleans,
    check_value,
    compare,
)
from grantproof.core.constraints import MaxUsage, Observation
from grantproof.core.errors import Illegal
from grantproof.core.model import Principal, Resource
from tests.organizations import ANN, DOCS, FILE

SAMPLES: Final[tuple[Value, ...]] = (
    False,
    True,
    -1,
    0,
    1,
    2,
    2**63 - 1,
    -(2**63),
    "",
    "1",
    "a",
    "b",
    "True",
    frozenset(),
    frozenset({"a"}),
    frozenset({"a", "b"}),
    frozenset({""}),
)
ORDERINGS: Final[dict[Operator, Callable[[int, int], bool]]] = {
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
}


def defined(op: Operator, left: Value, right: Value) -> bool:
    """The declarative table: which types fit the operator, and what it then means."""
    types = (type(left), type(right))
    if op is Operator.IN:
        return types == (str, frozenset) and isinstance(right, frozenset) and left in right
    if types[0] is not types[1]:
        return False
    if op in {Operator.EQ, Operator.NE}:
        return (left == right) is (op is Operator.EQ)
    if isinstance(left, int) and isinstance(right, int) and types == (int, int):
        return ORDERINGS[op](left, right)
    return False


@pytest.mark.parametrize("op", Operator)
def test_compare_follows_the_table_over_all_pairs_of_types(op: Operator) -> None:
    """Every operator on every pair of types gives what the table says; ill-typed never holds."""
    found = {
        (left, type(left), right, type(right)): compare(op, left, right)
        for left in SAMPLES
        for right in SAMPLES
    }
    expected = {
        (left, type(left), right, type(right)): defined(op, left, right)
        for left in SAMPLES
        for right in SAMPLES
    }
    assert found == expected
    assert {True, False} == set(found.values())


def test_there_are_seven_operators() -> None:
    """The closed list of the operators, by the names that policies use."""
    assert [op.value for op in Operator] == ["eq", "ne", "lt", "le", "gt", "ge", "in"]


@pytest.mark.parametrize("op", Operator)
@pytest.mark.parametrize(("yes", "one"), [(True, 1), (False, 0)])
def test_true_is_not_one(op: Operator, yes: bool, one: int) -> None:
    """No operator holds between a bool and an int, `ne` included, either way round."""
    assert (compare(op, yes, one), compare(op, one, yes)) == (False, False)


@pytest.mark.parametrize("op", Operator)
def test_a_value_holds_against_none_of_another_type(op: Operator) -> None:
    """Between values of two types only `in` may hold, and only of a string in a set."""
    pairs = [
        (left, right)
        for left in SAMPLES
        for right in SAMPLES
        if type(left) is not type(right) and compare(op, left, right)
    ]
    assert {(type(left), type(right)) for left, right in pairs} == (
        {(str, frozenset)} if op is Operator.IN else set()
    )


def rule_broken(value: object) -> str | None:
    """The rule that the value breaks, or nothing when it is legal."""
    try:
        check_value("operand", value)
    except Illegal as illegal:
        return illegal.rule if illegal.field == "operand" else f"of `{illegal.field}`"
    return None


def test_an_integer_has_64_bits() -> None:
    """The extremes are legal, one further is not."""
    legal = (-(2**63), -(2**63) + 1, 2**63 - 2, 2**63 - 1)
    assert [rule_broken(value) for value in legal] == [None] * 4
    assert [rule_broken(value) for value in (-(2**63) - 1, 2**63)] == ["must fit in 64 bits"] * 2


def test_a_string_has_at_most_1024_characters() -> None:
    """1,023 and 1,024 are legal, 1,025 is not; the same inside a set."""
    lengths = (1_023, 1_024, 1_025)
    alone = [rule_broken("x" * length) for length in lengths]
    inside = [rule_broken(frozenset({"x" * length})) for length in lengths]
    assert alone == [None, None, "must have at most 1024 characters"]
    assert inside == [None, None, "must hold strings of at most 1024 characters"]


def test_a_set_has_at_most_1000_strings() -> None:
    """999 and 1,000 are legal, 1,001 are not."""
    found = [
        rule_broken(frozenset(str(number) for number in range(size)))
        for size in (999, 1_000, 1_001)
    ]
    assert found == [None, None, "must have at most 1000 members"]


@pytest.mark.parametrize("value", [frozenset({1}), frozenset({True}), frozenset({b"a"})])
def test_a_set_holds_strings_only(value: object) -> None:
    """Anything else inside a set is refused."""
    assert rule_broken(value) == "must hold strings of at most 1024 characters"


@pytest.mark.parametrize("value", [None, 1.0, 0.5, float("nan"), b"a", [], {}, (), {"a"}, object()])
def test_there_is_no_other_type_of_value(value: object) -> None:
    """Floats, nothing, bytes, lists and mutable sets are no values."""
    assert (
        rule_broken(value) == "must be true, false, a whole number, a string or a list of strings"
    )


def test_a_literal_operand_is_a_legal_value() -> None:
    """An operand that is no legal value cannot be constructed."""
    with pytest.raises(Illegal, match="`operand` must fit in 64 bits"):
        Literal(2**63)
    assert Literal(2**63 - 1).value == 2**63 - 1


def test_an_entity_has_at_most_256_attributes() -> None:
    """255 and 256 are legal, 257 are not."""
    sizes = [len(attributes({f"a{n}": n for n in range(size)})) for size in (255, 256)]
    assert sizes == [255, 256]
    with pytest.raises(Illegal, match="`attributes` must have at most 256 members"):
        attributes({f"a{n}": n for n in range(257)})


def test_attributes_name_the_value_or_the_name_at_fault() -> None:
    """An illegal value is told with its name, an illegal name as such."""
    with pytest.raises(Illegal, match=r"`attributes\.age` must fit in 64 bits"):
        attributes({"age": 2**63})
    with pytest.raises(Illegal, match="`attribute` must not be `id`: reserved"):
        attributes({"id": "ann"})
    with pytest.raises(Illegal, match="`attribute` must match"):
        attributes({"a.b": 1})


def test_attributes_keep_a_bool_a_bool() -> None:
    """What is stored is what was given, its type included."""
    stored = attributes({"yes": True, "one": 1})
    assert {name: type(value) for name, value in stored.items()} == {"yes": bool, "one": int}


@pytest.mark.parametrize("value", ["\ud800", "a\udfff", frozenset({"ok", "\udc00"})])
def test_half_a_surrogate_pair_is_no_text(value: object) -> None:
    """What no store can hold is refused, alone and inside a set; whole characters are legal."""
    assert rule_broken(value) == "must be Unicode text: half a surrogate pair is none"
    assert rule_broken("\ud7ff\ue000\U0001f600") is None


@pytest.mark.parametrize("value", ["\0", "a\0b", frozenset({"ok", "b\0"})])
def test_the_character_nul_is_no_text(value: object) -> None:
    """What not every store can hold is refused, alone and inside a set; other controls are not."""
    assert rule_broken(value) == "must be text without the character NUL"
    assert rule_broken("\x01\x7f\\u0000") is None


def test_all_who_have_no_booleans_share_that_they_have_none() -> None:
    """One value, however many they are: an empty set takes three times what a principal does."""
    assert booleans(attributes({})) is NO_NAMES
    assert booleans(attributes({"grade": 1, "site": "x"})) is NO_NAMES


def test_facts_with_true_and_with_one_are_different_facts() -> None:
    """Python holds that they are equal; operands, principals, resources and evidence do not."""
    one, true = attributes({"level": 1}), attributes({"level": True})
    assert Literal(True) != Literal(1)
    assert Principal(ANN, attributes=true) != Principal(ANN, attributes=one)
    assert Resource(DOCS, FILE, attributes=true) != Resource(DOCS, FILE, attributes=one)
    assert Observation(MaxUsage(1), (True,), True) != Observation(MaxUsage(1), (1,), True)
    assert Literal(True) == Literal(True)
    assert [Literal(one).is_bool for one in (True, 1)] == [True, False]
    assert [booleans(one) for one in (true, one)] == [{"level"}, set()]
