"""The inductive matrix: no cell is left out, and a tampered source or a lost theorem opens some.

P-INDUCT. Every test that tampers has its clean half: the same cell of the source as it is.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Final, get_args

import pytest
import z3

from grantproof.core import model as m
from grantproof.core.commands import language as c
from grantproof.core.commands.language import SingleCommand
from grantproof.core.invariants import MEANING, STRUCTURE
from specs import matrix
from specs.closings import CLOSINGS
from specs.footprints import Footprints
from specs.kernel.collections import one_tuple
from specs.kernel.sorts import Unsupported
from specs.kernel.source import Source
from specs.kernel.values import Cases, Items, Term, guarded
from specs.matrix import Cell, grid, holes, main
from specs.properties.p_limits import GROWING
from specs.run import verdict
from specs.theorems import statements

INVARIANTS: Final = (*STRUCTURE, *MEANING)
COMMANDS: Final = [command.__name__ for command in get_args(SingleCommand)]
DELTA: Final = "grantproof.core.commands.delta"
REFERENCES: Final = "grantproof.core.commands.references"
ORGANIZATION: Final = "grantproof.core.organization"
CHECKS: Final = "grantproof.core.invariants"
COMMANDS_MODULE: Final = "grantproof.core.commands"
ADMINISTRATION: Final = "grantproof.core.administration"
Cells = Mapping[tuple[str, str], Cell]


def cells(source: Source, *commands: type) -> Cells:
    """The cells of a source that is tampered with, by command and invariant."""
    return by_name(grid(Footprints(source), commands=commands))


def by_name(found: Iterable[Cell]) -> Cells:
    """Cells by command and invariant."""
    return {(cell.command, cell.invariant): cell for cell in found}


def tampered(module: str, old: str, new: str) -> Source:
    """The source with an edit, which must be one."""
    text = Source().text(module)
    assert text.count(old) == 1
    return Source({module: text.replace(old, new)})


@pytest.fixture(scope="module")
def prints() -> Footprints:
    """What the source as it is writes and reads, found out once for all tests."""
    return Footprints()


@pytest.fixture(scope="module")
def every(prints: Footprints) -> tuple[Cell, ...]:
    """The matrix of the source as it is."""
    return grid(prints)


@pytest.fixture(scope="module")
def clean(every: tuple[Cell, ...]) -> Cells:
    """The same, to look cells up."""
    return by_name(every)


def test_p_induct_every_command_has_every_invariant_and_none_is_open(
    every: tuple[Cell, ...], clean: Cells
) -> None:
    """Every command by every invariant that `valid` checks: each cell once, each closed."""
    assert len(every) == len(clean)
    assert set(clean) == set(product(COMMANDS, INVARIANTS))
    assert holes(every) == ()
    assert all(cell.kind == "frame" or cell.theorems for cell in every)
    assert {name for cell in every for name in cell.theorems} <= statements().keys()


def test_p_induct_every_kind_of_argument_closes_something(clean: Cells) -> None:
    """A kind that nothing is closed by would be dead, or its cells closed by something weaker."""
    kinds = Counter(cell.kind for cell in clean.values())
    assert set(kinds) == {"frame", "removal", "construction", "theorem"}
    assert clean["CreateRole", "groups-acyclic"].kind == "frame"
    assert clean["DeleteRole", "roles-acyclic"].kind == "removal"
    assert clean["AssignRole", "validity-well-formed"].kind == "construction"
    assert clean["AddParent", "roles-acyclic"].theorems == ("properties.p_dag.AddParent",)


def test_p_induct_the_frame_names_what_is_read_and_what_is_written(clean: Cells) -> None:
    """A cell says its own reason, so that it can be looked at."""
    told = clean["DeleteGroup", "set-well-formed"].reason
    assert told == (
        "reads sod_sets; writes claims, claims_by_resource, claims_by_role, "
        "group_assignments, groups, memberships"
    )


def test_p_induct_a_footprint_has_what_a_cascade_takes_along() -> None:
    """Facts of several classes, drawn from one list, are all of them."""
    does = Footprints().of(c.DeleteKind)
    assert does.removed == {m.KindDeclaration, m.Resource, m.Claim}
    assert does.added == frozenset()
    assert Footprints().of(c.ChangeSodSet).grown == {"sod_sets", "sod_sets_by_role"}


def test_one_of_several_tuples_is_a_tuple_of_one_of_several_parts() -> None:
    """Part by part, under the same conditions; of different lengths there is no such tuple."""
    when = z3.Bool("when")
    one, other = Term(z3.IntVal(1), int), Term(z3.IntVal(2), int)
    several = ((when, Items((one, other))), (z3.Not(when), Items((other, one))))
    first, _ = one_tuple(Cases(several)).values
    assert [item for _, item in guarded(first)] == [one, other]
    with pytest.raises(Unsupported, match="no tuples of one length"):
        one_tuple(Cases((*several[:1], (z3.Not(when), Items((one,))))))


WRITES: Final = [
    pytest.param(
        tampered(
            DELTA,
            "return _adds(Group(command.group))",
            "return Delta(added=(Group(command.group), Inheritance(command.group, command.group)))",
        ),
        (c.CreateGroup, "roles-acyclic", "theorem"),
        id="a command that adds an inheritance too",
    ),
    pytest.param(
        tampered(
            DELTA,
            "return _removes(Membership(command.principal, command.group))",
            "return Delta((Membership(command.principal, command.group),), (Role(command.group),))",
        ),
        (c.RemoveMember, "within-limits", "hole"),
        id="a removal that adds a role",
    ),
    pytest.param(
        tampered(
            REFERENCES,
            "    yield from (Membership(principal, group) for group in "
            "state.memberships.of(principal))\n",
            "    yield from (Membership(principal, group) for group in "
            "state.memberships.of(principal))\n"
            "    for role, parent in state.roles.edges():\n"
            "        yield Inheritance(role, parent)\n",
        ),
        (c.DeletePrincipal, "parent-refers", "theorem"),
        id="a cascade that takes edges along",
    ),
    pytest.param(
        tampered(
            ORGANIZATION,
            "return replace(state, principals=state.principals.set(fact.id, fact))",
            "return replace(state, principals=state.principals.set(fact.id, fact), "
            "roles=state.roles.with_node(fact.id))",
        ),
        (c.CreatePrincipal, "set-refers", "theorem"),
        id="a fact that is kept in two places",
    ),
    pytest.param(
        tampered(
            COMMANDS_MODULE,
            "after = replace(after, administered=True)",
            "after = replace(after, administered=True, sod_sets=after.sod_sets_by_role)",
        ),
        (c.CreateKind, "set-refers", "theorem"),
        id="a change that writes something besides",
    ),
    pytest.param(
        tampered(
            COMMANDS_MODULE,
            "after = replace(after, administered=True)",
            "after = replace(after, administered=True, sod_sets=state.sod_sets)",
        ),
        (c.CreateKind, "set-refers", "theorem"),
        id="a change that puts back what was there before",
    ),
]


@pytest.mark.parametrize(("source", "cell"), WRITES)
def test_p_induct_a_write_that_is_not_its_own_ends_the_frame(
    clean: Cells, source: Source, cell: tuple[type, str, str]
) -> None:
    """What a command touches is computed: the cell is no longer closed as it was."""
    command, invariant, kind = cell
    at = (command.__name__, invariant)
    assert clean[at].kind in {"frame", "removal"}
    assert cells(source, command)[at].kind == kind


def test_p_induct_the_theorem_that_a_frame_falls_back_on_is_not_proved_then() -> None:
    """A group that comes with an inheritance: the cell asks for a theorem, and it fails."""
    source = WRITES[0].values[0]
    assert isinstance(source, Source)
    name = "properties.p_dag.CreateGroup"
    assert cells(source, c.CreateGroup)["CreateGroup", "roles-acyclic"].theorems == (name,)
    assert verdict(name, source.patches, seeds=(0,)).verdict != "proved"
    assert verdict(name, seeds=(0,)).verdict == "proved"


def test_p_induct_an_invariant_that_reads_more_opens_its_cells(clean: Cells) -> None:
    """A theorem on roles says nothing about groups: cells that were closed by it are open."""
    source = tampered(
        CHECKS,
        "    return _unfounded(state.roles.parents)\n",
        "    return _unfounded({**state.roles.parents, **state.groups.parents})\n",
    )
    found = cells(source, c.CreateGroup, c.CreateRole, c.DeleteRole, c.CreateKind)
    assert clean["CreateGroup", "roles-acyclic"].kind == "frame"
    for command in ("CreateGroup", "CreateRole", "DeleteRole"):
        assert found[command, "roles-acyclic"].kind == "hole"
        assert "groups" in found[command, "roles-acyclic"].reason
    assert found["CreateKind", "roles-acyclic"].kind == "frame"


@pytest.mark.parametrize(
    "use", ["another = state; yield (another.id,)", "yield (repr(state),)", "yield from f(state)"]
)
def test_p_induct_an_organization_that_escapes_is_read_whole(use: str) -> None:
    """Bound to a name, or handed to what is not looked into: nothing is known not to be read."""
    looks = "    if state.administered and not has_administrator(state):\n"
    source = tampered(CHECKS, looks, f"    {use}\n    if 1:\n")
    opened = cells(source, c.CreateKind)["CreateKind", "last-administrator-kept"]
    assert opened.kind == "hole"
    assert "revision" in opened.reason


def test_p_induct_a_check_of_something_unknown_is_not_read() -> None:
    """Of a parameter that is not annotated as an organization it is not known what is read."""
    source = tampered(
        CHECKS,
        "def _roles_acyclic(state: Organization)",
        "def _roles_acyclic(state: Organization | None)",
    )
    opened = cells(source, c.AddParent)["AddParent", "roles-acyclic"]
    assert opened.kind == "hole"
    assert "is annotated as an Organization" in opened.reason


def test_p_induct_a_lost_theorem_opens_its_cells(prints: Footprints) -> None:
    """A theorem that is no longer stated closes nothing."""
    lost = "properties.p_ref.AddParent"
    stated = statements().keys() - {lost}
    opened = holes(grid(prints, stated=stated, commands=(c.AddParent, c.CreateRole)))
    assert {cell.command for cell in opened} == {"AddParent"}
    assert {"parent-refers", "set-refers"} <= {cell.invariant for cell in opened}
    assert all(lost in cell.reason for cell in opened)


def test_p_induct_what_apply_writes_may_not_matter_to_who_administers() -> None:
    """The theorem on `apply` speaks of the state before its own last touch."""
    source = tampered(
        ADMINISTRATION,
        "    roles = closure(administrative_roles(state), state.roles.children)\n",
        "    roles = closure(administrative_roles(state), state.roles.children)\n"
        "    assert state.revision >= 0\n",
    )
    opened = {cell.invariant for cell in holes(grid(Footprints(source), commands=(c.CreateKind,)))}
    assert opened == {"last-administrator-kept"}


def test_p_induct_an_invariant_without_an_argument_is_open(
    prints: Footprints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new check of `valid`, or one that is gone, is a row of holes; and the command fails."""
    monkeypatch.setattr(matrix, "CHECKS", {**matrix.CHECKS, "new": STRUCTURE["set-refers"]})
    opened = holes(grid(prints))
    assert {cell.invariant for cell in opened} == {"new"}
    assert len(opened) == len(COMMANDS)
    monkeypatch.setattr(matrix, "grid", lambda: opened)
    assert main(["--holes"]) == 1
    monkeypatch.setattr(matrix, "CHECKS", {"set-refers": STRUCTURE["set-refers"]})
    opened = holes(grid(prints, commands=(c.CreateKind,)))
    assert {cell.invariant for cell in opened} == set(INVARIANTS) - {"set-refers"}


