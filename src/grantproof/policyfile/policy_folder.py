"""A policy kept in several files: read as one organization, and every problem in its place.

Every file says what it is (`apiVersion`, `kind`); what there is one of (`id`, `time_zone`) may be
given in any of them and must agree; lists are put together. A part that is illegal is left out of
the rest of the reading, so that one mistake neither hides another nor makes ten of itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from grantproof.policyfile.consistency import Inconsistency, declared, inconsistencies
from grantproof.policyfile.faults import RULES, Fault, Location, faults
from grantproof.policyfile.nearest_name import nearest_name
from grantproof.policyfile.organization_document import OrganizationDocument, OrganizationEntries
from grantproof.policyfile.policy_problems import FiledProblem, Finding, Spot, placed
from grantproof.policyfile.policy_schema import ELSEWHERE, known_fields, known_names
from grantproof.policyfile.policy_text import advice, read_source
from grantproof.policyfile.source import START, Source

__all__ = ["FiledProblem", "PolicyReading", "read_files", "read_policy"]

SUPPOSED: Final[Mapping[str, object]] = {
    "apiVersion": "grantproof/v1",
    "kind": "Organization",
    ELSEWHERE: "unnamed",
}
"""What is read on with when a file does not say it, or says it wrongly."""

ADVISED_MAX: Final = 1_000
"""For so many names that are not declared the nearest one is looked for, which costs the most."""


def read_policy(texts: Mapping[str, str]) -> OrganizationDocument | tuple[FiledProblem, ...]:
    """Return the organization that the texts describe together, or every problem of all of them.

    The keys are the names of the files, as problems show them. Nothing is applied: what an
    organization refuses is found by `refused_steps`.
    """
    reading = read_files(texts)
    return reading.problems or reading.document


def read_files(texts: Mapping[str, str]) -> "PolicyReading":
    """Return what the texts hold together, as far as it can be read, and what is wrong with it."""
    reading = PolicyReading()
    for file, text in texts.items():
        source = read_source(text)
        if isinstance(source, Source):
            reading.sources[file] = source
        else:
            reading.unread.extend(
                FiledProblem(file, one.line, one.column, one.path, one.message) for one in source
            )
    for file, source in reading.sources.items():
        reading.add(file, source.data)
    reading.close()
    return reading


@dataclass(slots=True)
class PolicyReading:
    """Files put together: what they hold, which part comes from where, and what is wrong.

    `origins` says of each entry of a list which file has it, and where in that file's own list.
    `given` has what there is one of, with the file that said it first. `spoilt` has the ids of
    entries that were left out: what refers to them is not at fault.
    """

    sources: dict[str, Source] = field(default_factory=dict)
    unread: list[FiledProblem] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    given: dict[str, tuple[str, object]] = field(default_factory=dict)
    lists: dict[str, list[Any]] = field(
        default_factory=lambda: {name: [] for name in OrganizationDocument.lists()}
    )
    origins: dict[str, list[tuple[str, int]]] = field(
        default_factory=lambda: {name: [] for name in OrganizationDocument.lists()}
    )
    spoilt: set[str] = field(default_factory=set)
    entries: OrganizationEntries = field(
        default_factory=lambda: OrganizationEntries.model_validate(SUPPOSED)
    )

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong so far; problems cost a search for their places."""
        return not (self.unread or self.findings)

    @property
    def problems(self) -> tuple[FiledProblem, ...]:
        """Everything that is wrong, sorted by file, line and column."""
        found = placed(self.findings, self.sources)
        return tuple(sorted((*self.unread, *found), key=lambda problem: problem.place))

    @property
    def document(self) -> OrganizationDocument:
        """The organization; only when there are no problems."""
        return OrganizationDocument.holding(**vars(self.entries))

    def add(self, file: str, data: object) -> None:
        """Add what a file holds."""
        if not isinstance(data, dict):
            self.unread.append(FiledProblem(file, *START, (), RULES["dict_type"]))
            return
        head: dict[str, object] = {}
        for name, value in data.items():
            if name in self.lists and isinstance(value, list):
                self.origins[name].extend((file, i) for i in range(len(value)))
                self.lists[name].extend(value)
            else:
                head[name] = value
        at_fault = self._check_head(file, head)
        for name in head.keys() - at_fault:
            self._agree(file, name, head[name])

    def close(self) -> None:
        """Check what was added as a whole; call it once, after the last file."""
        if not (self.unread or ELSEWHERE in self.given or self._illegal(ELSEWHERE)):
            self.findings.append(Finding(self.spot((ELSEWHERE,)), RULES["missing"]))
        self.entries = self._legal()
        known: dict[str, frozenset[str]] = {}
        advised: dict[tuple[str, str], str | None] = {}
        for one in inconsistencies(self.entries):
            if self._explained(one):
                continue
            known = known or declared(self.entries)
            asked = (one.noun, one.name)
            if one.noun and asked not in advised and len(advised) < ADVISED_MAX:
                advised[asked] = nearest_name(one.name, known[one.noun])
            self.findings.append(
                Finding(
                    self.spot(one.path),
                    one.rule,
                    advised.get(asked),
                    self.spot(one.see) if one.see else None,
                )
            )

    def spot(self, path: Location) -> Spot:
        """Return where a part of the whole stands: its file, and the path in that."""
        match path:
            case (str(name), int(position), *inside):
                file, at = self.origins[name][position]
                return file, (name, at, *inside)
            case _:
                first = next(iter(self.sources), "")
                return (self.given.get(str(path[0]), (first,))[0] if path else first), path

    def _check_head(self, file: str, head: dict[str, object]) -> set[str]:
        """Check what is no list of entries; return the names of the fields at fault."""
        try:
            OrganizationDocument.model_validate({ELSEWHERE: SUPPOSED[ELSEWHERE], **head})
        except ValidationError as error:
            found = faults(error)
        else:
            return set()
        self.findings.extend(self._found(file, fault) for fault in found)
        return {str(fault.path[0]) for fault in found}

    def _illegal(self, name: str) -> bool:
        return any(one.spot[1] == (name,) for one in self.findings)

    def _agree(self, file: str, name: str, value: object) -> None:
        first, said = self.given.setdefault(name, (file, value))
        if said != value:
            see = (first, (name,))
            rule = "must be the same in every file"
            self.findings.append(Finding((file, (name,)), rule, see=see))

    def _legal(self) -> OrganizationEntries:
        """Return what is left when everything illegal is left out, and keep what that was."""
        while True:
            said = {name: value for name, (_, value) in self.given.items()}
            try:
                return OrganizationEntries.model_validate({**SUPPOSED, **said, **self.lists})
            except ValidationError as error:
                self._leave_out(faults(error))

    def _leave_out(self, found: tuple[Fault, ...]) -> None:
        """Take what is at fault out of the lists: an unknown field alone, else its whole entry."""
        left_out: dict[str, set[int]] = {}
        for fault in found:
            file, path = self.spot(fault.path)
            self.findings.append(self._found(file, Fault(path, fault.rule)))
        for fault in found:
            name, position, *inside = fault.path
            if fault.rule == RULES["extra_forbidden"]:
                _without(self.lists[str(name)][int(position)], inside)
            else:
                left_out.setdefault(str(name), set()).add(int(position))
        for name, positions in left_out.items():
            entries, origins = self.lists[name], self.origins[name]
            self.spoilt |= {
                str(entries[i]["id"])
                for i in positions
                if isinstance(entries[i], dict) and "id" in entries[i]
            }
            kept = [i for i in range(len(entries)) if i not in positions]
            self.lists[name] = [entries[i] for i in kept]
            self.origins[name] = [origins[i] for i in kept]

    def _explained(self, one: Inconsistency) -> bool:
        """Return whether a name is not declared only because its declaration was not read."""
        if one.noun == "":
            return False
        implicit, _, name = one.name.partition(":")
        unnamed = implicit == "organization" and ELSEWHERE not in self.given
        return bool(self.unread) or unnamed or bool({one.name, name} & self.spoilt)

    def _found(self, file: str, fault: Fault) -> Finding:
        data = self.sources[file].data
        rule = fault.rule + advice(data, fault)
        return Finding((file, fault.path), rule, _nearest(data, fault))


def _nearest(data: object, fault: Fault) -> str | None:
    """Return what a field of that name, or a string of those listed, was probably meant to be."""
    *around, last = fault.path
    if fault.rule == RULES["extra_forbidden"]:
        return nearest_name(str(last), known_fields(data, tuple(around)))
    value: Any = data
    for part in fault.path:
        if isinstance(value, dict) and part not in value:
            return None
        value = value[part]
    choices = known_names(data, fault.path) if isinstance(value, str) else ()
    # A rule that leaves no choice says the only one itself.
    return nearest_name(value, choices) if len(choices) > 1 else None


def _without(entry: Any, path: list[str | int]) -> None:
    *around, name = path
    for part in around:
        entry = entry[part]
    del entry[name]
