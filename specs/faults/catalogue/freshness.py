"""Answers that are too old, or older than was demanded: each has its twin among the models."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Fault, Model

DECISIONS: Final = "grantproof.api.decisions"
FOLLOWING: Final = "grantproof.api.following"
FRESHNESS: Final = "grantproof.api.freshness"

_too_old = partial(Fault, kind="freshness", property_id="P-FRESH")

FAULTS: Final = (
    _too_old(
        id="older-than-asked",
        sentence="a question is answered from a state older than it demands",
        gate=Model("broken/OlderThanAsked"),
        edits=(
            Edit(
                DECISIONS,
                "if index is not None and index.state.revision < at_least:",
                "if index is not None and index.state.revision < 0:",
            ),
            Edit(FOLLOWING, "index.state.revision >= revision or over", "True or over"),
        ),
    ),
    _too_old(
        id="stale-when-cut-off",
        sentence="what was last known is answered from, however long ago that was",
        gate=Model("broken/StaleWhenCutOff"),
        edits=(
            Edit(
                FRESHNESS,
                "return self.now() <= self._until.get(organization, NEVER)",
                "return self._until.get(organization, NEVER) > NEVER",
            ),
        ),
    ),
    _too_old(
        id="age-from-end",
        sentence="what is known is told to be as old as the end of the look that confirmed it",
        gate=Model("broken/AgeFromEnd"),
        edits=(
            Edit(
                FOLLOWING,
                "self.freshness.confirm(current, began=began)",
                "self.freshness.confirm(current, began=self.freshness.now())",
            ),
        ),
    ),
    _too_old(
        id="snapshot-swapped",
        sentence="events are applied to a snapshot that has moved past them",
        gate=Model("broken/SnapshotSwapped"),
        edits=(
            Edit(
                "grantproof.service.snapshots",
                "if place == _Place(index, event.revision - 1, before):",
                "if place is not None:",
            ),
        ),
    ),
    _too_old(
        id="refuse-at-once",
        sentence="a revision that is not known here is refused without looking",
        gate=Model("broken/RefuseAtOnce"),
        edits=(
            Edit(
                DECISIONS,
                "        index = await self._following.reach(index.state.id, at_least)\n",
                "",
            ),
        ),
    ),
    _too_old(
        id="never-confirmed-again",
        sentence="what has become too old is refused, though the store could be looked at",
        gate=Model("broken/RefuseAtOnce"),
        edits=(
            Edit(
                FOLLOWING,
                "            if self._fails(organization) or self._loop.time() >= until:\n",
                "            if until:\n",
            ),
        ),
    ),
)
