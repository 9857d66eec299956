"""The batches of a file, sent to the organization in the database."""

from typing import TYPE_CHECKING

from typing_extensions import override

from grantproof.cli.operator import Batches

if TYPE_CHECKING:
    from grantproof.cli.local import LocalOperator
    from grantproof.service.bulk import Batch, Sent
    from grantproof.service.pap import Proposed
    from grantproof.service.receipts import Once


class LocalBatches(Batches):
    """Sends batches to the organization in the database; a batch is known by its receipt."""

    def __init__(self, operator: "LocalOperator") -> None:
        from grantproof.service.bulk import BulkPoint

        self._operator = operator
        self._point: BulkPoint = BulkPoint(
            operator.services.administration,
            operator.services.snapshots,
            organization=operator.organization,
            by=operator.author,
        )

    @override
    def recall(self, once: "Once") -> "Proposed | None":
        administration, by = self._operator.services.administration, self._operator.author
        return administration.recall(self._operator.organization, once, by=by)

    @override
    def send(self, batch: "Batch") -> "Proposed | int":
        return self._point.send(batch)

    @override
    def check_skipping(self) -> None:
        return

    @override
    def send_what_can_be(self, batch: "Batch") -> "Sent":
        return self._point.send_what_can_be(batch)
