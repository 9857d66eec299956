"""What a call promises is never used to prove what the call is owed."""

import z3

from specs.kernel.proof import Theorem, decide
from specs.kernel.values import Clause, Dated, Facts, before, implied

P = z3.Bool("p")
OWED = ("what the caller owes", P)
PROMISED = ("what the call promises", P)


def theorem(*hypotheses: Clause, goal: Clause) -> Theorem:
    """Return a theorem of one goal."""
    return Theorem("P-INDUCT", "of a call", hypotheses, (goal,))


def test_a_promise_does_not_prove_what_was_owed_before() -> None:
    """A contract whose promise implies its own requirement would otherwise prove anything."""
    late = decide(theorem(Dated(PROMISED, 0), goal=Dated(OWED, 0)), seeds=(0,))
    assert late.verdict == "refuted"


def test_an_earlier_promise_proves_what_is_owed_later() -> None:
    """The next call may rely on what the last one promised."""
    early = decide(theorem(Dated(PROMISED, 0), goal=Dated(OWED, 1)), seeds=(0,))
    assert early.verdict == "proved"


def test_what_is_to_be_shown_may_use_everything() -> None:
    """A goal that is no obligation of a call comes after all of them."""
    assert decide(theorem(Dated(PROMISED, 0), goal=OWED), seeds=(0,)).verdict == "proved"
    assert decide(theorem(PROMISED, goal=Dated(OWED, 0)), seeds=(0,)).verdict == "proved"


def test_what_comes_up_is_dated_by_itself() -> None:
    """Facts keep the order in which a translation came upon what it owes and assumes."""
    facts = Facts()
    facts.owed.append(OWED)
    facts.assumed.append(PROMISED)
    facts.owed.extend([OWED])
    first, second = facts.owed
    assert [name for name, _ in before(facts.axioms(), first)] == []
    assert [name for name, _ in before(facts.axioms(), second)] == [PROMISED[0]]
    assert before(facts.axioms(), implied(P, first)) == []
