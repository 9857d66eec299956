"""Casbin RBAC: a model and policy lines as an organization, one domain at a time.

In Casbin users and roles are one set of names. Here whoever is assigned something and is nobody's
role is a principal; what has members is a role; a principal with lines of their own holds them
through a role of the same name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from grantproof.core.identifiers import (
    Action,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.policyfile.importers.casbin_model import (
    ACTION,
    DOMAIN,
    EFFECT,
    OBJECT,
    SUBJECT,
    Model,
    read_model,
)
from grantproof.policyfile.importers.drafting import (
    Draft,
    cycle_of,
    escaped,
    noted_if_administrative,
)
from grantproof.policyfile.importers.reading import Imported, Part, Refused, Report, Text, shown
from grantproof.policyfile.source import START, Place, Problem, Source

MODEL_ENDING: Final = ".conf"
KIND: Final = "object"
WILD: Final = "*"
LEVELS_MAX: Final = 10
"""So many links Casbin follows from a name to one above it, unless told otherwise."""

VALUE: Final = re.compile(r'(?:[ \t]*"((?:[^"]|"")*)"[ \t]*|([^",]*))(?:,|$)')


def read_casbin(
    texts: Sequence[Text], organization: OrganizationId, *, domain: str | None = None
) -> Imported | tuple[Refused, ...]:
    """Return the organization that one model (`*.conf`) and policies (all else) describe.

    Of a model with domains it is one domain: the one named, or the only one there is.
    """
    report = Report()
    models = [text for text in texts if text.name.endswith(MODEL_ENDING)]
    if len(models) != 1:
        name = texts[0].name if texts else MODEL_ENDING
        rule = f"there must be one model, in a file whose name ends in {MODEL_ENDING}, and no more"
        return (Refused(name, *START, rule),)
    model = read_model(models[0], report)
    lines = [line for text in texts if text not in models for line in _policy(text, report)]
    if model is not None and not report.refused and not report.unread:
        translation = Translation(Draft(report), model)
        translation.run(lines, domain)
        return translation.draft.finished(organization)
    return report.problems()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a policy: its type (`p`, `g`, ...) and its values, each with its place."""

    at: Part
    type: str
    values: tuple[str, ...]


@dataclass(slots=True)
class Translation:
    """Policy lines on their way into a draft."""

    draft: Draft
    model: Model
    above: dict[str, dict[str, Part]] = field(default_factory=dict)
    """The roles that each name is given by `g`."""
    containers: dict[str, dict[str, Part]] = field(default_factory=dict)
    """The groups that each object is put in by `g2`."""
    grants: list[tuple[Line, Mapping[str, str]]] = field(default_factory=list)

    def run(self, lines: Iterable[Line], domain: str | None) -> None:
        """Translate the lines of the domain."""
        kept = [line for line in lines if self._well_formed(line)]
        for line in self._of_domain(kept, domain) if self.model.domains else kept:
            self._learn(line)
        for above in (self.above, self.containers):
            _refuse_cycle(above)
        if not self.draft.report.refused:
            _note_deep(self.above)
            _note_deep(self.containers)
            self._subjects()
            self._objects()
            for line, said in self.grants:
                self._grant(line, said)

    def _well_formed(self, line: Line) -> bool:
        """Return whether the line is one of the model; what the model does not use is reported."""
        used = {"p": True, "g": self.model.roles, "g2": self.model.resource_groups}
        if not used.get(line.type, False):
            line.at.note("the model does not use such lines", f"line `{line.type}`")
            return False
        fields = self.model.fields
        least = len(fields) - (EFFECT in fields and fields[-1] == EFFECT)
        if line.type != "p":
            least = 3 if line.type == "g" and self.model.domains else 2
        most = len(fields) if line.type == "p" else least
        if not least <= len(line.values) <= most:
            count = least if least == most else f"{least} or {most}"
            line.at.refuse(f"must have {count} values after `{line.type}`")
            return False
        if "" in line.values:
            line.at.refuse("must not have an empty value")
            return False
        return True

    def _of_domain(self, lines: Sequence[Line], wanted: str | None) -> Iterator[Line]:
        """Yield the lines of the one domain; refuse to choose between several."""
        position = self.model.fields.index(DOMAIN)
        tenants: dict[str, list[Line]] = {}
        for line in lines:
            if line.type == "g2":
                yield line
            else:
                tenants.setdefault(line.values[2 if line.type == "g" else position], []).append(
                    line
                )
        chosen = wanted if wanted is not None or len(tenants) != 1 else next(iter(tenants))
        if lines and (chosen is None or (wanted is not None and wanted not in tenants)):
            named = ", ".join(f"`{each}`" for each in sorted(tenants))
            lines[0].at.refuse(f"one domain makes one organization: choose one of {named}")
            return
        for tenant, others in tenants.items():
            if tenant == chosen:
                yield from others
            else:
                why = f"another organization, to be converted apart (lines: {len(others)})"
                others[0].at.note(why, f"domain {shown(tenant)}")

    def _learn(self, line: Line) -> None:
        match line.type:
            case "p":
                self._learn_grant(line)
            case "g":
                self.above.setdefault(line.values[0], {}).setdefault(line.values[1], line.at)
            case _:
                self.containers.setdefault(line.values[0], {}).setdefault(line.values[1], line.at)

    def _learn_grant(self, line: Line) -> None:
        said = dict(zip(self.model.fields, line.values, strict=False))
        effect = said.get(EFFECT, "allow")
        if effect == "allow":
            self.grants.append((line, said))
        elif effect == "deny" and self.model.denies:
            line.at.refuse("there are no deny rules here: without the line more would be allowed")
        else:
            line.at.note("it allows nothing", f"effect {shown(effect)}")

    def _subjects(self) -> None:
        """Make a role of every name that is given to another, a principal of every other name."""
        roles = {role for given in self.above.values() for role in given}
        places = {said[SUBJECT]: line.at for line, said in self.grants}
        places |= {name: at for given in self.above.values() for name, at in given.items()}
        places |= {name: next(iter(given.values())) for name, given in self.above.items()}
        holding = {said[SUBJECT] for _, said in self.grants}
        for name, at in places.items():
            own = self._role(name, at) if name in roles | holding else None
            parents = {
                parent
                for role, place in self.above.get(name, {}).items()
                if (parent := self._role(role, place)) is not None
            }
            if name in roles:
                if own is not None:
                    self.draft.roles[own] |= parents
                continue
            principal = self.draft.named(PrincipalId, escaped(name), at, of=(name,))
            if principal is not None:
                self.draft.principals[principal] = (True, None)
                held = parents if own is None else {own, *parents}
                self.draft.assignments |= {(principal, role) for role in held}

    def _role(self, name: str, at: Part) -> RoleId | None:
        made = self.draft.named(RoleId, escaped(name), at, of=(name,))
        if made is not None:
            self.draft.roles.setdefault(made, set())
        return made

    def _objects(self) -> None:
        """Register every object that a line names, inside the group that `g2` puts it in."""
        places = {said[OBJECT]: line.at for line, said in self.grants}
        places |= {name: at for given in self.containers.values() for name, at in given.items()}
        places |= {name: next(iter(given.values())) for name, given in self.containers.items()}
        for name, at in places.items():
            inside = self.containers.get(name, {})
            if len(inside) > 1:
                at.refuse(f"{shown(name)} must be in one group: a resource has one parent here")
            resource = self._object(name, at)
            parents = [self._object(each, at) for each in inside]
            if resource is not None:
                kind = Kind(KIND)
                self.draft.kinds.add(kind)
                self.draft.resources[resource] = (kind, parents[0] if parents else None)

    def _object(self, name: str, at: Part) -> ResourceId | None:
        return self.draft.named(ResourceId, escaped(name, also="/"), at, of=(name,))

    def _grant(self, line: Line, said: Mapping[str, str]) -> None:
        role = self._role(said[SUBJECT], line.at)
        resource = self._object(said[OBJECT], line.at)
        action = self.draft.named(Action, escaped(said[ACTION]), line.at, of=(said[ACTION],))
        for name in (SUBJECT, OBJECT, ACTION):
            if said[name] == WILD:
                line.at.note("the matcher compares it like any other name: it is no wildcard", WILD)
        noted_if_administrative(said[ACTION], line.at)
        if role is not None and resource is not None and action is not None:
            below = "/**" if self.model.resource_groups else ""
            self.draft.claim(role, str(action), f"{resource}{below}")


