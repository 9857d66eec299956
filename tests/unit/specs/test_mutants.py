"""The mechanical mutants: everything that can be changed is, and a survivor is not overlooked."""

import ast
import faulthandler
from dataclasses import replace
from pathlib import Path

import pytest

import grantproof.core as core_package
from grantproof.core.limits import INSTANT_MIN
from specs.kernel.source import Source
from specs.manifest import CORE, TESTED
from specs.mutants import proofs, suites, trial, walk
from specs.mutants.changes import Mutant
from specs.mutants.changes import mutants as mutants_of
from specs.mutants.equivalent import EQUIVALENT, same
from specs.mutants.run import EQUAL, SURVIVED, Fate, by_tests, conclude, judged

ROOT = Path(__file__).resolve().parents[3]
CONSTRAINTS = "grantproof.core.constraints"
DUTY = "grantproof.core.duty"
EXCEEDS = f"{DUTY}.exceeds"
SAMPLE = """
Kind = First | Second
Other = bool | tuple[str, ...] | None

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


NESTED = """
def f(x):
    match x:
        case A():
            match x:
                case B():
                    return x < 2
            return x == 1
        case _:
            return x in y
    return x is y
"""


def test_a_mutant_knows_the_case_it_is_in() -> None:
    """The inner one of two; none outside."""
    found = {mutant.change.partition(" ->")[0]: mutant.case for mutant in mutants_of("f", NESTED)}
    assert found == {"x < 2": "B()", "x == 1": "A()", "x in y": "_", "x is y": ""}


def duty(ending: str) -> Mutant:
    """The mutant of `exceeds` whose change ends so."""
    some = mutants_of(DUTY, Source().text(DUTY))
    return next(one for one in some if one.place == EXCEEDS and one.change.endswith(ending))


def unchanged() -> Mutant:
    """A mutant that changes nothing."""
    return Mutant(DUTY, "exceeds", "nothing", 1, Source().text(DUTY))


def about(*names: str) -> dict[str, proofs.Unchanged]:
    """The theorems as they are."""
    return {name: proofs.as_it_is(name) for name in names}


def test_what_changes_the_meaning_is_killed_by_the_theorem_of_its_function() -> None:
    """Off by one is refuted."""
    assert proofs.killed(duty("> sod_set.n"), about(EXCEEDS)) == f"refuted by {EXCEEDS}"


def test_what_changes_nothing_is_the_same_theorem_and_the_same_function() -> None:
    """The source as it is gives nothing to be killed by, and is equal to itself."""
    assert proofs.killed(unchanged(), about(EXCEEDS)) == ""
    assert proofs.decided(unchanged(), [EXCEEDS]) == ""
    assert same(unchanged())


def test_tests_are_asked_before_each_theorem_is_decided_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the short search finds they are not asked; what they find needs no long one."""
    calls: list[str] = []

    def tested(mutant: Mutant) -> str:
        calls.append(mutant.change)
        return "failed by tests"

    monkeypatch.setattr(proofs, "killed_at_length", lambda *_: calls.append("long"))
    assert proofs.killed(duty("> sod_set.n"), about(EXCEEDS), tested) == f"refuted by {EXCEEDS}"
    assert calls == []
    assert proofs.killed(unchanged(), about(EXCEEDS), tested) == "failed by tests"
    assert calls == ["nothing"]


def test_where_no_theorem_is_near_tests_are_asked_before_any_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What they find needs no theorem; what they leave is held to all. One alone is near."""
    read: list[str] = []
    other = f"{DUTY}.static_clash"
    monkeypatch.setattr(proofs, "changed", lambda _mutant, name, _unchanged: read.append(name))
    known = dict.fromkeys((EXCEEDS, other), proofs.Unchanged(b"", frozenset()))
    far = replace(unchanged(), function="other")
    assert proofs.killed(far, known, lambda _: "failed by tests") == "failed by tests"
    assert read == []
    assert proofs.killed(far, known) == ""
    assert read == [EXCEEDS, other]
    assert proofs.killed(far, {other: known[other]}, lambda _: "failed by tests") != ""
    assert read[2:] == [other]


def test_the_nearest_theorems_are_asked_in_full_before_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Others only where these leave it; where none is near, only the tests come before all."""
    asked: list[tuple[str, ...]] = []

    def leaves(_mutant: Mutant, theorems: dict[str, object], _tested: object = None) -> str:
        asked.append(tuple(theorems))
        return "refuted by one" if len(asked) == 3 else ""

    monkeypatch.setattr(proofs, "killed_by", leaves)
    known = dict.fromkeys(
        (EXCEEDS, "p_ref.AddMember", "p_dag.AddParent"), proofs.Unchanged(b"", frozenset())
    )
    mutant = replace(unchanged(), case="AddMember(principal, group)")
    assert proofs.killed(mutant, known) == ""
    near = (EXCEEDS, "p_ref.AddMember")
    assert asked == [near, ("p_dag.AddParent",)]
    assert proofs.killed(mutant, known) == "refuted by one"
    assert asked[2:] == [near]
    assert proofs.killed(replace(mutant, function="other", case=""), known) == ""
    assert asked[3:] == [(), tuple(known)]


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


