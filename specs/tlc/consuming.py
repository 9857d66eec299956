"""A counterexample of `Consume` told in words: who reads, charges, loses and is denied what."""

from collections.abc import Mapping
from typing import Final, cast

from specs.tlc.output import Step
from specs.tlc.values import Value

State = Mapping[str, Value]
Record = Mapping[str, Value]

CONSUMING: Final = {"used", "limits", "granted", "phase", "snapshot"}
"""The variables by which a state is known to be one of this model."""

NOTHING: Final = "Nothing"


def describe(state: State) -> str:
    """Return the counters of every claim beside their limits."""
    return counters(state["used"], state["limits"])


def step(before: Step, after: Step) -> str:
    """Return what happened between two states."""
    told = [
        _told(who, before.state, after.state)
        for who in cast(Record, before.state["phase"])
        if _of(before.state, "phase", who) != _of(after.state, "phase", who)
    ]
    if before.state["revision"] != after.state["revision"]:
        told.append(f"the limits change, revision {after.state['revision']}")
    elif not told and before.state["used"] != after.state["used"]:
        told.append("usage is reset")
    return f"{'; '.join(told) or 'nothing changes'} ({describe(after.state)})"


def counters(used: Value, limits: Value) -> str:
    """Return counts and limits claim by claim: `claim 1: usage 0 of 1, rate 0 of 2; ...`."""
    claims = zip(cast(tuple[Record, ...], used), cast(tuple[Record, ...], limits), strict=True)
    return "; ".join(
        f"claim {number}: usage {counts['usage']} of {most['usage']},"
        f" rate {counts['rate']} of {most['rate']}"
        for number, (counts, most) in enumerate(claims, 1)
    )


def _told(who: str, before: State, after: State) -> str:
    now = str(_of(after, "phase", who))
    if now == "deciding":
        return f"{who} reads the counters at revision {after['revision']}"
    if now == "allowed":
        return f"{who} is allowed by claim {_of(after, 'granted', who)}{_reading(who, before)}"
    if now == "denied":
        return f"{who} is denied{_reading(who, before)}"
    if now == "looking":
        return f"{who} loses the race and looks again"
    return f"{who} has charged the quota, and not yet the rate"


def _reading(who: str, state: State) -> str:
    snapshot = _of(state, "snapshot", who)
    if snapshot == NOTHING:
        return ""
    read = cast(Record, snapshot)
    return f", having read {counters(read['used'], read['limits'])}"


def _of(state: State, variable: str, who: str) -> Value:
    return cast(Record, state[variable])[who]
