"""The mechanical mutants: everything that can be changed is, and a survivor is not overlooked."""

import ast

import pytest

from specs.kernel.source import Source
from specs.mutants import (
    EQUIVALENT,
    MODULES,
    SURVIVED,
    Mutant,
    all_mutants,
    conclude,
    killed,
    refuted,
)
from specs.mutants import mutants as mutants_of
from specs.theorems import statements

DUTY = "grantproof.core.duty"
SAMPLE = """
Kind = First | Second

class Thing:
    def __post_init__(self) -> None | str:
        if not 0 < self.size <= 9:
            raise ValueError

def chosen(ones: int | str, others):
    if any(one is None for one in ones) and ones != others:
        return False
    return {one for one in ones - others if good(one)} | others
"""


def changes(text: str) -> list[tuple[str, str]]:
    """The changes of the mutants of a text, each with the function it is in."""
    return [(mutant.function, mutant.change) for mutant in mutants_of("sample", text)]


def test_everything_that_decides_is_changed() -> None:
    """Chains link by link, connectives, quantifiers, sets, filters that call, returned booleans."""
    found = [change.partition(" -> ")[2] for _, change in changes(SAMPLE)]
    assert sorted(found) == sorted(
        [
            "not not 0 < self.size <= 9",
            "0 <= self.size <= 9",
            "0 >= self.size <= 9",
            "0 < self.size < 9",
            "0 < self.size > 9",
            "any((one is None for one in ones)) or ones != others",
            "all((one is None for one in ones))",
            "one is not None",
            "ones == others",
            "return True",
            "{one for one in ones - others if good(one)} & others",
            "ones & others",
            "for one in ones - others if not good(one)",
        ]
    )


def test_a_mutant_knows_the_function_it_is_in() -> None:
    """A method by its class; there is none of an annotation or an alias of types."""
    assert {function for function, _ in changes(SAMPLE)} == {"Thing.__post_init__", "chosen"}


def test_a_mutant_differs_in_one_place_from_the_source() -> None:
    """Its text is the module's but for the change, and all texts differ."""
    texts = [mutant.text for mutant in mutants_of("sample", SAMPLE)]
    same = ast.unparse(ast.parse(SAMPLE)).splitlines()
    differing = [
        sum(one != other for one, other in zip(text.splitlines(), same, strict=True))
        for text in texts
    ]
    assert set(differing) == {1}
    assert len(set(texts)) == len(texts)


def test_every_function_that_can_be_changed_has_a_theorem_of_its_own() -> None:
    """So it is asked what the function means, and not only whether some caller notices."""
    changed = {f"{mutant.module}.{mutant.function}" for mutant in all_mutants()}
    assert changed - set(statements()) == set()


def test_what_changes_the_meaning_is_killed_by_the_theorem_of_its_function() -> None:
    """Off by one is refuted."""
    exceeds = [mutant for mutant in all_mutants() if mutant.function == "exceeds"]
    off_by_one = next(mutant for mutant in exceeds if mutant.change.endswith("> sod_set.n"))
    assert killed(off_by_one) == f"refuted by {DUTY}.exceeds"


def test_what_changes_nothing_is_proved_again() -> None:
    """The source as it is gives no verdict to be killed by."""
    unchanged = Mutant(DUTY, "exceeds", "nothing", 1, Source().text(DUTY))
    assert refuted(unchanged, [f"{DUTY}.exceeds"]) == ""


def test_what_no_proof_reads_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of such a function nothing is asked, whatever it says."""
    monkeypatch.setattr("specs.mutants.readers", dict)
    assert killed(Mutant(DUTY, "nobody_reads", "a -> b", 1, "")) == SURVIVED


def test_a_survivor_fails_and_so_does_a_mutant_that_is_missing() -> None:
    """Nothing survives but what is listed as equivalent, and the number may only grow."""
    mutant = Mutant("module", "function", "a -> b", 1, "")
    found = [(mutant, "refuted by theorem")]
    assert conclude(found, pinned=1) == 0
    assert conclude(found, pinned=2) == 1
    assert conclude([(mutant, SURVIVED)], pinned=1) == 1


def test_what_is_listed_as_equivalent_is_a_mutant_there_is() -> None:
    """An entry goes when its code goes."""
    known = {(mutant.function, mutant.change) for mutant in all_mutants()}
    assert set(EQUIVALENT) - known == set()
    assert len({mutant.module for mutant in all_mutants()}) == len(MODULES)