def test_the_theorem_of_the_function_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then those of the command that is named, then the smallest; where none reads it, none."""
    named = "properties.p_ref.AddMember"
    known = {EXCEEDS: ("many", named, "few", EXCEEDS), "other": ("many", named), "third": (named,)}
    monkeypatch.setattr(walk, "readers", lambda: known)
    walk.sizes.cache_clear()
    plain = Mutant(DUTY, "exceeds", "a -> b", 1, "")
    assert walk.theorems_about(plain) == (EXCEEDS, "few", "many", named)
    in_case = replace(plain, case="AddMember(principal, group)")
    assert walk.theorems_about(in_case) == (EXCEEDS, named, "few", "many")
    asked = replace(plain, change="isinstance(command, AddMember) -> True")
    assert walk.theorems_about(asked) == (EXCEEDS, named, "few", "many")
    assert walk.theorems_about(replace(plain, function="nobody_reads")) == ()
    walk.sizes.cache_clear()


def test_all_of_the_core_is_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every module there is, and of it what stands in functions and in none."""
    core = set(Path(core_package.__file__ or "").parent.rglob("*.py"))
    assert len(walk.modules()) == len(core) - 1
    monkeypatch.setattr(walk, "modules", lambda: [DUTY, f"{CORE}limits"])
    walk.all_mutants.cache_clear()
    walked = [mutant.place for mutant in walk.all_mutants()]
    assert walked.count(f"{CORE}limits.<module>") == 1
    assert len(walked) == 1 + len(list(mutants_of(DUTY, Source().text(DUTY))))
    walk.all_mutants.cache_clear()


def test_every_module_with_tested_functions_has_tests_that_there_are() -> None:
    """In the file that is named like the module, or where the table says; no stale entries."""
    told = {*suites.TRIED, *suites.TRIED_TOO, *suites.ELSEWHERE}
    assert told <= set(walk.modules())
    tested = {f"{CORE}{name}" for name in TESTED}
    held = {one for one in walk.modules() if any(name.startswith(f"{one}.") for name in tested)}
    assert len(held) > 20
    assert [
        one for one in told | held for test in suites.held(one) if not (ROOT / test).is_file()
    ] == []


def test_what_no_theorem_reads_is_held_to_tests() -> None:
    """And what is read is held to the theorems, but in the modules that the table names."""
    plain = Mutant(DUTY, "exceeds", "a -> b", 1, "")
    assert by_tests(plain, ())
    assert not by_tests(plain, (EXCEEDS,))
    assert by_tests(replace(plain, module=next(iter(suites.TRIED))), (EXCEEDS,))
    assert not by_tests(replace(plain, module=next(iter(suites.TRIED_TOO))), (EXCEEDS,))


def test_such_a_mutant_is_judged_by_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they do not notice survives, unless it is argued to be the same; a kill says not."""
    ends = ["", "failed by tests"]
    monkeypatch.setattr(suites, "killed", lambda _mutant: ends[0])
    plain = Mutant(DUTY, "nobody_reads", "a -> b", 1, "")
    assert judged((plain, {})).how == SURVIVED
    monkeypatch.setattr(suites, "ARGUED", {plain.key: "reason"})
    assert judged((plain, {})).how == EQUAL
    assert judged((plain, {})).problem == ""
    ends.reverse()
    assert judged((plain, {})).problem == "listed as equivalent, but failed by tests"


def test_what_is_argued_to_be_the_same_is_a_mutant() -> None:
    """An entry goes when its code goes, and none is of a module that has none."""
    places = {key.partition(":")[0] for key in suites.ARGUED}
    known = {
        mutant.key
        for module in walk.modules()
        if any(place.startswith(f"{module}.") for place in places)
        for mutant in mutants_of(module, Source().text(module), places.__contains__)
    }
    assert set(suites.ARGUED) <= known


def test_tests_find_out_only_what_they_pass_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure kills, a pass does not; tests that fail anyway say nothing, nor an odd end."""
    ends = [1, 0, 3]
    monkeypatch.setattr(suites, "ending", lambda _texts, _tests: ends.pop(0))
    mutant = Mutant(DUTY, "exceeds", "a -> b", 1, "changed")
    assert suites.killed(mutant) == "failed by tests/unit/core/test_duty.py"
    assert suites.killed(mutant) == ""
    with pytest.raises(RuntimeError, match="exits with 3"):
        suites.killed(mutant)
    ends.append(1)
    with pytest.raises(RuntimeError, match="without a change"):
        suites.check.__wrapped__(DUTY)


TRIAL = """
import pytest
from grantproof.core.limits import INSTANT_MIN

@pytest.mark.parametrize("expected", {expected})
def test_it(expected):
    while INSTANT_MIN == 2: pass
    assert INSTANT_MIN == expected
"""


@pytest.mark.parametrize(
    ("minimum", "expected", "ended"),
    [(0, [0], 0), (1, [1], 0), (1, [0], 1), (2, [2], 1)],
)
def test_a_trial_runs_tests_on_the_changed_module(
    tmp_path: Path, minimum: int, expected: list[int], ended: int
) -> None:
    """In a process of its own, which is ended where it never ends, and leaves nothing behind."""
    test = tmp_path / "test_trial.py"
    test.write_text(TRIAL.format(expected=expected), encoding="utf-8")
    module = f"{CORE}limits"
    text = f"{Source().text(module)}\nINSTANT_MIN = {minimum}\n"
    # The thread that watches over this test is not in the copy, which would wait for its end.
    faulthandler.cancel_dump_traceback_later()
    seconds = 0.3 if minimum == 2 else trial.SECONDS_MAX
    assert trial.ending({module: text}, [str(test)], seconds) == ended
    assert INSTANT_MIN == 0


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
