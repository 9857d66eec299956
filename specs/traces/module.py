"""Traces as the module TraceData, which TraceAdministration extends.

Literals in a module: TLC 2.15 reads no JSON, and a constant of a configuration is slow. What an
organization held is written once and then named by its number, for parsing takes the longest.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from grantproof.core.limits import COMMIT_ATTEMPTS_MAX
from specs.traces.cast import PRINCIPALS, ROLES, SOD_SETS, ModelSet, Policy, Words, model_set
from specs.traces.journal import Record
from specs.traces.trace import Trace

MODULE: Final = "TraceData"
REVISION_FIELDS: Final = frozenset({"reads", "moves", "writes", "ends"})


def data(traces: Sequence[Trace]) -> str:
    """Return the text of the module."""
    policies = sorted({policy for trace in traces for policy in _policies(trace)})
    number = {policy: n for n, policy in enumerate(policies, 1)}
    administrators = max((len(trace.proposals) for trace in traces), default=1)
    definitions = {
        "TraceAdministrators": f"1..{administrators}",
        "TraceAttemptsMax": str(COMMIT_ATTEMPTS_MAX),
        "TracePrincipals": _set(map(_text, PRINCIPALS)),
        "TraceRoleNames": _set(map(_text, ROLES)),
        "TraceSodSets": _set(_sod_set(model_set(sod_set)) for sod_set in SOD_SETS),
        "Policies": _sequence(map(_policy, policies), apart=",\n"),
        "Traces": _sequence((_trace(trace, number) for trace in traces), apart=",\n"),
    }
    lines = [f"{name} == {value}" for name, value in definitions.items()]
    return "\n".join([f"---- MODULE {MODULE} ----", "EXTENDS Naturals", *lines, "====", ""])


def _policies(trace: Trace) -> Iterable[Policy]:
    yield trace.start
    yield from (record.policy for record in trace.records if record.policy is not None)


def _trace(trace: Trace, number: dict[Policy, int]) -> str:
    order = {proposal.who: n for n, proposal in enumerate(trace.proposals, 1)}
    proposals = (
        _record(command=_command(one.command), reads=_sequence(map(str, one.reads)))
        for one in trace.proposals
    )
    return _record(
        start=str(number[trace.start]),
        proposals=_sequence(proposals),
        records=_sequence(_event(record, order, number) for record in trace.records),
    )


def _event(record: Record, order: dict[str, int], number: dict[Policy, int]) -> str:
    fields = {"who": str(order.get(record.who, 0)), "what": _text(record.what)}
    if record.what in REVISION_FIELDS:
        fields["revision"] = str(record.revision)
    if record.policy is not None:
        fields["policy"] = str(number[record.policy])
    if record.what == "refuses":
        fields["ground"] = _text(str(record.told))
    return _record(**fields)


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
