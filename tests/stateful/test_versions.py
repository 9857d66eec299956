"""The tag of an entity over long administrations: another one exactly when its answer is another.

What is asked is the function that answers GET; what is compared is its body, byte for byte.
"""

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, Final

from fastapi import Response
from hypothesis import settings
from hypothesis.stateful import initialize, run_state_machine_as_test
from typing_extensions import override

from grantproof.api.claims import get_claim
from grantproof.api.groups import get_group
from grantproof.api.kinds import get_kind
from grantproof.api.principals import get_principal
from grantproof.api.resources import get_resource
from grantproof.api.roles import get_role
from grantproof.api.sod_sets import get_sod_set
from grantproof.core.commands import Accepted, Event, apply
from grantproof.core.identifiers import OrganizationId
from grantproof.core.model import Delta
from grantproof.core.organization import Organization, facts
from grantproof.service.versions import Versioned, Versions
from tests.organizations import after
from tests.properties.tally import Tally
from tests.stateful.proposing import Proposing
from tests.stateful.walks import next_command, opening
from tests.strategies.crowded import crowds

Answers = dict[tuple[str, str], tuple[bytes, str]]
"""By sort and id of each entity, the body and the tag of the answer to GET."""

Get = Callable[..., Response]
Names = Callable[[Organization], Iterable[Any]]

SHOWN: Final[Mapping[str, tuple[Get, Names]]] = {
    "principal": (get_principal, lambda state: state.principals),
    "group": (get_group, lambda state: state.groups),
    "role": (get_role, lambda state: state.roles),
    "kind": (get_kind, lambda state: state.resources_of_kind),
    "resource": (get_resource, lambda state: state.resources),
    "claim": (get_claim, lambda state: state.claims),
    "sod_set": (get_sod_set, lambda state: state.sod_sets),
}
"""Every route of a single entity, and which there are."""


def answers(seen: Versioned) -> Answers:
    """What GET answers to whoever asks for each entity."""
    found: Answers = {}
    for sort, (get, names) in SHOWN.items():
        for name in names(seen.state):
            response = get(seen, name)
            found[sort, name] = (bytes(response.body), response.headers["etag"])
    return found


def check(before: Answers, now: Answers, revision: int, tally: Tally) -> None:
    """Between two revisions tag and body change together, and a new tag is the new revision."""
    for entity, (body, tag) in now.items():
        if entity not in before:
            tally.saw("made")
            assert tag == f'"{revision}"', entity
            continue
        body_before, tag_before = before[entity]
        assert (tag != tag_before) == (body != body_before), entity
        if tag != tag_before:
            assert tag == f'"{revision}"', entity
            tally.saw(f"{entity[0]}_changed")
        else:
            tally.saw("kept")
    tally.saw("gone", len(before.keys() - now.keys()) > 0)


def begun(state: Organization) -> Versions:
    """Versions as if one change had made everything."""
    whole = Versions(state.revision - 1).after(Delta(added=tuple(facts(state))))
    assert whole.revision == state.revision
    return whole


class Tagged(Proposing):
    """Holds every entity's answer before a change against its answer after it."""

    tally = Tally("tags")

    def __init__(self) -> None:
        super().__init__()
        self.versions = Versions()
        self.answers: Answers = {}

    @override
    @initialize(state=crowds())
    def begin(self, state: Organization) -> None:
        """Start from a crowded organization."""
        self.state, self.versions = state, begun(state)
        self.answers = answers(Versioned(state, self.versions))

    @override
    def accepted(self, before: Organization, event: Event) -> None:
        """The versions follow by the event's delta."""
        self.versions = self.versions.after(event.delta)
        now = answers(Versioned(self.state, self.versions))
        check(self.answers, now, event.revision, self.tally)
        self.answers = now


def test_a_tag_changes_exactly_with_what_it_is_the_tag_of() -> None:
    """Over what Hypothesis draws, and shrinks."""
    run_state_machine_as_test(Tagged, settings=settings(max_examples=25, stateful_step_count=20))
    Tagged.tally.expect(made=1, kept=100, gone=3)


WALKS, STEPS = 10, 120


def test_a_tag_changes_exactly_with_what_it_is_the_tag_of_over_seeded_walks() -> None:
    """With every type of command, and every type of entity that can be changed."""
    tally = Tally("tags, walks")
    for seed in range(WALKS):
        chance = Random(seed)
        state = after(Organization(OrganizationId("acme")), *opening())
        versions = begun(state)
        before = answers(Versioned(state, versions))
        for _ in range(STEPS):
            outcome = apply(state, next_command(chance, state), actor="eve", instant=0)
            if isinstance(outcome, Accepted):
                state, versions = outcome.state, versions.after(outcome.event.delta)
                now = answers(Versioned(state, versions))
                check(before, now, state.revision, tally)
                before = now
    changed = ("principal", "role", "resource", "claim", "sod_set")
    tally.expect(made=20, kept=1_000, gone=20, **{f"{sort}_changed": 3 for sort in changed})
