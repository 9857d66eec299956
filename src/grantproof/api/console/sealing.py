"""Whether the chain that seals the events of an organization is whole, as far as a page may look.

Looking reads every event there is. So a short chain is verified for each page, a longer one when
somebody asks for it, and a long one by the command line only.
"""

from dataclasses import dataclass
from typing import Final, Literal

from grantproof.api.console.visits import Visit
from grantproof.service.audit_chain import Fault

AT_ONCE_MAX: Final = 500
"""A chain of so many events is verified whenever it is shown."""
ASKED_MAX: Final = 20_000
"""A chain of so many events is verified for whoever asks."""
FAULTS_SHOWN: Final = 20

Condition = Literal["unsealed", "long", "unasked", "whole", "faulty"]


@dataclass(frozen=True, slots=True)
class Chain:
    """What is known of a chain of `length` events.

    It is `unsealed` where the store seals nothing, `long` where a page does not verify it,
    `unasked` where it would, and else `whole` or `faulty`; then `head` is its last seal, `adopted`
    the revision up to which events were sealed later than they were made, and `erased` how many no
    longer tell who made them.
    """

    condition: Condition
    length: int
    head: str = ""
    faults: tuple[Fault, ...] = ()
    adopted: int | None = None
    erased: int = 0

    def of(self, revision: int) -> str | None:
        """Return what is wrong with an event; empty where nothing is, nothing if not known."""
        if self.condition not in {"whole", "faulty"}:
            return None
        told = (fault.what for fault in self.faults if fault.revision == revision)
        return next(told, "")


def chain_of(visit: Visit, *, asked: bool) -> Chain:
    """Return what is known of the chain; verify it if it is short, or if that is asked for.

    Raises `StoreError`.
    """
    audit, length = visit.here.services.audit, visit.state.revision + 1
    if audit is None:
        return Chain("unsealed", length)
    if length > ASKED_MAX:
        return Chain("long", length)
    if length > AT_ONCE_MAX and not asked:
        return Chain("unasked", length)
    found = audit.verify(visit.state.id)
    return Chain(
        "faulty" if found.faults else "whole",
        found.length,
        found.head,
        found.faults[:FAULTS_SHOWN],
        found.adopted,
        found.erased,
    )
