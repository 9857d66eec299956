"""What a verdict rests on: every seed proves every goal, and the hypotheses that count are told."""

import pytest
import z3

from specs.kernel.proof import SEEDS, Answer, Proof, Theorem, again, decide, decided
from specs.kernel.sorts import Name
from specs.kernel.vacuity import BY_DEFINITION, refutes, satisfiable
from specs.kernel.values import CHOICE

P, Q, R = z3.Bools("p q r")
KNOWN = (("p", P), ("p implies q", z3.Implies(P, Q)), ("r", R))
THEOREM = Theorem("P-SOUND", "made up", KNOWN, (("q", Q),))


def test_a_proof_names_what_it_used() -> None:
    """The irrelevant is told as unused, whichever seed."""
    result = decide(THEOREM)
    assert result.holds
    assert (result.used, result.unused) == (frozenset({"p", "p implies q"}), ("r",))


def test_each_later_seed_proves_from_what_the_first_used() -> None:
    """Take one hypothesis out of a proof, and the next seed refutes it by name."""
    answer = decided(THEOREM, SEEDS[0])
    (proof,) = answer.proofs
    assert again(answer, SEEDS[1]) == answer
    found = again(Answer("proved", proofs=(Proof(proof.goal, proof.used[:1]),)), SEEDS[1])
    assert found.verdict == "refuted"
    assert found.detail.startswith("with seed 7, q: ")


def test_with_whole_every_seed_starts_from_all_hypotheses() -> None:
    """The verdict is the same; nothing is taken from the first proof."""
    assert decide(THEOREM, whole=True).holds


def test_what_does_not_follow_is_refuted_with_its_goal() -> None:
    """The first goal that fails is named, with values under which it does."""
    result = decide(Theorem("P-SOUND", "made up", KNOWN[:1], (("p", P), ("q", Q))))
    assert (result.verdict, result.detail[:3]) == ("refuted", "q: ")


@pytest.mark.parametrize("name", [CHOICE, BY_DEFINITION + "it is chosen"])
def test_a_world_refutes_only_with_what_is_chosen_and_defined_as_it_is(name: str) -> None:
    """Left out they would make no world less possible, but refute what follows from them."""
    chosen, one = z3.Consts("chosen one", Name)
    there = z3.Function("there", Name, z3.BoolSort())
    known = [
        ("there is one", z3.Exists([one], there(one))),
        (name, z3.Implies(z3.Exists([one], there(one)), there(chosen))),
    ]
    goal = ("what is chosen is there", there(chosen))
    assert satisfiable([*known, ("not so", z3.Not(goal[1]))])
    assert not refutes(known, goal)
    assert refutes(known, ("it is not", z3.Not(goal[1])))
    assert refutes(known[:1], goal)


def test_a_later_goal_may_use_one_before_it_where_proofs_go_in_steps() -> None:
    """What was proved is supposed from then on, and is no hypothesis of the theorem."""
    steps = Theorem("P-SOUND", "made up", KNOWN, (("q", Q), ("q or r", z3.Or(Q, R))), stepwise=True)
    result = decide(steps)
    assert result.holds
    assert result.used <= {name for name, _ in KNOWN}
