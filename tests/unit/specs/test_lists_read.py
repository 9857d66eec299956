"""Lists as the proofs read them: each once, in which order, and a loop that goes by places."""

import pytest
import z3

from specs.kernel.collections import listed_once
from specs.kernel.loops import progress
from specs.kernel.source import Source
from specs.kernel.values import Bag, Items, Seq, Term, fresh_set, set_of
from specs.run import verdict

DELTA = "grantproof.core.commands.delta"
REFERENCES = "grantproof.core.commands.references"
DELETES = f"{DELTA}._deletes"
DEPENDENTS = f"{REFERENCES}.dependents"
ENTITY = "(_entity(state, deletion), *dep"


def number(value: int) -> Term:
    """A whole number of the source."""
    return Term(z3.IntVal(value), int)


def holds(condition: z3.BoolRef) -> bool:
    """Whether the condition is a law."""
    solver = z3.Solver()
    solver.add(z3.Not(condition))
    return bool(solver.check() == z3.unsat)


def test_a_tuple_lists_once_what_differs() -> None:
    """Two values and a collection list nothing twice if they have nothing in common."""
    low = Bag(set_of(int, lambda one: one < 5).draw, once=z3.BoolVal(True))
    apart = listed_once([Items((number(7),)), low])
    within = listed_once([Items((number(3),)), low])
    twice = listed_once([Items((number(7), number(7)))])
    assert apart is not None
    assert holds(apart)
    assert within is not None
    assert holds(z3.Not(within))
    assert twice is not None
    assert holds(z3.Not(twice))


def test_of_an_unknown_collection_nothing_is_known() -> None:
    """A collection that may list something twice, or two of them, is not known to list once."""
    some = fresh_set(int, "some")
    once = Bag(some.draw, some.has, once=z3.BoolVal(True))
    assert listed_once([some]) is None
    assert listed_once([once, once]) is None


def test_a_sequence_goes_by_places() -> None:
    """Before a round are the places below, after it one more; nothing else is supposed."""
    sequence = Seq(z3.Int("length"), lambda _place: number(1))
    some = progress(sequence)
    (place,) = some.element.binders
    assert isinstance(some.nothing, Seq)
    assert holds(some.nothing.length == 0)
    assert isinstance(some.done, Seq)
    assert some.done.length.eq(place)
    assert isinstance(some.more, Seq)
    assert holds(some.more.length == place + 1)
    assert z3.is_true(some.new)
    assert z3.is_true(some.supposed)


def test_a_set_goes_in_any_order_each_once() -> None:
    """Of a set the element at hand is not done yet, and what is done is some of the set."""
    some = progress(fresh_set(int, "some"))
    assert not z3.is_true(some.new)
    assert not z3.is_true(some.supposed)


@pytest.mark.parametrize(
    ("theorem", "old", "new"),
    [
        (DELETES, "key=_rank, reverse=True", "key=_rank"),
        (DELETES, f"({ENTITY}endents(state, deletion)), ())", "(dependents(state, deletion), ())"),
        (DELETES, ENTITY, f"(_entity(state, deletion), {ENTITY[1:]}"),
        (DEPENDENTS, "tuple(dict.fromkeys(found))", "tuple(found)"),
    ],
    ids=["nodes first", "entity stays", "entity twice", "dependents twice"],
)
def test_a_list_that_is_wrong_is_not_proved(theorem: str, old: str, new: str) -> None:
    """A deletion that lists too little, twice, or a node before its edges is found out."""
    module = DELTA if theorem == DELETES else REFERENCES
    text = Source().text(module)
    assert text.count(old) == 1
    result = verdict(theorem, {module: text.replace(old, new)}, seeds=(0,))
    assert not result.holds
    assert result.verdict in {"refuted", "undetermined"}
