"""The mechanical mutants: everything that can be changed is, and a survivor is not overlooked."""

import ast
from pathlib import Path

import pytest

import grantproof.core as core_package
from specs.kernel.source import Source
from specs.manifest import CORE, TESTED
from specs.mutants import proofs, suites, walk
from specs.mutants.changes import Mutant
from specs.mutants.changes import mutants as mutants_of
from specs.mutants.equivalent import EQUIVALENT, same
from specs.mutants.run import EQUAL, SURVIVED, Fate, conclude, judged

ROOT = Path(__file__).resolve().parents[3]
CONSTRAINTS = "grantproof.core.constraints"
DUTY = "grantproof.core.duty"
EXCEEDS = f"{DUTY}.exceeds"
SAMPLE = """
Kind = First | Second

class Thing:
    def __post_init__(self) -> None | str:
        if not 0 < self.size <= 9:
            raise ValueError

def chosen(ones: int | str, others):
    if any(one is None for one in ones) and ones != others:
        return False
    if good(ones):
        return len(ones) + 1
    return {one for one in ones - others if good(one)} | others
"""


def changed(text: str) -> list[tuple[str, str]]:
    """The changes of the mutants of a text, each with the function it is in."""
    return [(mutant.function, mutant.change) for mutant in mutants_of("sample", text)]


