"""A counterexample told in the words of the domain: who reads, decides, commits and loses what.

What changed between two states says which step was taken, not the name of the action: so a faulty
step is told by what it does. Behaviours of other models are told variable by variable.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, cast

from specs.tlc import consuming, following
from specs.tlc.output import Behaviour, Step
from specs.tlc.values import Value

State = Mapping[str, Value]
Record = Mapping[str, Value]

LOCKING: Final = {"organization", "revision", "phase", "command", "snapshot"}
NOTHING: Final = "Nothing"

COMMANDS: Final = {
    "AssignRole": "assign {role} to {principal}",
    "RevokeRole": "revoke {role} from {principal}",
    "AddParent": "let {role} inherit from {parent}",
    "RemoveParent": "let {role} no longer inherit from {parent}",
    "CreateSodSet": "create a set: {sod_set}",
    "DeleteRole": "delete {role}",
}
GROUNDS: Final = {
    "Missing": "it refers to what is not there",
    "AlreadyExists": "it is so already",
    "WouldCycle": "it would close a cycle",
    "NamedBySodSet": "a separation-of-duty set names it",
    "StillReferenced": "something refers to it",
    "BreaksSod": "it would break separation of duty",
}


def tell(behaviour: Behaviour) -> tuple[str, ...]:
    """Return one line a step; the first says how it began."""
    steps = behaviour.steps
    if len(steps) == 0:
        return ()
    locking = steps[0].state.keys() >= LOCKING
    between, first = _telling(steps[0].state)
    lines = [f"at first {first}", *(between(before, after) for before, after in pairwise(steps))]
    if behaviour.back_to is None:
        lines += [f"now {describe(steps[-1].state['organization'])}"] if locking else []
    elif behaviour.back_to == len(steps):
        lines.append("nothing more happens")
    else:
        again = between(steps[-1], steps[behaviour.back_to - 1])
        lines.append(f"{again}; all is as after {behaviour.back_to}, and so on for ever")
    return tuple(f"{n}. {line}" for n, line in enumerate(lines, 1))


def _telling(state: State) -> tuple[Callable[[Step, Step], str], str]:
    """Return what tells a step of the model that the state is of, and how it began."""
    if state.keys() >= LOCKING:
        return _locking_step, describe(state["organization"])
    if state.keys() >= consuming.CONSUMING:
        return consuming.step, consuming.describe(state)
    if state.keys() >= following.FOLLOWING:
        return following.step, following.describe(state)
    return _changes, _all(state)


def describe(organization: Value) -> str:
    """Return an organization's facts in words: of RBACPolicyChange or of Administration."""
    facts = cast(Record, organization)
    if "assignments" not in facts:
        return _held(facts)
    edges = cast(Mapping[str, tuple[str, ...]], facts["parents"])
    inherits = [f"{child} inherits from {_list(ups)}" for child, ups in edges.items() if ups]
    sets = [f"a set: {_text(sod_set)}" for sod_set in cast(tuple[Value, ...], facts["sod_sets"])]
    roles = f"the roles are {_list(cast(tuple[str, ...], facts['roles']))}"
    return "; ".join([roles, _held(cast(Record, facts["assignments"])), *inherits, *sets])


def _held(assignments: Record) -> str:
    return "; ".join(
        f"{principal} is assigned {_list(cast(tuple[str, ...], roles))}"
        for principal, roles in assignments.items()
    )


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names) if names else "nothing"


@dataclass(frozen=True, slots=True)
class _Move:
    """What one administrator did between two states."""

    who: str
    before: State
    after: State

    def of(self, variable: str, *, now: bool = False) -> Value:
        """The administrator's entry of a variable, before the step or now."""
        state = self.after if now else self.before
        return cast(Record, state[variable])[self.who]

    def changed(self, variable: str) -> bool:
        """Whether the administrator's entry of a variable is another one now."""
        return self.of(variable) != self.of(variable, now=True)

    @property
    def what(self) -> str:
        """The command, in words."""
        known = self.of("command")
        command = cast(Record, self.of("command", now=True) if known == NOTHING else known)
        return command_words(command)

    def revision_read(self, *, now: bool = False) -> Value:
        """The revision of the snapshot."""
        return cast(Record, self.of("snapshot", now=now))["revision"]


def command_words(command: Record) -> str:
    """Return a command in words."""
    texts = {field: _text(value) for field, value in command.items()}
    return COMMANDS[texts["type"]].format_map(texts)


def _text(value: Value) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    roles = _list(cast(tuple[str, ...], value["roles"]))
    return f"{value['n']} of {roles} forbidden"


def _locking_step(before: Step, after: Step) -> str:
    administrators = cast(Record, before.state["phase"])
    moves = [_Move(who, before.state, after.state) for who in administrators]
    told = [_told(move) for move in moves if move.changed("phase") or move.changed("snapshot")]
    return "; ".join(told) or "nothing changes"


def _told(move: _Move) -> str:
    begun, ended = str(move.of("phase")), str(move.of("phase", now=True))
    if ended in GROUNDS:
        return (
            f"{move.who} is refused: {move.what}, "
            f"decided on revision {move.revision_read()}: {GROUNDS[ended]}"
        )
    if ended == "deciding":
        return READING.get(begun, _proposes)(move)
    return SETTLING[ended](move)


def _proposes(move: _Move) -> str:
    return f"{move.who} reads revision {move.revision_read(now=True)} and proposes: {move.what}"


def _catches_up(move: _Move) -> str:
    if move.of("snapshot") == move.of("snapshot", now=True):
        return f"{move.who} tries again on revision {move.revision_read()}, without reading anew"
    return f"{move.who} catches up to revision {move.revision_read(now=True)}, to {move.what}"


def _keeps_decision(move: _Move) -> str:
    return (
        f"{move.who} reads only the revision again, now {move.revision_read(now=True)}, "
        f"and keeps its decision to {move.what}"
    )


def _commits(move: _Move) -> str:
    decided = f"{move.what}, decided on revision {move.revision_read()}"
    return f"{move.who} commits: {decided} -> revision {move.after['revision']}"


def _loses(move: _Move) -> str:
    return f"{move.who} loses the race: {_stale(move)}"


def _gives_up(move: _Move) -> str:
    return f"{move.who} loses the race and gives up, contended: {_stale(move)}"


def _stale(move: _Move) -> str:
    read, stored = move.revision_read(), move.before["revision"]
    if read == stored:
        return f"decided on revision {read}, and it still is {stored}"
    return f"decided on revision {read}, but it is {stored}"


def _checks(move: _Move) -> str:
    return f"{move.who} sees that the revision is still {move.before['revision']}"


READING: Final[Mapping[str, Callable[[_Move], str]]] = {
    "idle": _proposes,
    "retrying": _catches_up,
    "deciding": _keeps_decision,
}
"""By the phase before, when the administrator is deciding now; after an outcome it proposes."""

SETTLING: Final[Mapping[str, Callable[[_Move], str]]] = {
    "accepted": _commits,
    "retrying": _loses,
    "contended": _gives_up,
    "checked": _checks,
}
"""By the phase now."""


def _changes(before: Step, after: Step) -> str:
    changed = {
        name: value for name, value in after.state.items() if before.state.get(name) != value
    }
    return f"{after.action}: {_all(changed) or 'nothing changes'}"


def _all(state: State) -> str:
    return ", ".join(f"{name} = {value}" for name, value in state.items())
