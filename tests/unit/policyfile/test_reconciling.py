"""The change set between a state and a document, by example: what is edited, what is made again."""

from typing import get_args

import pytest

from grantproof.core.commands import Accepted, apply, bounds
from grantproof.core.commands.language import (
    AddParent,
    AssignRole,
    ChangeSet,
    ChangeSodSet,
    CreateClaim,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
    RemoveParent,
    ResumePrincipal,
    RevokeRole,
    SetPrincipalAttributes,
    SetResourceAttributes,
    SuspendPrincipal,
)
from grantproof.core.model import Administered, Delta, Fact, Validity
from grantproof.policyfile.differing import ROWS, difference
from grantproof.policyfile.reconciling import Unchangeable, changes
from tests.policies import accepted, founded

HEAD = "apiVersion: grantproof/v1\nkind: Organization\nid: acme\n"
BEFORE = (
    HEAD
    + """
kinds: [{id: document}, {id: folder}]
principals: [{id: alice}, {id: bob, active: false}]
roles: [{id: reader}, {id: writer, parents: [reader]}, {id: clerk}]
resources:
  - {id: docs, kind: folder}
  - {id: docs/plan, kind: document, parent: docs}
claims:
  - {id: c1, role: reader, action: read, resource: docs/**}
  - {id: c2, role: reader, action: read, resource: docs/plan}
  - {id: c3, role: clerk, action: review, resource: "sod-set:duty"}
sod_sets: [{id: duty, roles: [clerk, writer], n: 2}]
assignments: [{principal: alice, role: writer}]
"""
)


def between(*replaced: tuple[str, str]) -> tuple[list[object], Delta]:
    """The commands for the text with parts of it replaced, and the delta that comes of them."""
    text = BEFORE
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    state, wanted = founded(BEFORE), accepted(text)
    commands = changes(state, wanted)
    assert isinstance(commands, tuple)
    outcome = apply(state, ChangeSet(commands), actor="tester", instant=0)
    assert isinstance(outcome, Accepted), outcome
    assert not difference(outcome.state, wanted)
    return list(commands), outcome.event.delta


def test_what_is_the_same_takes_no_command() -> None:
    """An empty difference, and it says so of itself."""
    assert changes(founded(BEFORE), accepted(BEFORE)) == ()
    assert not difference(founded(BEFORE), accepted(BEFORE))


def test_an_empty_document_takes_all_away_without_a_cascade() -> None:
    """Links before what they link, resources before those around them."""
    state = founded(BEFORE)
    commands = changes(state, accepted(HEAD))
    assert isinstance(commands, tuple)
    assert not any(getattr(command, "cascade", False) for command in commands)
    outcome = apply(state, ChangeSet(commands), actor="tester", instant=0)
    assert isinstance(outcome, Accepted)
    assert not difference(outcome.state, accepted(HEAD))


@pytest.mark.parametrize(
    ("old", "new", "types"),
    [
        ("{id: alice}", "{id: alice, active: false}", [SuspendPrincipal]),
        ("{id: alice}", "{id: alice, attributes: {level: 3}}", [SetPrincipalAttributes]),
        ("bob, active: false", "bob", [ResumePrincipal]),
        ("{id: bob, active: false}", "{id: carl}", [DeletePrincipal, CreatePrincipal]),
        ("kind: folder}", "kind: folder, attributes: {a: true}}", [SetResourceAttributes]),
        ("action: read, resource: docs/**", "action: edit, resource: docs", [None, CreateClaim]),
        ("alice, role: writer", "alice, role: writer, until: 7", [RevokeRole, AssignRole]),
        ("writer, parents: [reader]", "writer, parents: []", [RemoveParent]),
        ("{id: folder}", "{id: folder}, {id: image}", [CreateKind]),
        ("n: 2}", "n: 2, mode: dynamic}", [ChangeSodSet]),
    ],
)
def test_what_can_be_edited_is(old: str, new: str, types: list[type | None]) -> None:
    """One command for a change of an entity; claims and validities are given up and made anew."""
    commands, _ = between((old, new))
    wanted = [DeleteClaim if kind is None else kind for kind in types]
    assert [type(command) for command in commands] == wanted


def test_a_resource_of_another_kind_is_made_again_with_all_that_rests_on_it() -> None:
    """What is inside it and the claims on either come back as they were: the delta is one edit."""
    commands, delta = between(("id: docs, kind: folder", "id: docs, kind: document"))
    assert [type(command) for command in commands] == [
        DeleteClaim,
        DeleteClaim,
        DeleteResource,
        DeleteResource,
        CreateResource,
        CreateResource,
        CreateClaim,
        CreateClaim,
    ]
    assert [len(delta.removed), len(delta.added)] == [1, 1]


def test_what_rests_on_a_resource_may_change_with_it() -> None:
    """A claim that goes and an attribute that is edited are not made again as they were."""
    commands, delta = between(
        ("id: docs, kind: folder", "id: docs, kind: document"),
        ("{id: folder}", "{id: image}"),
        ("kind: document, parent: docs", "kind: document, parent: docs, attributes: {a: 1}"),
        ("  - {id: c2, role: reader, action: read, resource: docs/plan}\n", ""),
    )
    assert [type(one) for one in commands].count(CreateClaim) == 1
    assert {DeleteKind, CreateKind} < {type(one) for one in commands}
    assert [len(delta.removed), len(delta.added)] == [4, 3]


