"""What a store in memory keeps of each organization. Whoever touches it holds the store's lock."""

from collections.abc import Collection
from dataclasses import dataclass, field

from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId, PrincipalId, SessionId
from grantproof.core.metering import Counter
from grantproof.core.organization import Organization
from grantproof.core.sessions import Session
from grantproof.service.history import Entry
from grantproof.service.receipts import RECEIPT_SECONDS, Consumption, Pledge, Receipt
from grantproof.service.versions import Versions


@dataclass(slots=True)
class Count:
    """What a counter stands at, where its window ends, and when it last changed."""

    used: int
    end: int
    changed: int


@dataclass(slots=True)
class Tenant:
    """An organization that is or was: `state` is nothing once it is deleted, and `ended` is how."""

    state: Organization | None
    founded: Entry
    ended: Entry | None = None
    versions: Versions = field(default_factory=Versions)
    events: list[Event] = field(default_factory=list)
    counts: dict[Counter, Count] = field(default_factory=dict)
    receipts: dict[tuple[str, str], Receipt] = field(default_factory=dict)
    consumptions: dict[tuple[str, str], Consumption] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)

    def consumption(self, actor: str, key: str, *, after: int) -> Consumption | None:
        """Return what is kept under the key, unless its instant is not past `after`."""
        found = self.consumptions.get((actor, key))
        return found if found is not None and found.instant > after else None

    def kept(self, pledge: Pledge, instant: int) -> Consumption | None:
        """Return what is kept under the pledge's key and not a day old."""
        after = instant - RECEIPT_SECONDS
        return self.consumption(pledge.actor, pledge.once.key, after=after)

    def keep_answer(self, pledge: Pledge, instant: int, answer: str) -> None:
        """Keep an answer under the pledge's key."""
        organization, once = OrganizationId(self.founded.organization), pledge.once
        kept = Consumption(organization, pledge.actor, once, instant, answer)
        self.consumptions[pledge.actor, once.key] = kept

    def keep(self, receipt: Receipt | None) -> None:
        """Keep the receipt and forget those that it outdates."""
        if receipt is not None:
            self.receipts[receipt.actor, receipt.once.key] = receipt
            kept = self.receipts.items()
            self.receipts = {k: one for k, one in kept if one.instant > receipt.outdated}

    def end_sessions(self, principals: Collection[PrincipalId]) -> None:
        """Let the sessions of the principals be gone."""
        kept = self.sessions.items()
        self.sessions = {name: one for name, one in kept if one.principal not in principals}
