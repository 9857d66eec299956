"""Who comes too often is told when to come again: addresses that guess, credentials that ask.

An address pays for what it presents that is not known here, because finding that out costs a look
at the store or a check of a signature. What is known never pays for that, so whoever guesses behind
the same proxy cannot lock others out.
"""

import math
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address, IPv6Network, ip_address

from grantproof.api.problems import Problem, Refused
from grantproof.core.limits import ADDRESSES_PACED_MAX, CREDENTIALS_PACED_MAX
from grantproof.service.pace import NANOSECONDS, Buckets, Pace
from grantproof.settings import Settings

IPV6_PREFIX = 64
"""What one subscriber is given of the addresses of version 6: all of it counts as one."""

Client = tuple[str, int] | None
"""As a server tells it of a connection: the address and the port."""


class Pacing:
    """What is counted of addresses and credentials; `seconds` is a clock that only moves forward.

    Methods raise `Refused` when it is too early.
    """

    def __init__(self, settings: Settings, *, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._attempts: Buckets | None = None
        self._requests: Buckets | None = None
        if settings.attempts_per_minute > 0:
            pace = Pace.of(settings.attempts_per_minute, seconds=60, burst=settings.attempts_burst)
            self._attempts = Buckets(pace, names_max=ADDRESSES_PACED_MAX)
        if settings.rate_limit > 0:
            pace = Pace.of(settings.rate_limit, seconds=1, burst=settings.rate_limit)
            self._requests = Buckets(pace, names_max=CREDENTIALS_PACED_MAX)

    def attempt(self, client: Client) -> None:
        """Count what an address presents that is not known here."""
        if self._attempts is not None:
            wait = self._attempts.take(name_of(client), now_ns=self._now_ns())
            if wait > 0:
                detail = "too many credentials from this address are not known: wait"
                raise Refused(_early("too_many_attempts", detail, wait))

    def succeeded(self, client: Client) -> None:
        """Take back what was counted: the credential was a good one."""
        if self._attempts is not None:
            self._attempts.give_back(name_of(client))

    def request(self, credential: Hashable) -> None:
        """Count a request that a credential makes."""
        if self._requests is not None:
            wait = self._requests.take(credential, now_ns=self._now_ns())
            if wait > 0:
                detail = "too many requests with this credential: wait"
                raise Refused(_early("rate_limited", detail, wait))

    def _now_ns(self) -> int:
        return int(self._seconds() * NANOSECONDS)


def name_of(client: Client) -> str:
    """Return what is counted of an address: of version 6 the network, otherwise all of it."""
    if client is None:
        return "unknown"
    try:
        address = ip_address(client[0].partition("%")[0])
    except ValueError:
        return client[0]
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        if mapped is not None:
            return str(mapped)
        return str(IPv6Network((address, IPV6_PREFIX), strict=False))
    return str(address)


def _early(code: str, detail: str, wait_ns: int) -> Problem:
    seconds = max(1, math.ceil(wait_ns / NANOSECONDS))
    return Problem(code, detail, headers=(("Retry-After", str(seconds)),))