def test_a_set_is_changed_before_a_role_of_it_goes_or_after_one_comes() -> None:
    """A role that a set names cannot be deleted, and one that is not there not named."""
    three = ("roles: [clerk, writer], n: 2", "roles: [clerk, reader], n: 2")
    gone, _ = between(
        three,
        ("{id: writer, parents: [reader]}, ", ""),
        ("assignments: [{principal: alice, role: writer}]", ""),
    )
    assert [type(one) for one in gone][-2:] == [ChangeSodSet, DeleteRole]
    come, _ = between(
        ("roles: [clerk, writer]", "roles: [clerk, boss]"),
        ("{id: clerk}", "{id: clerk}, {id: boss}"),
    )
    assert [type(one) for one in come] == [CreateRole, ChangeSodSet]


def test_a_set_that_swaps_a_role_for_a_new_one_is_made_again() -> None:
    """With the claims on it; as a fact it is edited all the same."""
    commands, delta = between(
        ("roles: [clerk, writer]", "roles: [clerk, boss]"),
        ("{id: writer, parents: [reader]}", "{id: boss, parents: [reader]}"),
        ("alice, role: writer", "alice, role: boss"),
    )
    kinds = [type(one) for one in commands]
    assert kinds.index(DeleteClaim) < kinds.index(DeleteSodSet) < kinds.index(DeleteRole)
    assert kinds.index(CreateRole) < kinds.index(CreateSodSet) < kinds.index(CreateClaim)
    assert not any("c3" in str(fact) for fact in (*delta.removed, *delta.added))


def test_a_full_organization_can_be_changed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes makes room for what comes, also where a set lets go of one and takes the other."""
    for name, count in (("ROLES_MAX", 3), ("SOD_SETS_MAX", 1), ("CLAIMS_MAX", 3), ("KINDS_MAX", 2)):
        monkeypatch.setattr(bounds, name, count)
    commands, _ = between(
        ("roles: [clerk, writer]", "roles: [clerk, boss]"),
        ("{id: writer, parents: [reader]}", "{id: boss, parents: [reader]}"),
        ("alice, role: writer", "alice, role: boss"),
        ("{id: folder}", "{id: image}"),
        ("id: docs, kind: folder", "id: docs, kind: image"),
        ("{id: c1, role: reader", "{id: c0, role: boss"),
    )
    assert len(commands) > 0


def test_a_right_can_pass_from_one_to_another_under_a_set_that_forbids_both() -> None:
    """The old holder lets go first; so two who swap two exclusive roles do so in one change."""
    swapped = BEFORE.replace("role: writer}]", "role: clerk}, {principal: bob, role: writer}]")
    state = founded(swapped)
    wanted = accepted(
        BEFORE.replace("role: writer}]", "role: writer}, {principal: bob, role: clerk}]")
    )
    commands = changes(state, wanted)
    assert isinstance(commands, tuple)
    assert [type(one) for one in commands] == [RevokeRole, RevokeRole, AssignRole, AssignRole]
    assert isinstance(apply(state, ChangeSet(commands), actor="x", instant=0), Accepted)


def test_a_set_that_is_relaxed_is_so_before_what_it_forbade_is_linked() -> None:
    """And an edge that a set forbids until then comes after it."""
    commands, _ = between(
        ("roles: [clerk, writer], n: 2", "roles: [clerk, reader, writer], n: 3"),
        ("writer, parents: [reader]", "writer, parents: [clerk]"),
    )
    kinds = [type(one) for one in commands]
    assert kinds == [RemoveParent, ChangeSodSet, AddParent]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (HEAD.replace("acme", "other"), Unchangeable("id", "acme", "other")),
        (HEAD + "time_zone: Asia/Tokyo\n", Unchangeable("time_zone", "UTC", "Asia/Tokyo")),
    ],
)
def test_what_no_command_changes_is_refused(text: str, found: Unchangeable) -> None:
    """In words that say what to do."""
    assert changes(founded(BEFORE), accepted(text)) == found
    assert found.message == (
        f"{found.field}: cannot be changed from `{found.standing}` to `{found.wanted}`:"
        " keep it, or make a new organization under another id"
    )


def test_every_type_of_fact_has_a_row() -> None:
    """But for the one that no document writes, which every change derives anew."""
    assert {row.fact for row in ROWS} == {*get_args(Fact)} - {Administered}


def test_a_validity_is_part_of_the_difference() -> None:
    """The same holder and role, until another moment: an edit."""
    wanted = accepted(BEFORE.replace("role: writer}]", "role: writer, until: 7}]"))
    (edit,) = difference(founded(BEFORE), wanted).edited
    assert [getattr(one, "validity", None) for one in (edit.before, edit.after)] == [
        Validity(),
        Validity(end=7),
    ]
