"""A theorem whose world another shows supposes no more than that one, or the gate says so."""

import dataclasses

from specs.kernel.proof import Result
from specs.kernel.vacuity import BY_DEFINITION
from specs.kernel.values import CHOICE, DISTINCT, PROMISED
from specs.run import TYPES, unshown

SHOWN = Result("P-SOD-SAFE", "shown", "proved", used=frozenset({"acyclic"}), unused=("known",))
LEANS = Result("P-REF", "leans", "proved", used=frozenset({"known"}), possible_as="shown")


def test_what_supposes_no_more_is_shown() -> None:
    """The same hypotheses, used by the proof or not, are possible in the same world."""
    assert unshown([SHOWN, LEANS]) == []


def test_what_supposes_more_is_vacuous() -> None:
    """One more hypothesis and the world is nobody's: it might not be one for it."""
    (told,) = unshown([SHOWN, dataclasses.replace(LEANS, unused=("impossible",))])
    assert (told.verdict, told.name) == ("vacuous", "leans")
    assert told.detail == "supposes what shown does not: impossible"


def test_what_leans_on_a_theorem_that_shows_nothing_is_vacuous() -> None:
    """A theorem that leaves its world to a third, or that nobody has stated, shows none."""
    third = dataclasses.replace(SHOWN, possible_as="third")
    (told,) = [one for one in unshown([third, LEANS]) if one.name == "leans"]
    assert (told.verdict, told.detail) == ("vacuous", "shown shows no world itself")
    (told,) = unshown([LEANS])
    assert (told.verdict, told.detail) == ("vacuous", "shown is not stated")
    stated = dataclasses.replace(LEANS, possible_as="properties.p_sod_kept.AddParent")
    assert unshown([stated]) == []


def test_what_holds_in_every_world_is_no_matter() -> None:
    """A definition, a choice, a type and what a proved theorem promises can always be supposed."""
    anyway = (BY_DEFINITION + "x", CHOICE, DISTINCT, PROMISED + "x", TYPES + "Claim.role")
    assert unshown([SHOWN, dataclasses.replace(LEANS, unused=anyway)]) == []
