"""Facts, questions and commands in the words of the domain, one sentence each."""

from collections.abc import Iterable
from dataclasses import fields
from enum import Enum

from grantproof.core import constraints as c
from grantproof.core import model as m
from grantproof.core.attributes import Literal, Path
from grantproof.core.commands.language import ChangeSet
from grantproof.core.geodesy import Position, degrees
from grantproof.core.matching import Request
from specs.faults.small.worlds import NOW, Facts

Words = tuple[str, ...]
WEEK = {
    c.EVERY_DAY: "",
    frozenset(range(5)): " on weekdays",
    frozenset({5, 6}): " at the weekend",
}


def told(facts: Facts) -> Words:
    """Return what an organization is, leaving out whatever another sentence names anyway."""
    links = [sentence(fact) for fact in facts if not _only_there(fact)]
    mentioned = set(" ".join(links).replace(",", " ").split())
    return tuple(
        sentence(fact) for fact in facts if not _only_there(fact) or _name_of(fact) not in mentioned
    )


def _only_there(fact: m.Fact) -> bool:
    """Return whether the fact only says that something is there."""
    if isinstance(fact, m.Principal):
        return fact.active
    return isinstance(fact, m.Role | m.Group | m.KindDeclaration)


def _name_of(fact: m.Fact) -> str:
    return str(getattr(fact, "id", getattr(fact, "kind", "")))


def sentence(fact: m.Fact) -> str:  # noqa: C901 - one branch a fact
    """Return a fact in words."""
    match fact:
        case m.Principal():
            return f"{fact.id} is {'a' if fact.active else 'a suspended'} principal"
        case m.Group() | m.Role():
            return f"{fact.id} is a {type(fact).__name__.lower()}"
        case m.KindDeclaration(kind):
            return f"{kind} is a kind"
        case m.Resource():
            inside = "" if fact.parent is None else f" inside {fact.parent}"
            return f"{fact.id} is a {fact.kind}{inside}"
        case m.Claim():
            when = "".join(f", {condition(one)}" for one in fact.constraints)
            return f"{fact.role} may {action(fact.action)} {place(fact.resource)}{when}"
        case m.SodSet():
            names = ", ".join(sorted(fact.roles))
            together = "may be active" if fact.mode == "dynamic" else "may be held"
            return f"of {names} fewer than {fact.n} {together} together"
        case m.Guardrail():
            names = ", ".join(sorted(map(place, fact.names))) or "nothing"
            return f"guardrail {fact.id} names {names}"
        case m.Membership(who, group):
            return f"{who} is in {group}"
        case m.Nesting(group, container):
            return f"{group} is in {container}"
        case m.Inheritance(role, parent):
            return f"{role} inherits from {parent}"
        case m.Assignment(holder, role, validity) | m.GroupAssignment(holder, role, validity):
            return f"{holder} is assigned {role}{term(validity)}"
        case m.Administered():
            return "it has an administrator"


def term(validity: m.Validity) -> str:
    """Return a validity in words."""
    start = "" if validity.start is None else f" from {validity.start}"
    return f"{start}{'' if validity.end is None else f' until {validity.end}'}"


def condition(constraint: c.Constraint) -> str:
    """Return a constraint in words."""
    match constraint:
        case c.TimeWindow():
            days = WEEK.get(constraint.weekdays, " on some days")
            return f"from {constraint.start} until {constraint.end} o'clock{days}"
        case c.GeoFence():
            return f"in {', '.join(sorted(constraint.regions))}"
        case c.GeoRadius():
            return f"within {constraint.metres} m of {degrees(constraint.centre)}"
        case c.MaxUsage():
            return f"while usage is below {constraint.limit}"
        case c.RateLimit():
            return f"while the rate is below {constraint.per_minute}"
        case c.Attribute():
            operand = constraint.operand
            against = operand.value if isinstance(operand, Literal) else operand
            return f"while {path(constraint.path)} {constraint.operator} {against}"


def path(where: Path) -> str:
    """Return an attribute's path as it is written."""
    return f"{where.root.value}.{where.name}"


def action(pattern: m.ActionPattern) -> str:
    """Return the action of a claim."""
    return str(pattern.value) if isinstance(pattern, m.Exactly) else "do anything with"


def place(pattern: m.ResourcePattern) -> str:
    """Return the resources of a claim."""
    match pattern:
        case m.Exactly(value):
            return str(value)
        case m.Within(value):
            return f"{value}/**"
        case m.OfKind(kind):
            return f"every {kind}"
        case m.Any():
            return "everything"


def question(request: Request, context: c.Context) -> str:
    """Return a request in words, with what of the context is not as it is otherwise."""
    session = "" if request.active_roles is None else f" as {_list(request.active_roles)}"
    kind = "" if request.kind is None else f" (a {request.kind})"
    asked = f"may {request.principal}{session} {request.action} {request.resource}{kind}"
    changed = [
        f"{field.name} {_value(getattr(context, field.name))}"
        for field in fields(context)
        if field.name == "instant" or getattr(context, field.name) != getattr(NOW, field.name)
    ]
    return f"{asked} at {', '.join(changed)}?"


def command(proposed: object) -> str:
    """Return a command in words: its name, and what it is given; of several, one by one."""
    if isinstance(proposed, ChangeSet):
        return f"as one change: {'; '.join(map(command, proposed.commands))}"
    name = "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in _name(proposed))
    given = [
        _value(getattr(proposed, field.name))
        for field in fields(proposed)  # type: ignore[arg-type] # commands are dataclasses
        if getattr(proposed, field.name) not in (m.ALWAYS, False)
    ]
    return f"{name.strip()}: {', '.join(given)}"


def _name(value: object) -> str:
    return type(value).__name__


def _value(value: object) -> str:
    match value:
        case None:
            return "missing"
        case True:
            return "with all that refers to it"
        case m.Validity():
            return term(value).strip()
        case m.Claim() | m.SodSet() | m.Guardrail() | m.Resource():
            return sentence(value)
        case Enum():
            return str(value.value)
        case Position():
            return degrees(value)
        case str() | int():
            return str(value)
        case _:
            return (
                ", ".join(f"{name} {one}" for name, one in getattr(value, "items", dict)())
                or "none"
            )


def _list(names: Iterable[str]) -> str:
    return " and ".join(sorted(names)) or "nobody in particular"
