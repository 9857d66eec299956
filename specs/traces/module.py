"""Traces as the module TraceData, which TraceAdministration extends.

Literals in a module: TLC 2.15 reads no JSON, and a constant of a configuration is slow. Policies
and commands are written once and then named by their numbers, for parsing takes the longest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from grantproof.core.limits import COMMIT_ATTEMPTS_MAX
from specs.traces.cast import PRINCIPALS, ROLES, SOD_SETS, ModelSet, Policy, Words, model_set
from specs.traces.journal import Record
from specs.traces.trace import Trace

Value = TypeVar("Value")

MODULE: Final = "TraceData"

RECORDS: Final = """
Reads(a, r, p) == [what |-> "reads", who |-> a, revision |-> r, policy |-> p]
Moves(a, r) == [what |-> "moves", who |-> a, revision |-> r]
Writes(a, r, p) == [what |-> "writes", who |-> a, revision |-> r, policy |-> p]
Commits(a) == [what |-> "commits", who |-> a]
Loses(a) == [what |-> "loses", who |-> a]
Refuses(a, ground) == [what |-> "refuses", who |-> a, ground |-> ground]
Contended(a) == [what |-> "contended", who |-> a]
Fails(a) == [what |-> "fails", who |-> a]
Ends(r, p) == [what |-> "ends", who |-> 0, revision |-> r, policy |-> p]
"""


def data(traces: Sequence[Trace]) -> str:
    """Return the text of the module."""
    numbers = _Numbers(
        _numbered(policy for trace in traces for policy in _policies(trace)),
        _numbered(_command(one.command) for trace in traces for one in trace.proposals),
    )
    administrators = max((len(trace.proposals) for trace in traces), default=1)
    definitions = {
        "TraceAdministrators": f"1..{administrators}",
        "TraceAttemptsMax": str(COMMIT_ATTEMPTS_MAX),
        "TracePrincipals": _set(map(_text, PRINCIPALS)),
        "TraceRoleNames": _set(map(_text, ROLES)),
        "TraceSodSets": _set(_sod_set(model_set(sod_set)) for sod_set in SOD_SETS),
        "Policies": _sequence(map(_policy, numbers.policies), apart=",\n"),
        "Proposed": _sequence(numbers.commands, apart=",\n"),
        "Traces": _sequence((_trace(trace, numbers) for trace in traces), apart=",\n"),
    }
    lines = [f"{name} == {value}" for name, value in definitions.items()]
    head = [f"---- MODULE {MODULE} ----", "EXTENDS Naturals", RECORDS]
    return "\n".join([*head, *lines, "====", ""])


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The number, from 1, of each policy and of each command that appears."""

    policies: Mapping[Policy, int]
    commands: Mapping[str, int]


def _numbered(values: Iterable[Value]) -> dict[Value, int]:
    return {value: number for number, value in enumerate(dict.fromkeys(values), 1)}


def _policies(trace: Trace) -> Iterable[Policy]:
    yield trace.start
    yield from (record.policy for record in trace.records if record.policy is not None)


def _trace(trace: Trace, numbers: _Numbers) -> str:
    order = {proposal.who: n for n, proposal in enumerate(trace.proposals, 1)}
    proposals = (
        _record(
            command=str(numbers.commands[_command(one.command)]),
            reads=_sequence(map(str, one.reads)),
        )
        for one in trace.proposals
    )
    return _record(
        start=str(numbers.policies[trace.start]),
        proposals=_sequence(proposals),
        records=_sequence(
            _event(record, order, policies=numbers.policies) for record in trace.records
        ),
    )


def _event(record: Record, order: Mapping[str, int], *, policies: Mapping[Policy, int]) -> str:
    """Return a record as the application of the operator that makes it."""
    who = str(order.get(record.who, 0))
    policy = "0" if record.policy is None else str(policies[record.policy])
    match record.what:
        case "reads" | "writes":
            values = [who, str(record.revision), policy]
        case "moves":
            values = [who, str(record.revision)]
        case "refuses":
            values = [who, _text(str(record.told))]
        case "ends":
            values = [str(record.revision), policy]
        case _:
            values = [who]
    return f"{record.what.capitalize()}({', '.join(values)})"


def _policy(policy: Policy) -> str:
    return _record(
        roles=_set(map(_text, policy.roles)),
        assignments=_images(PRINCIPALS, policy.assignments),
        parents=_images(ROLES, policy.parents),
        sod_sets=_set(map(_sod_set, policy.sod_sets)),
    )


def _images(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> str:
    found = tuple(pairs)
    return _record(
        **{name: _set(_text(other) for one, other in found if one == name) for name in names}
    )


def _sod_set(sod_set: ModelSet) -> str:
    roles, n = sod_set
    return _record(roles=_set(map(_text, roles)), n=str(n))


def _command(command: Words) -> str:
    return _record(
        **{
            name: _text(value) if isinstance(value, str) else _sod_set(value)
            for name, value in command.items()
        }
    )


def _record(**fields: str) -> str:
    return f"[{', '.join(f'{name} |-> {value}' for name, value in fields.items())}]"


def _sequence(elements: Iterable[str], *, apart: str = ", ") -> str:
    return f"<<{apart.join(elements)}>>"


def _set(elements: Iterable[str]) -> str:
    return f"{{{', '.join(elements)}}}"


def _text(value: str) -> str:
    return f'"{value}"'