def _refuse_cycle(above: Mapping[str, Mapping[str, Part]]) -> None:
    cycle = cycle_of(above)
    if cycle:
        at = above[cycle[0]][cycle[1]]
        at.refuse(f"the hierarchy must not lead back to itself: {' -> '.join(cycle)}")


def _note_deep(above: Mapping[str, Mapping[str, Part]]) -> None:
    """Report each name with more links above it than Casbin follows: here all of them count."""
    inner = {name for given in above.values() for name in given}
    for name, given in above.items():
        if name not in inner and _links_up(name, above) > LEVELS_MAX:
            why = f"Casbin follows at most {LEVELS_MAX} links unless told otherwise"
            next(iter(given.values())).note(why, name)


def _links_up(name: str, above: Mapping[str, Mapping[str, Part]]) -> int:
    """Return how many links lead from the name to its farthest role; there is no cycle."""
    levels, reached = 0, {name}
    while reached := {role for one in reached for role in above.get(one, ())}:
        levels += 1
    return levels


def _policy(text: Text, report: Report) -> list[Line]:
    part = report.read(text, _source(text))
    found = [] if part is None else part.items()
    return [Line(each, *_split(each)) for each in found]


def _split(part: Part) -> tuple[str, tuple[str, ...]]:
    first, *rest = part.texts()
    return first, tuple(rest)


def _source(text: Text) -> Source | tuple[Problem, ...]:
    """Return the values of the lines that have any; a path is a line and a value of it."""
    data: list[list[str]] = []
    places: dict[tuple[str | int, ...], Place] = {(): START}
    problems: list[Problem] = []
    for number, line in enumerate(text.content.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row: list[str] = []
        position = 0
        while position <= len(line):
            found = VALUE.match(line, position)
            if found is None:
                rule = "must be values between commas, with quotes around all of a value or none"
                problems.append(Problem((), number, position + 1, rule))
                break
            quoted, plain = found.groups()
            places[len(data), len(row)] = (number, position + 1)
            row.append(plain.strip() if quoted is None else quoted.replace('""', '"'))
            if not found[0].endswith(","):
                break
            position = found.end()
        places[len(data),] = (number, 1)
        data.append(row)
    return tuple(problems) or Source(
        data, lambda paths: {path: places.get(path, START) for path in paths}
    )
