"""A constraint is everywhere where one must be: `docs/adding-a-constraint.md` walks the places.

The constraints are read off the union, so a new one is asked for at every place from its first day.
That each place can be missed is shown with a constraint that is nowhere.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, SimpleNamespace
from typing import Final, cast, get_args

import pytest
from hypothesis import Phase, find, settings
from hypothesis.errors import NoSuchExample

import specs.theorems
from grantproof.adapters.sql.columns import read_constraints, write_constraints
from grantproof.cli.shown import constraint_text
from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.constraints import (
    Constraint,
    GeoFence,
    GeoRadius,
    Situation,
    holds,
    observe,
)
from grantproof.core.messages import failure_message
from grantproof.core.metering import SPANS, span_of
from grantproof.policyfile import answers, documents
from grantproof.policyfile.constraint_documents import of
from specs.crosshair.run import FOLDER, contracts_of
from specs.definitions.registry import REGISTRY
from specs.faults.catalogue import FAULTS
from specs.faults.small import decisions, words
from specs.faults.small.worlds import OFFICE
from specs.properties.registry import LEMMAS
from tests.compiled import is_open
from tests.contracts.histories import EVERY_CONSTRAINT
from tests.organizations import ANN, NOON, asks, made_of
from tests.properties import oracle
from tests.repository.checkout import ROOT, python_files, read
from tests.strategies.names import FEW
from tests.strategies.values import constraints
from tests.unit.specs import production

KINDS: Final[tuple[type[Constraint], ...]] = get_args(Constraint)
CORE: Final = "grantproof.core.constraints"
WITHOUT_CONTRACT: Final = {GeoFence}
"""CrossHair confirms scalars; sets are the prover's work."""

HERE: Final = Situation(NOON, ANN, NO_ATTRIBUTES, NO_ATTRIBUTES)
MISSING: Final = (AssertionError, AttributeError, LookupError, NoSuchExample, TypeError, ValueError)
"""What a place raises that knows nothing of a constraint."""

OPENAPI: Final = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
PAGE: Final = (ROOT / "docs/adding-a-constraint.md").read_text(encoding="utf-8")
PROPERTIES: Final = (ROOT / "docs/properties.md").read_text(encoding="utf-8")


def property_of(one: Constraint) -> str:
    """The property that the constraint is held to: that of what its constructor refuses."""
    assert specs.theorems.MEANINGS
    return REGISTRY[f"{CORE}.{type(one).__name__}.__post_init__"].property_id


def tag(one: Constraint) -> str:
    """The field `type` of its written form."""
    return str(of(one).written()["type"])


def has_predicate(one: Constraint) -> bool:
    """Whether the core says if it holds."""
    return isinstance(holds(one, HERE), bool)


def is_observed_in_words(one: Constraint) -> bool:
    """Whether it says what it saw, to people and in a certificate."""
    seen = observe(one, HERE)
    return len(seen.saw) > 0 and failure_message(seen) != ""


def has_definition(one: Constraint) -> bool:
    """Whether some predicate of the core is proved equal to a definition under its property."""
    return any(
        entry.property_id == property_of(one) and not entry.refusing and name.startswith(CORE)
        for name, entry in REGISTRY.items()
    )


def has_theorem(one: Constraint) -> bool:
    """Whether something is proved about its definition."""
    return any(lemma.property_id == property_of(one) for lemma in LEMMAS.values())


def has_fault(one: Constraint) -> bool:
    """Whether a seeded fault breaks its property."""
    return any(fault.property_id == property_of(one) for fault in FAULTS)


def is_in_the_small_world(one: Constraint) -> bool:
    """Whether the organization in which faults are shown has it, and its property is executable."""
    held = {type(limit) for fact in OFFICE for limit in getattr(fact, "constraints", ())}
    told = isinstance(words.condition(one), str)
    return type(one) in held and told and property_of(one) in decisions.PROPERTIES


def has_contract(one: Constraint) -> bool:
    """Whether CrossHair confirms a contract on it and refutes a twin."""
    files = [(FOLDER / f"{name}.py").read_text(encoding="utf-8") for name in ("contracts", "twins")]
    told = [{contract.property_id for contract in contracts_of(text)} for text in files]
    return type(one) in WITHOUT_CONTRACT or all(property_of(one) in ids for ids in told)


def has_property_test(one: Constraint) -> bool:
    """Whether a property test is named after its property."""
    name = f"def test_{property_of(one).lower().replace('-', '_')}_"
    return any(name in read(path) for path in python_files("tests/properties"))


def has_strategy(one: Constraint) -> bool:
    """Whether organizations are drawn with it."""
    quick = settings(max_examples=60, database=None, phases=[Phase.generate], derandomize=True)
    return (
        find(constraints(FEW), lambda drawn: type(drawn) is type(one), settings=quick) is not None
    )


def is_held_to_its_translation(one: Constraint) -> bool:
    """Whether the proofs' reading of the source is compared with running it, both ways out."""
    return all(type(one) in map(type, listed) for listed in (production.HELD, production.FAILING))


def has_oracle(one: Constraint) -> bool:
    """Whether the second account of the semantics knows it."""
    state = made_of()
    return isinstance(oracle.met(oracle.world(state), asks(), NOON, one), bool)