def test_everything_that_decides_is_changed() -> None:
    """Chains, connectives and their parts, quantifiers, sets, conditions, sums, booleans."""
    found = [change.partition(" -> ")[2] for _, change in changed(SAMPLE)]
    assert sorted(found) == sorted(
        [
            "not not 0 < self.size <= 9",
            "0 <= self.size <= 9",
            "0 >= self.size <= 9",
            "0 < self.size < 9",
            "0 < self.size > 9",
            "any((one is None for one in ones)) or ones != others",
            "any((one is None for one in ones))",
            "ones != others",
            "all((one is None for one in ones))",
            "if not good(ones)",
            "len(ones) - 1",
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
    assert {function for function, _ in changed(SAMPLE)} == {"Thing.__post_init__", "chosen"}


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


def test_a_guard_of_a_case_is_a_condition() -> None:
    """It is turned round, and named by its case alone."""
    text = "def f(x):\n    match x:\n        case A(y) if good(y):\n            return y\n"
    assert changed(text) == [("f", "case A(y) if good(y) -> case A(y) if not good(y)")]


def duty(ending: str) -> Mutant:
    """The mutant of `exceeds` whose change ends so."""
    some = mutants_of(DUTY, Source().text(DUTY))
    return next(one for one in some if one.place == EXCEEDS and one.change.endswith(ending))


def unchanged() -> Mutant:
    """A mutant that changes nothing."""
    return Mutant(DUTY, "exceeds", "nothing", 1, Source().text(DUTY))


def test_what_changes_the_meaning_is_killed_by_the_theorem_of_its_function() -> None:
    """Off by one is refuted."""
    assert proofs.killed(duty("> sod_set.n"), [EXCEEDS]) == f"refuted by {EXCEEDS}"


def test_what_changes_nothing_is_the_same_theorem_and_the_same_function() -> None:
    """The source as it is gives nothing to be killed by, and is equal to itself."""
    assert proofs.killed(unchanged(), [EXCEEDS]) == ""
    assert proofs.decided(unchanged(), [EXCEEDS]) == ""
    assert same(unchanged())


def test_a_change_that_matters_is_not_proved_to_be_the_same() -> None:
    """Nor is what the kernel does not read."""
    assert not same(duty("> sod_set.n"))


def test_what_is_listed_as_equivalent_is_a_mutant_that_is_proved_to_be() -> None:
    """An entry goes when its code goes."""
    places = {key.partition(":")[0] for key in EQUIVALENT}
    some = mutants_of(CONSTRAINTS, Source().text(CONSTRAINTS), places.__contains__)
    known = {mutant.key: mutant for mutant in some}
    assert set(EQUIVALENT) <= set(known)
    assert all(same(known[key]) for key in EQUIVALENT)


def test_what_no_proof_reads_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of such a function nothing is asked, whatever it says."""
    monkeypatch.setattr("specs.mutants.run.same", lambda _mutant: False)
    assert judged((Mutant(DUTY, "nobody_reads", "a -> b", 1, ""), ())).how == SURVIVED


def test_the_theorem_of_the_function_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the others that read it, the smallest first; of a function without readers none."""
    known = {EXCEEDS: ("many", "few", EXCEEDS), "other": ("many",)}
    monkeypatch.setattr(walk, "readers", lambda: known)
    walk.sizes.cache_clear()
    assert walk.theorems_about(EXCEEDS) == (EXCEEDS, "few", "many")
    assert walk.theorems_about("nobody.reads") == ()
    walk.sizes.cache_clear()


def test_what_is_not_walked_is_a_module_there_is() -> None:
    """An entry goes with its module, and all others of the core are walked."""
    core = set(Path(core_package.__file__ or "").parent.rglob("*.py"))
    assert len(walk.modules()) + len(walk.NOT_WALKED) == len(core) - 1


def test_every_module_with_tested_functions_is_walked_or_said_not_to_be() -> None:
    """With tests that there are; in one of the tables, and no module that there is not."""
    told = [*suites.TRIED, *suites.UNREAD, *suites.UNTRIED]
    assert set(told) <= set(walk.modules())
    assert not set(suites.UNTRIED) & set(suites.UNREAD)
    assert {
        name for name in TESTED if not any(f"{CORE}{name}".startswith(f"{one}.") for one in told)
    } <= {"policy.claim_order", "relation.Graph.edges", "relation.Relation.triples"}
    assert all((ROOT / test).is_file() for one in told for test in suites.held(one))


def test_what_no_proof_reads_is_walked_where_tests_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every function there, what stands in none is not; the other modules are left alone."""
    monkeypatch.setattr(walk, "read", set)
    module = next(iter(suites.UNREAD))
    assert walk.is_walked(f"{module}.function")
    assert not walk.is_walked(f"{module}.")
    assert not walk.is_walked(f"{next(iter(suites.UNTRIED))}.function")


def test_such_a_mutant_is_judged_by_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they do not notice survives, unless it is argued to be the same; a kill says not."""
    module = next(iter(suites.UNREAD))
    ends = ["", "failed by tests"]
    monkeypatch.setattr(suites, "killed", lambda _mutant: ends[0])
    plain = Mutant(module, "function", "a -> b", 1, "")
    assert judged((plain, ())).how == SURVIVED
    monkeypatch.setattr(suites, "ARGUED", {plain.key: "reason"})
    assert judged((plain, ())).how == EQUAL
    assert judged((plain, ())).problem == ""
    ends.reverse()
    assert judged((plain, ())).problem == "listed as equivalent, but failed by tests"


def test_what_is_argued_to_be_the_same_is_a_mutant_that_is_held_to_tests() -> None:
    """An entry goes when its code goes."""
    for key in suites.ARGUED:
        place, _, change = key.partition(": ")
        module = next(one for one in suites.UNREAD if place.startswith(f"{one}."))
        assert change.partition(" -> ")[0] in ast.unparse(ast.parse(Source().text(module)))


def test_tests_find_out_only_what_they_pass_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure kills, a pass does not; tests that fail anyway say nothing, nor an odd end."""
    module = next(iter(suites.TRIED))
    mutant = Mutant(module, "function", "a -> b", 1, "changed")

    def ending(plain: int, changed: int) -> None:
        suites.clean.cache_clear()
        ends = {"changed": changed}
        monkeypatch.setattr(suites, "run", lambda _module, text, _tests: ends.get(text, plain))

    ending(0, 1)
    assert suites.killed(mutant).startswith("failed by tests/")
    ending(0, 0)
    assert suites.killed(mutant) == ""
    for plain, changed, why in ((1, 1, "without the change"), (0, 3, "exits with 3")):
        ending(plain, changed)
        with pytest.raises(RuntimeError, match=why):
            suites.killed(mutant)
    suites.clean.cache_clear()


def test_a_survivor_fails_and_so_does_a_stale_entry_and_a_drop() -> None:
    """Nothing survives but what is listed and proved; the number killed may only grow."""
    mutant = Mutant("module", "function", "a -> b", 1, "")
    key = next(iter(EQUIVALENT))
    listed = Mutant(CONSTRAINTS, "fence_holds", key.partition(": ")[2], 1, "")
    assert listed.key == key
    killed = Fate(mutant, "refuted by theorem")
    assert conclude([killed], pinned=1) == 0
    assert conclude([killed], pinned=2) == 1
    assert conclude([], pinned=0) == 1
    assert conclude([killed, Fate(listed, EQUAL)], pinned=1) == 0
    for wrong in (
        Fate(mutant, SURVIVED),
        Fate(mutant, EQUAL),
        Fate(listed, SURVIVED),
        Fate(listed, "refuted by theorem"),
    ):
        assert conclude([killed, wrong], pinned=1) == 1
