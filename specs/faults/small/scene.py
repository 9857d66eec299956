"""A small organization and what happens to it as a picture: nodes, arrows, what is new or gone."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import cast, get_args

from grantproof.core import model as m
from grantproof.core.commands.delta import delta
from grantproof.core.commands.language import SingleCommand
from grantproof.core.matching import Request
from specs.faults.small import words
from specs.faults.small.worlds import Facts, built
from specs.picture import Link, Mark, Node, Picture

COMMANDS = get_args(SingleCommand)
NESTED_MAX = 3
"""How deep in an act a command or a question is looked for."""


class Scene:
    """Collects nodes and links; the first word on a thing counts, a later mark is added to it."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.links: dict[tuple[str, str, str], Link] = {}

    def node(self, kind: str, name: str, *notes: str, mark: Mark = "") -> str:
        """Draw a thing and return its key."""
        key = f"{kind}:{name}"
        # Ids are texts of classes of their own; what is reported is plain text.
        self.nodes[key] = Node(key, kind, str(name), tuple(map(str, notes)), mark)
        return key

    def end(self, kind: str, name: str) -> str:
        """Return the key of the end of an arrow; what is not there is drawn as missing."""
        key = f"{kind}:{name}"
        return key if key in self.nodes else self.node(kind, name, mark="missing")

    def link(self, source: str, target: str, word: str, *, mark: Mark = "") -> None:
        """Draw an arrow."""
        self.links[source, target, word] = Link(source, target, word, mark)

    def fact(self, fact: m.Fact, mark: Mark = "") -> None:  # noqa: C901 - one branch a fact
        """Draw a fact."""
        match fact:
            case m.Principal():
                suspended = () if fact.active else ("suspended",)
                self.node("principal", fact.id, *suspended, mark=mark)
            case m.Group() | m.Role():
                self.node(type(fact).__name__.lower(), fact.id, mark=mark)
            case m.Resource():
                own = self.node("resource", fact.id, fact.kind, mark=mark)
                if fact.parent is not None:
                    self.link(own, self.end("resource", fact.parent), "is inside", mark=mark)
            case m.Claim():
                allowed = f"{words.action(fact.action)} {words.place(fact.resource)}"
                conditions = tuple(map(words.condition, fact.constraints))
                own = self.node("claim", fact.id, allowed, *conditions, mark=mark)
                self.link(self.end("role", fact.role), own, "has", mark=mark)
            case m.SodSet():
                together = "active" if fact.mode == "dynamic" else "held"
                told = f"fewer than {fact.n} {together} together"
                own = self.node("set", fact.id, told, mark=mark)
                for role in sorted(fact.roles):
                    self.link(self.end("role", role), own, "is of", mark=mark)
            case m.Guardrail():
                own = self.node(
                    "guardrail", fact.id, *sorted(map(words.place, fact.names)), mark=mark
                )
                for kind, name in sorted(named_by(fact)):
                    self.link(own, self.end(kind, name), "names", mark=mark)
            case m.Membership(who, group):
                self._ties(("principal", who), ("group", group), word="is in", mark=mark)
            case m.Nesting(group, container):
                self._ties(("group", group), ("group", container), word="is in", mark=mark)
            case m.Inheritance(role, parent):
                self._ties(("role", role), ("role", parent), word="inherits", mark=mark)
            case m.Assignment(who, role, validity):
                word = f"has{words.term(validity)}"
                self._ties(("principal", who), ("role", role), word=word, mark=mark)
            case m.GroupAssignment(group, role, validity):
                word = f"has{words.term(validity)}"
                self._ties(("group", group), ("role", role), word=word, mark=mark)
            case m.KindDeclaration() | m.Administered():
                return

    def _ties(
        self, source: tuple[str, str], target: tuple[str, str], *, word: str, mark: Mark
    ) -> None:
        self.link(self.end(*source), self.end(*target), word, mark=mark)

    def asked(self, request: Request) -> None:
        """Mark who asks, and about what."""
        chosen = request.active_roles
        session = () if chosen is None else (f"as {', '.join(sorted(chosen)) or 'nobody'}",)
        asks = (f"asks to {request.action}", *session)
        self._note("principal", request.principal, *asks)
        self._note("resource", request.resource, "is asked about")

    def _note(self, kind: str, name: str, *notes: str) -> None:
        known = self.nodes.get(f"{kind}:{name}")
        unknown = () if known is not None or kind == "resource" else ("unknown",)
        before = unknown if known is None else known.notes
        self.node(kind, name, *before, *notes, mark="asked")


def named_by(guardrail: m.Guardrail) -> Iterator[tuple[str, str]]:
    """Yield the kind and the id of each drawn thing that the guardrail names."""
    for name in guardrail.names:
        if isinstance(name, m.Exactly):
            kind, _, entity = name.value.partition(":")
            implicit = {"role": "role", "group": "group", "sod-set": "set"}
            yield (implicit[kind], entity) if kind in implicit else ("resource", name.value)


def scene(facts: Facts, act: object) -> Picture:
    """Return the picture of an organization, and of what the act adds, removes and asks."""
    drawn = Scene()
    for fact in sorted(facts, key=_nodes_first):
        drawn.fact(fact)
    for one in within(act):
        if isinstance(one, Request):
            drawn.asked(one)
        else:
            _happens(drawn, facts, cast(SingleCommand, one))
    return Picture(tuple(drawn.nodes.values()), tuple(drawn.links.values()))


def _happens(drawn: Scene, facts: Facts, command: SingleCommand) -> None:
    try:
        change = delta(built(facts), command)
    except KeyError:
        # What the command is about is not there, and there is nothing to draw of it.
        return
    for fact in _in_order(change.removed):
        drawn.fact(fact, "removed")
    for fact in _in_order(change.added):
        drawn.fact(fact, "added")


def _in_order(facts: Iterable[m.Fact]) -> list[m.Fact]:
    return sorted(facts, key=_nodes_first)


def _nodes_first(fact: m.Fact) -> int:
    """Things come before what names them, so that only what is missing is drawn as missing."""
    match fact:
        case m.Principal() | m.Group() | m.Role():
            return 0
        case m.Resource():
            return 1
        case _:
            return 2


def within(act: object, depth: int = 0) -> Iterator[object]:
    """Yield the commands and the questions in an act, in their order."""
    if isinstance(act, (*COMMANDS, Request)):
        yield act
    elif depth < NESTED_MAX and isinstance(act, tuple):
        for one in cast(tuple[object, ...], act):
            yield from within(one, depth + 1)
    elif depth < NESTED_MAX and is_dataclass(act) and not isinstance(act, type):
        for one in fields(act):
            yield from within(getattr(act, one.name), depth + 1)
