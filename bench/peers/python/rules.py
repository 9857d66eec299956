"""vakt: one policy a target, its subjects a rule over the roles that are granted it.

Its storage in memory hands out all policies, which are then matched one by one.
"""

import logging
from collections.abc import Callable
from typing import Any

from vakt import ALLOW_ACCESS, Guard, Inquiry, MemoryStorage, Policy, RulesChecker
from vakt.rules import AnyIn, Eq

from bench.peers.python.line import Ready, Tables, granting_roles, serve


def load(tables: Tables, make_storage: Callable[[], Any] = MemoryStorage) -> Ready:
    """Make the policies, and the inquiries."""
    logging.disable(logging.CRITICAL)
    storage = make_storage()
    for number, ((action, resource), roles) in enumerate(granting_roles(tables).items()):
        storage.add(
            Policy(
                number,
                actions=[Eq(action)],
                resources=[Eq(resource)],
                subjects=[{"roles": AnyIn(*roles)}],
                effect=ALLOW_ACCESS,
            )
        )
    rows = [
        (
            Inquiry(
                action=action,
                resource=resource,
                subject={"roles": tables["principals"][principal]},
            ),
        )
        for principal, action, resource, *_ in tables["questions"]
    ]
    return Ready(Guard(storage, RulesChecker()).is_allowed, rows)


if __name__ == "__main__":
    serve(load, "vakt")