def is_compiled(one: Constraint) -> bool:
    """Whether the index denies and allows as it does, and denies with some example of its kind."""
    verdicts = []
    for like in (one, *(each for each in EVERY_CONSTRAINT if type(each) is type(one))):
        passed = is_open([like], NOON)
        assert passed is holds(like, HERE)
        verdicts.append(passed)
    return False in verdicts


def has_span(one: Constraint) -> bool:
    """Whether the meter knows if it counts something."""
    return span_of(one) in {None, *SPANS}


def is_stored(one: Constraint) -> bool:
    """Whether it comes back from a database, and the stores' contract tries it."""
    back = read_constraints(write_constraints((one,)))
    return back == (one,) and type(one) in map(type, EVERY_CONSTRAINT)


def is_in_the_policy_schema(one: Constraint) -> bool:
    """Whether a claim's JSON Schema has its written form."""
    return tag(one) in tags(documents.Claim.model_json_schema())


def is_in_the_api(one: Constraint) -> bool:
    """Whether the OpenAPI document has its written form, and answers can show it."""
    shown = answers.Observation.of(observe(one, HERE)).written()
    return tag(one) in tags(OPENAPI) and shown["constraint"] == of(one).written()


def tags(schema: object) -> Iterator[str]:
    """Every constant that a schema gives to a field `type`."""
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict) and isinstance(properties.get("type"), dict):
            yield str(properties["type"].get("const"))
        for part in schema.values():
            yield from tags(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from tags(part)


def is_typed_and_shown(one: Constraint) -> bool:
    """Whether an option of the command line makes one, and the command line shows it."""
    tree = ast.parse((ROOT / "src/grantproof/cli/values.py").read_text(encoding="utf-8"))
    made = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return type(one).__name__ in made and constraint_text(one) != ""


def is_documented(one: Constraint) -> bool:
    """Whether the page has its row, and the properties have that of its property."""
    row = rf"^\| `{tag(one)}` \|.*\| {property_of(one)} \|"
    told = f"| {property_of(one)} |" in PROPERTIES
    return re.search(row, PAGE, re.MULTILINE) is not None and told


Place = Callable[[Constraint], bool]
PLACES: Final[tuple[Place, ...]] = (
    has_predicate,
    is_observed_in_words,
    has_definition,
    has_theorem,
    has_fault,
    is_in_the_small_world,
    has_contract,
    has_property_test,
    has_strategy,
    is_held_to_its_translation,
    has_oracle,
    is_compiled,
    has_span,
    is_stored,
    is_in_the_policy_schema,
    is_in_the_api,
    is_typed_and_shown,
    is_documented,
)


def present(place: Place, one: Constraint) -> bool:
    """Whether the place has the constraint; one that stumbles over it has not."""
    try:
        return place(one)
    except MISSING:
        return False


@dataclass(frozen=True, slots=True)
class Frost:
    """A constraint that nothing knows."""

    degrees: int = 0


NOWHERE: Final = cast("Constraint", Frost())


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place.__name__))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_every_constraint_is_at_every_place(kind: type[Constraint], place: Place) -> None:
    """Whoever adds a constraint is told which place it lacks."""
    examples = [one for one in EVERY_CONSTRAINT if type(one) is kind]
    assert examples != [], "`EVERY_CONSTRAINT` in tests/contracts/histories.py has none"
    assert present(place, examples[0]), f"{kind.__name__}: not so: {place.__doc__}"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place.__name__))
def test_a_constraint_that_is_nowhere_is_missed_at_every_place(place: Place) -> None:
    """The check of each place can fail: it does for a constraint that nobody added."""
    assert not present(place, NOWHERE)


@pytest.mark.parametrize(
    ("place", "name", "rest"),
    [
        (has_definition, "REGISTRY", {name: REGISTRY[name] for name in REGISTRY if "__" in name}),
        (has_theorem, "LEMMAS", {}),
        (has_fault, "FAULTS", [one for one in FAULTS if one.property_id != "P-RADIUS"]),
        (is_in_the_small_world, "OFFICE", ()),
        (is_held_to_its_translation, "production", SimpleNamespace(HELD=(), FAILING=())),
        (is_stored, "EVERY_CONSTRAINT", ()),
        (is_in_the_api, "OPENAPI", {}),
        (is_documented, "PAGE", ""),
        (is_documented, "PROPERTIES", ""),
    ],
)
def test_what_is_taken_away_is_missed(
    place: FunctionType, name: str, rest: object, *, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Places are looked up: a constraint that is known but lacks one entry is found lacking it."""
    radius = next(one for one in EVERY_CONSTRAINT if isinstance(one, GeoRadius))
    assert present(place, radius)
    monkeypatch.setitem(place.__globals__, name, rest)
    assert not present(place, radius)


def test_no_exemption_is_stale() -> None:
    """A constraint that has a contract needs no exemption from having one."""
    text = (FOLDER / "contracts.py").read_text(encoding="utf-8")
    told = {contract.property_id for contract in contracts_of(text)}
    exempt = [one for one in EVERY_CONSTRAINT if type(one) in WITHOUT_CONTRACT]
    assert [one for one in exempt if property_of(one) in told] == []
