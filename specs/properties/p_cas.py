"""P-CAS: optimistic locking keeps the invariant, for any number of administrators.

A model, not the source: that `propose` works on one state, commits only over the revision that it
worked on, and starts again otherwise, is trusted here and held by the protocol models and the store
contract. What a change checks and does is abstract: `safe` of a state is all that is known.
"""

from collections.abc import Callable
from dataclasses import dataclass

import z3

from specs.kernel.values import Clause
from specs.properties.registry import Stated, states

Administrator = z3.DeclareSort("Administrator")
State = z3.DeclareSort("State")
SAFE = z3.Function("safe", State, z3.BoolSort())
AFTER = z3.Function("after", Administrator, State, State)
ACCEPTS = z3.Function("accepts", Administrator, State, z3.BoolSort())


@dataclass(frozen=True)
class System:
    """The store's state and revision; who has proposed; the revision and state each works on."""

    state: z3.ExprRef
    revision: z3.ArithRef
    working: Callable[[z3.ExprRef], z3.BoolRef]
    read: Callable[[z3.ExprRef], z3.ArithRef]
    snapshot: Callable[[z3.ExprRef], z3.ExprRef]


def invariant(system: System) -> z3.BoolRef:
    """Return that the state is safe, and that a snapshot of the current revision is the state."""
    a = z3.Const("a", Administrator)
    current = z3.And(system.working(a), system.read(a) == system.revision)
    return z3.And(
        SAFE(system.state),
        z3.ForAll([a], z3.Implies(system.working(a), system.read(a) <= system.revision)),
        z3.ForAll([a], z3.Implies(current, system.snapshot(a) == system.state)),
    )


def _scene() -> tuple[System, z3.ExprRef, list[Clause]]:
    working = z3.Function("working", Administrator, z3.BoolSort())
    read = z3.Function("read", Administrator, z3.IntSort())
    snapshot = z3.Function("snapshot", Administrator, State)
    system = System(z3.Const("state", State), z3.Int("revision"), working, read, snapshot)
    a, s = z3.Const("a", Administrator), z3.Const("s", State)
    checked = z3.Implies(z3.And(SAFE(s), ACCEPTS(a, s)), SAFE(AFTER(a, s)))
    known = [
        ("the invariant", invariant(system)),
        ("an accepted change keeps a safe state safe", z3.ForAll([a, s], checked)),
    ]
    return system, z3.Const("me", Administrator), known


@states("P-CAS")
def every_step_keeps_the_invariant() -> Stated:
    """Reading, committing over the revision read, giving up and trying again all keep it."""
    now, me, known = _scene()
    begun = System(
        now.state,
        now.revision,
        lambda a: z3.Or(now.working(a), a == me),
        lambda a: z3.If(a == me, now.revision, now.read(a)),
        lambda a: z3.If(a == me, now.state, now.snapshot(a)),
    )

    def idle(a: z3.ExprRef) -> z3.BoolRef:
        return z3.And(now.working(a), a != me)

    committed = System(AFTER(me, now.snapshot(me)), now.revision + 1, idle, now.read, now.snapshot)
    given_up = System(now.state, now.revision, idle, now.read, now.snapshot)
    commits = z3.And(now.working(me), now.read(me) == now.revision, ACCEPTS(me, now.snapshot(me)))
    return known, [
        ("read", invariant(begun)),
        ("commit", z3.Implies(commits, invariant(committed))),
        ("give up, or lose a race", invariant(given_up)),
    ]


@states("P-CAS")
def what_is_committed_was_decided_on_the_current_state() -> Stated:
    """A commit does to the current state what its administrator has checked of that very state."""
    now, me, known = _scene()
    commits = z3.And(now.working(me), now.read(me) == now.revision)
    return known, [("the same state", z3.Implies(commits, now.snapshot(me) == now.state))]