def test_p_induct_what_can_be_thawed_is_not_closed_by_its_constructor(
    prints: Footprints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only of a frozen class does the constructor have the last word."""

    @dataclass
    class Thawed:
        """A class whose objects may change."""

    closing = replace(CLOSINGS["set-well-formed"], made=(Thawed,))
    monkeypatch.setitem(CLOSINGS, "set-well-formed", closing)
    opened = holes(grid(prints, commands=(c.CreateSodSet, c.CreateRole)))
    assert [(cell.command, cell.invariant) for cell in opened] == [
        ("CreateSodSet", "set-well-formed")
    ]
    assert opened[0].reason == "not frozen: Thawed"


def goals(name: str) -> set[str]:
    """The names of what a theorem proves."""
    return {goal for goal, _ in statements()[name].about(Source()).goals}


def test_p_induct_the_theorems_say_what_their_rows_need() -> None:
    """The goals by which a row is closed are goals of the theorem that the row names."""
    refers = {name for name in INVARIANTS if name.endswith("-refers")}
    assert refers <= goals("properties.p_checked.references")
    kept = goals("properties.p_ref.AddParent")
    assert {"edges of roles refer", "edges of groups refer", "claims refer"} <= kept
    limits = goals("properties.p_limits.AddParent")
    assert {"roles.parents of each", "roles.parents of its owner"} <= limits
    assert {"a height of roles falls", "it is within the limit of roles"} <= limits


def test_p_induct_every_command_that_adds_facts_is_held_to_the_limits(clean: Cells) -> None:
    """Whatever is not left to the theorem on fewer facts has a theorem of its own."""
    told = {command for command in COMMANDS if clean[command, "within-limits"].kind == "theorem"}
    assert told == {command.__name__ for command in GROWING}


def test_the_matrix_is_printed_and_given_as_data(
    every: tuple[Cell, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a table, as the cells asked for, and as JSON."""
    monkeypatch.setattr(matrix, "grid", lambda: every)
    assert main([]) == 0
    table = capsys.readouterr().out
    assert "CreatePrincipal" in table
    assert f"{len(every)} cells, 0 open" in table
    assert main(["DeleteRole x roles-acyclic"]) == 0
    assert "DeleteRole x roles-acyclic: removal: only removes" in capsys.readouterr().out
    assert main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0] == {
        **asdict(every[0]),
        "theorems": [*every[0].theorems],
    }
