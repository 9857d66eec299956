"""vakt over a storage of ours, which hands out only the policies of the resource asked about."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from vakt import MemoryStorage

from bench.peers.python.line import serve
from bench.peers.python.rules import load


class ByResource(MemoryStorage):  # type: ignore[misc] # vakt has no types
    """Finds the policies of a resource without looking at all others."""

    def __init__(self) -> None:
        super().__init__()
        self.of_resource: dict[str, list[Any]] = {}

    def add(self, policy: Any) -> None:
        """Keep the policy under its only resource."""
        self.of_resource.setdefault(policy.resources[0].val, []).append(policy)

    def find_for_inquiry(self, inquiry: Any, checker: object = None) -> Iterable[Any]:
        """Return the policies of the resource."""
        del checker
        return self.of_resource.get(inquiry.resource, ())


if __name__ == "__main__":
    serve(partial(load, make_storage=ByResource), "vakt")
