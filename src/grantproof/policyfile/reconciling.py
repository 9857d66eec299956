"""The change set between a state and a document: what makes the one what the other says.

Each command can be applied where it stands: what is to go goes first, links before what they link,
then what is edited, then what is new. Nothing is deleted by a cascade, and no step on the way holds
more than the old state or than the new one, so no step breaks a separation of duty that the
document keeps.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from grantproof.core.commands.language import SingleCommand
from grantproof.core.model import Fact, Resource
from grantproof.core.organization import Organization, facts
from grantproof.policyfile.consistency import roots_first
from grantproof.policyfile.differing import ROW_OF, ROWS, Difference, Edit, Row, by_type, difference
from grantproof.policyfile.organization_document import OrganizationDocument


@dataclass(frozen=True, slots=True)
class Unchangeable:
    """What no command changes, and the document wants otherwise."""

    field: Literal["id", "time_zone"]
    standing: str
    wanted: str

    @property
    def message(self) -> str:
        """The problem in one line."""
        return (
            f"{self.field}: cannot be changed from `{self.standing}` to `{self.wanted}`:"
            " keep it, or make a new organization under another id"
        )


def changes(
    state: Organization, wanted: OrganizationDocument
) -> tuple[SingleCommand, ...] | Unchangeable:
    """Return the commands that give the state exactly the facts of the document; none if it has."""
    fixed = unchangeable(state, wanted)
    return commands_for(state, difference(state, wanted)) if fixed is None else fixed


def unchangeable(state: Organization, wanted: OrganizationDocument) -> Unchangeable | None:
    """Return what keeps the state from becoming what the document says, whatever the commands."""
    if state.id != wanted.id:
        return Unchangeable("id", state.id, wanted.id)
    if state.time_zone != wanted.time_zone:
        return Unchangeable("time_zone", state.time_zone, wanted.time_zone)
    return None


def commands_for(state: Organization, found: Difference) -> tuple[SingleCommand, ...]:
    """Return the commands that take the difference out of the state, in their order."""
    return tuple(_ordered(_plan(state, found))) if found else ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is done to the facts of each type, and in which half: while old ones go, or new come."""

    removed: Mapping[type[Fact], list[Fact]]
    early: dict[type[Fact], list[Edit]]
    late: dict[type[Fact], list[Edit]]
    added: Mapping[type[Fact], list[Fact]]


def _plan(state: Organization, found: Difference) -> _Plan:
    remade = _remade(state, found)
    coming = frozenset(_names(found.added))
    kept = [edit for edit in found.edited if edit.before not in remade]
    return _Plan(
        by_type([*found.removed, *remade]),
        _edits_by_type(edit for edit in kept if not _rests_on_any(edit.after, coming)),
        _edits_by_type(edit for edit in kept if _rests_on_any(edit.after, coming)),
        by_type([*found.added, *remade.values()]),
    )


def _remade(state: Organization, found: Difference) -> dict[Fact, Fact]:
    """Return the facts that are removed and made again, each with what it is made as.

    They are those that nothing edits, those whose edit lets go of what leaves and takes hold of
    what comes, for no place suits both, and those that rest on one of them, for it is away
    meanwhile.
    """
    leaving, coming = frozenset(_names(found.removed)), frozenset(_names(found.added))
    due = [
        edit.before
        for edit in found.edited
        if not _editable(edit)
        or (_rests_on_any(edit.before, leaving) and _rests_on_any(edit.after, coming))
    ]
    if len(due) == 0:
        return {}
    becomes = {edit.before: edit.after for edit in found.edited}
    resting = _resting(state, besides=frozenset(found.removed))
    remade: dict[Fact, Fact] = {}
    while len(due) > 0:
        fact = due.pop()
        if fact not in remade:
            remade[fact] = becomes.get(fact, fact)
            due.extend(one for name in _names([fact]) for one in resting[name])
    return remade


def _editable(edit: Edit) -> bool:
    return ROW_OF[type(edit.before)].edit(edit.before, edit.after) is not None


def _rests_on_any(fact: Fact, names: frozenset[str]) -> bool:
    return not names.isdisjoint(ROW_OF[type(fact)].rests_on(fact))


def _resting(state: Organization, *, besides: frozenset[Fact]) -> Mapping[str, list[Fact]]:
    """Return what rests on each name, but for what leaves anyway."""
    found: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in facts(state):
        row = ROW_OF.get(type(fact))
        for name in () if row is None or fact in besides else row.rests_on(fact):
            found[name].append(fact)
    return found


def _ordered(plan: _Plan) -> Iterator[SingleCommand]:
    for row in reversed(ROWS):
        for fact in reversed(_bottom_up(row, plan.removed.get(row.fact, []))):
            yield row.remove(fact)
        yield from _edited(row, plan.early.get(row.fact, []))
    for row in ROWS:
        for fact in _bottom_up(row, plan.added.get(row.fact, [])):
            yield from row.create(fact)
        yield from _edited(row, plan.late.get(row.fact, []))


def _edited(row: Row, edits: Iterable[Edit]) -> Iterator[SingleCommand]:
    for edit in edits:
        yield from row.edit(edit.before, edit.after) or ()


def _bottom_up(row: Row, found: list[Fact]) -> list[Fact]:
    """Return facts of one type in the order of their keys, but none before one that it rests on.

    Only resources rest on facts of their own type.
    """
    if row.fact is not Resource:
        return sorted(found, key=row.key)
    by_name = {fact.id: fact for fact in sorted(found, key=row.key) if isinstance(fact, Resource)}
    parents = {name: () if one.parent is None else (one.parent,) for name, one in by_name.items()}
    return [by_name[name] for name in roots_first(parents)[0]]


def _names(found: Iterable[Fact]) -> Iterator[str]:
    for fact in found:
        name = ROW_OF[type(fact)].name(fact)
        if name is not None:
            yield name


def _edits_by_type(edits: Iterable[Edit]) -> dict[type[Fact], list[Edit]]:
    sorted_out: defaultdict[type[Fact], list[Edit]] = defaultdict(list)
    for edit in edits:
        sorted_out[type(edit.before)].append(edit)
    return sorted_out
