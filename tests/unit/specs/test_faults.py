"""A seeded fault is caught at its own gate, or the judgement says what went wrong."""

import importlib
from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest

import grantproof.core.hierarchy
from grantproof.core.hierarchy import closure
from specs.faults import judge as judging
from specs.faults import proving
from specs.faults.catalogue import FAULTS
from specs.faults.fault import (
    Edit,
    Executable,
    Fault,
    FaultClass,
    Model,
    PatchDoesNotApply,
    Proof,
    patched,
)
from specs.faults.judge import Judgement, judge
from specs.faults.namespace import reached, tampered
from specs.faults.run import batches, line, main, run_all

BY_ID = {fault.id: fault for fault in FAULTS}
HIERARCHY = "grantproof.core.hierarchy"
CAUGHT = BY_ID["early-return"]
PROVED = BY_ID["direct-guard"]
MODELLED = BY_ID["no-bump"]
HARMLESS = (Edit(HIERARCHY, "    seen = set(start)\n", "    seen = {*start}\n"),)


def test_there_are_enough_faults_of_every_class() -> None:
    """At least 32, and at least four of each class; every id names one."""
    kinds = Counter(fault.kind for fault in FAULTS)
    assert len(BY_ID) == len(FAULTS) >= 32
    assert set(kinds) == set(get_args(FaultClass))
    assert min(kinds.values()) >= 4


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_every_patch_applies_and_compiles(fault: Fault) -> None:
    """Its text is in the module exactly once, and what results is Python."""
    for module, text in patched(fault.edits).items():
        compile(text, module, "exec")


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ((Edit(HIERARCHY, "no such text", ""),), "stands 0 times"),
        ((Edit(HIERARCHY, "return", "yield"),), "times in grantproof.core.hierarchy, not once"),
        ((Edit("grantproof.core.nothing", "a", "b"),), "there is no module"),
        ((), "the fault changes nothing"),
    ],
)
def test_a_patch_that_does_not_apply_fails(edits: tuple[Edit, ...], why: str) -> None:
    """Not there, there twice, no module, nothing to change: the judgement says so."""
    with pytest.raises(PatchDoesNotApply, match=why):
        patched(edits)
    judgement = judge(replace(CAUGHT, edits=edits))
    assert not judgement.caught
    assert why in judgement.problem


def test_a_fault_is_caught_and_told() -> None:
    """The executable property fails on a small organization, in the words of the domain."""
    judgement = judge(CAUGHT)
    assert judgement.problem == ""
    assert [told[:6] for told in judgement.story] == ["given:", "then: ", "must: ", "is:   "]


def test_a_fault_that_survives_is_a_failure() -> None:
    """A patch that changes nothing of the meaning is caught by nothing."""
    judgement = judge(replace(CAUGHT, edits=HARMLESS))
    assert judgement.problem == "P-CLOSURE holds with the patch too: it survives"
    assert "SURVIVES" in line(CAUGHT, judgement)


def test_a_fault_caught_elsewhere_survives_its_own_gate() -> None:
    """Another property than the expected one does not count."""
    assert "P-GEO holds with the patch" in judge(replace(CAUGHT, property_id="P-GEO")).problem
    shown = replace(CAUGHT, shown_by="P-COMPLETE")
    assert judge(shown).problem == "is expected to be caught by another property"
    assert "no executable property P-NONE" in judge(replace(CAUGHT, property_id="P-NONE")).problem


