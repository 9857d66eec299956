"""An organization with sessions, in which the functions of the standard on them are tested."""

from dataclasses import dataclass

from grantproof.adapters.memory import MemoryStore
from grantproof.bootstrap import Services
from grantproof.core.commands.language import (
    AddParent,
    AssignRole,
    Command,
    CreatePrincipal,
    CreateRole,
    CreateSodSet,
)
from grantproof.core.identifiers import PrincipalId, RoleId, SessionId
from grantproof.core.sessions import Session
from grantproof.service.authors import Author
from grantproof.service.sessions import Outcome, Unwilling, Wanted, Written
from tests.api.service import services_over
from tests.contracts.histories import created
from tests.organizations import ACME, ANN, BOB, CHIEF, CLERK, HEAD, dynamic, pair

PORTAL = Author("portal")


@dataclass
class Office:
    """An organization with sessions: ann is a head and a chief, who clash; bob has nothing."""

    services: Services
    store: MemoryStore

    def open(self, who: PrincipalId, *chosen: RoleId) -> Outcome:
        """What becomes of a session that is wanted [CreateSession]."""
        return self.services.sessions.open(ACME, Wanted(who, frozenset(chosen)), by=PORTAL)

    def opened(self, *chosen: RoleId) -> Session:
        """A session of ann."""
        found = self.open(ANN, *chosen)
        assert isinstance(found, Written), found
        return found.session

    def sessions(self) -> dict[SessionId, Session]:
        """All that there are."""
        return {one.id: one for one in self.services.sessions.page(ACME, limit=99)}

    def refused(self, outcome: Outcome, kind: type) -> None:
        """The outcome is a refusal of that kind, and there is what there was before."""
        assert isinstance(outcome, Unwilling), outcome
        assert isinstance(outcome.refusal, kind), outcome


def furnished() -> Office:
    """A new one, in a store of its own."""
    store = MemoryStore()
    commands: list[Command] = [
        CreatePrincipal(ANN),
        CreatePrincipal(BOB),
        *map(CreateRole, (CLERK, HEAD, CHIEF)),
        AddParent(HEAD, CLERK),
        AssignRole(ANN, HEAD),
        AssignRole(ANN, CHIEF),
        CreateSodSet(dynamic(pair(2, HEAD, CHIEF))),
    ]
    created(store, ACME, commands)
    return Office(services_over(store), store)
