"""The batches of a file, sent to a server."""

from typing import TYPE_CHECKING

from typing_extensions import override

from grantproof.cli.exits import usage
from grantproof.cli.operator import Batches, needs_database
from grantproof.cli.remote_http import ServerSays

if TYPE_CHECKING:
    from grantproof.cli.remote import RemoteOperator
    from grantproof.core.identifiers import OrganizationId
    from grantproof.service.bulk import Batch, Sent
    from grantproof.service.pap import Proposed
    from grantproof.service.receipts import Once


class RemoteBatches(Batches):
    """Sends the batches of a file to a server: each once, by its key, however often it is sent."""

    def __init__(self, operator: "RemoteOperator", organization: "OrganizationId") -> None:
        self._operator = operator
        self._organization = organization
        self._began_at = operator.revision_of(organization)

    @override
    def recall(self, once: "Once") -> "Proposed | None":
        return None

    @override
    def send(self, batch: "Batch") -> "Proposed | int":
        from grantproof.cli.remote_refusals import proposed
        from grantproof.service.receipts import Repeated

        try:
            revision = self._operator.send(self._organization, batch)
        except ServerSays as said:
            outcome = proposed(said.problem)
            if outcome is None:
                raise
            return outcome
        # What was made before is at a revision from before this began.
        return Repeated(revision) if revision <= self._began_at else revision

    @override
    def check_skipping(self) -> None:
        raise usage(
            "which lines would be refused is found out in the database itself: leave out"
            " --on-refusal skip, or run it where the database is"
        )

    @override
    def send_what_can_be(self, batch: "Batch") -> "Sent":
        raise needs_database()
