"""Every command of the language is proved to keep every invariant, and to be refused rightly.

The theorems of these modules are of every command: also of one that touches nothing that they speak
of, for which `specs.matrix` needs none.
"""

import typing
from itertools import product

import pytest

from grantproof.core.commands.language import SingleCommand
from grantproof.core.commands.references import Deletion
from grantproof.core.commands.refusal import AGAINST
from specs.definitions import refusals
from specs.definitions.deletions import ENTITY
from specs.kernel.shapes import forget_typing
from specs.kernel.source import Source
from specs.properties.commands import COMMANDS, proposed
from specs.theorems import statements

MODULES = {
    "p_ref": "P-REF",
    "p_dag": "P-DAG",
    "p_sod_kept": "P-SOD-SAFE",
    "p_sod_exact": "P-SOD-EXACT",
    "p_sod_refused": "P-SOD-EXACT",
    "p_reject": "P-REJECT",
}
"""Which module states which property of each command."""
LANGUAGE: tuple[type, ...] = typing.get_args(SingleCommand)


@pytest.mark.parametrize("module", MODULES)
def test_every_command_has_a_theorem(module: str) -> None:
    """A command that is left out, or stated under another property, is a failure."""
    names = {command: f"properties.{module}.{command.__name__}" for command in LANGUAGE}
    found = statements()
    told = {command: found[name].property_id for command, name in names.items() if name in found}
    assert told == dict.fromkeys(LANGUAGE, MODULES[module])


def test_a_command_left_out_is_noticed() -> None:
    """The names that are asked for are those of the language, not those that are stated."""
    asked = {f"properties.{module}.{one.__name__}" for module, one in product(MODULES, LANGUAGE)}
    assert "properties.p_ref.DeleteRole" in asked
    assert asked <= statements().keys()
    assert set(COMMANDS) == set(LANGUAGE)


def test_every_deletion_has_an_entity() -> None:
    """What a deletion is about is declared for each, and for nothing else."""
    assert set(ENTITY) == set(typing.get_args(Deletion))


def test_every_command_declares_what_it_needs_or_makes() -> None:
    """A command without a row would be declared to need nothing and to make nothing."""
    by_function = {"CreateClaim", "CreateResource", "CreateGuardrail"}
    by_function |= {"CreateSodSet", "ChangeSodSet"}
    declared = {*refusals.NAMED, *refusals.MADE}
    assert {one.__name__ for one in LANGUAGE if one not in declared} == {"ChangeSodSet"}
    assert {one.__name__ for one in LANGUAGE if one not in refusals.NAMED} == by_function | {
        "CreatePrincipal",
        "CreateGroup",
        "CreateRole",
        "CreateKind",
    }


@pytest.mark.parametrize("command", LANGUAGE)
def test_every_ground_for_refusal_is_looked_into(command: type) -> None:
    """A ground that the source adds or drops is one that the theorems of P-REJECT would miss."""
    forget_typing()
    looked = proposed(Source(), command).grounds
    assert list(looked) == [against.__name__ for against in AGAINST]