@pytest.mark.parametrize("verdict", ["proved", "undetermined", "unsupported", "vacuous"])
def test_a_proof_that_does_not_refute_is_a_failure(
    verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Undetermined and unsupported are not refuted."""
    monkeypatch.setattr(proving, "clean", lambda _: "proved")
    monkeypatch.setattr(proving, "property_of", lambda _: "P-DAG")
    monkeypatch.setattr(proving, "tampered", lambda *_: verdict)
    theorem = "grantproof.core.hierarchy.would_cycle"
    assert judge(PROVED).problem == f"with the patch {theorem} is {verdict}, not refuted"


def test_a_clean_half_that_is_not_proved_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that fails anyway catches nothing."""
    monkeypatch.setattr(proving, "property_of", lambda _: "P-DAG")
    monkeypatch.setattr(proving, "clean", lambda _: "refuted")
    assert judge(PROVED).problem.startswith("without the patch ")


def test_a_theorem_of_another_property_is_a_failure() -> None:
    """The expected property is the one that the theorem belongs to; no theorem belongs to none."""
    assert "no theorem" in judge(replace(PROVED, property_id="P-REF")).problem
    assert "no theorem" in judge(replace(PROVED, gate=Proof("hierarchy.nothing"))).problem


@pytest.mark.parametrize("refuted", [CLEAN := judging.CLEAN_MODEL, "broken/NoBump"])
def test_a_model_that_does_not_behave_is_a_failure(
    refuted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clean model must hold, and the broken one be refuted under the property."""

    def behaves(configuration: str, _expected: str, _property: str) -> bool:
        return configuration != refuted

    monkeypatch.setattr(judging, "_model_behaves", behaves)
    assert judge(MODELLED).problem != ""
    monkeypatch.setattr(judging, "_model_behaves", lambda *_: True)
    assert judge(MODELLED).problem == ""


def test_an_error_in_a_half_is_a_failure() -> None:
    """A patch that breaks the module is not caught, it is broken."""
    edits = (Edit(HIERARCHY, "    seen = set(start)\n", "    seen = nothing_known\n"),)
    assert "broke off: NameError" in judge(replace(CAUGHT, edits=edits)).problem


def test_a_fault_that_nobody_judged_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends early leaves its faults as failures, not out of the count."""
    monkeypatch.setattr("specs.faults.run._judgements", lambda *_: iter([Judgement("other", "")]))
    told: list[Judgement] = []
    (judgement,) = run_all([CAUGHT], on_judgement=told.append)
    assert (judgement.fault, judgement.caught) == (CAUGHT.id, False)
    # The gate counts what it is told: who is not told of it passes it over.
    assert told[1:] == [judgement]


def test_every_fault_is_in_exactly_one_batch() -> None:
    """Grouping loses nothing and doubles nothing."""
    assert Counter(fault.id for batch in batches(FAULTS) for fault in batch) == Counter(
        BY_ID.keys()
    )


def test_an_unknown_fault_is_a_usage_error() -> None:
    """A mistyped id does not pass as no faults."""
    with pytest.raises(SystemExit) as stopped:
        main(["no-such-fault"])
    assert stopped.value.code == 2


def test_the_patched_modules_are_gone_afterwards() -> None:
    """Inside, the patched code runs; outside, everything is as it was."""
    inside: dict[str, object] = {}
    with tampered(patched(CAUGHT.edits)):
        inside["closure"] = importlib.import_module(HIERARCHY).closure
    assert inside["closure"] is not closure
    assert importlib.import_module(HIERARCHY).closure is closure
    assert grantproof.core.hierarchy.closure is closure


def test_what_imports_no_patched_module_is_the_same_inside() -> None:
    """Only what imports a patched module, directly or not, is imported afresh."""
    names = ("grantproof.core.commands", "grantproof.core.model")
    commands, model = (importlib.import_module(name) for name in names)
    with tampered(patched(CAUGHT.edits)):
        assert importlib.import_module(names[0]) is not commands
        assert importlib.import_module(names[1]) is model


def test_a_package_that_stays_does_not_name_what_it_named() -> None:
    """`from package import module` gives the patched module, also where the package is kept."""
    package = importlib.import_module("grantproof.core")
    with tampered(patched(CAUGHT.edits)):
        assert importlib.import_module("grantproof.core") is package
        from grantproof.core import hierarchy as taken  # noqa: PLC0415 - the import is the test

        assert taken.closure is not closure
    assert grantproof.core.hierarchy.closure is closure


def test_what_a_package_takes_from_a_module_of_the_same_name_is_kept() -> None:
    """A function that is named as its module is still the function afterwards."""
    refusal = vars(importlib.import_module("grantproof.core.commands"))["refusal"]
    with tampered(patched(CAUGHT.edits)):
        importlib.import_module("grantproof.core.commands")
    assert vars(importlib.import_module("grantproof.core.commands"))["refusal"] is refusal
    assert callable(refusal)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("grantproof.core.policy", "grantproof.core.hierarchy"),
        ("grantproof.core.certificate", "grantproof.core.constraints"),
        ("specs.faults.small.worlds", "grantproof.core.model"),
        # Tables are known to each other without an import.
        ("grantproof.adapters.sql.rows", "grantproof.adapters.sql.keys"),
        ("grantproof.client", "grantproof.client.engine"),
    ],
)
def test_what_a_module_reaches_is_found_in_its_text(name: str, other: str) -> None:
    """Imports anywhere in a text count, of modules taken from packages, too, and through others."""
    assert other in reached(name)
    assert name not in reached("grantproof.core.identifiers")


def test_every_gate_is_used() -> None:
    """Proofs, models and executable properties all have faults to catch."""
    gates = {type(fault.gate) for fault in FAULTS}
    assert gates == {Proof, Model, Executable}
