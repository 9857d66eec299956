"""Commits that lose an update, and proposals that are never decided.

Each has its twin among the models: TLC must refute that, and the same fault in the code loses an
update between two real threads.
"""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Fault, Model

STORE: Final = "grantproof.adapters.memory.store"
POINT: Final = "grantproof.service.pap"
STALE: Final = "if state is None or state.revision != event.revision - 1:"

BLIND_RETRY: Final = (
    Edit(POINT, "from dataclasses import dataclass", "from dataclasses import *"),
    Edit(
        POINT,
        "        seal = self._store.commit(event, receipt=receipt, onto=seen.seal)\n"
        "        if seal is None:\n"
        "            return None\n",
        "        while (seal := self._store.commit(event)) is None:\n"
        "            current = self._store.revision(event.organization) or 0\n"
        "            event = replace(event, revision=current + 1)\n"
        "            outcome = replace(outcome, event=event)\n",
    ),
)
STALE_REFUSAL: Final = (
    Edit(
        POINT,
        "return refused if self._store.revision(state.id) == state.revision else None",
        "return refused",
    ),
)
"""Faults of the service: whatever the store is, they are the same."""

_lost_update = partial(Fault, kind="concurrency", property_id="P-CAS")

FAULTS: Final = (
    _lost_update(
        id="no-compare-and-set",
        sentence="a commit does not compare the revision",
        gate=Model("broken/NoCompareAndSet"),
        edits=(Edit(STORE, STALE, "if state is None:"),),
    ),
    _lost_update(
        id="no-bump",
        sentence="a commit leaves the revision as it is",
        gate=Model("broken/NoBump"),
        edits=(
            Edit(STORE, "import threading", "import threading\nfrom dataclasses import replace"),
            Edit(
                STORE,
                "tenant.state = advance(state, event.delta)",
                "tenant.state = replace(advance(state, event.delta), revision=1)",
            ),
        ),
    ),
    _lost_update(
        id="compare-less-or-equal",
        sentence="a commit accepts any revision that is not newer than the stored one",
        gate=Model("broken/CompareLessOrEqual"),
        edits=(Edit(STORE, STALE, STALE.replace("!=", "<")),),
    ),
    _lost_update(
        id="blind-retry",
        sentence="after a lost race the old decision is committed again under the new revision",
        gate=Model("broken/BlindRetry"),
        edits=BLIND_RETRY,
    ),
    _lost_update(
        id="check-outside-transaction",
        sentence="the revision is compared in one transaction and written in the next",
        gate=Model("broken/CheckOutsideTransaction"),
        edits=(
            Edit(
                STORE,
                "                return None\n"
                "            tenant = self._tenants[event.organization]",
                "                return None\n        with self._lock:\n"
                "            tenant = self._tenants[event.organization]",
            ),
        ),
    ),
    _lost_update(
        id="stale-refusal",
        sentence="a refusal is not held against the current revision",
        gate=Model("broken/StaleRefusal"),
        edits=STALE_REFUSAL,
    ),
    Fault(
        id="retry-for-ever",
        kind="concurrency",
        sentence="retries are not counted and read nothing anew",
        property_id="P-LIVE",
        gate=Model("broken/RetryForEver"),
        edits=(
            Edit(
                POINT,
                "for attempt in range(COMMIT_ATTEMPTS_MAX):",
                "for attempt in iter(lambda: 1, COMMIT_ATTEMPTS_MAX):",
            ),
            Edit(
                POINT,
                "                self._snapshots.catch_up(organization)\n            trial",
                "            trial",
            ),
        ),
    ),
)
