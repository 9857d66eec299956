"""Visits: what a browser keeps of a credential that was presented once, sealed and dated.

Nothing is remembered here, so every process that shares the secret reads what another sealed.
What comes out is the credential itself: it is then checked like any other, at each request.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final, Protocol

from grantproof.service.ports import Clock

VISIT_SECONDS_MAX: Final = 8 * 3_600
"""How long a visit lasts from its sign-in, however busy it is: a working day."""
CREDENTIAL_BYTES_MAX: Final = 2_800
"""So that what is kept, sealed and written, fits into the 4,096 bytes that browsers keep."""

PURPOSE: Final = b"grantproof-visit-1"
"""Is bound into what is sealed: the same secret serves nothing else, another format fails."""
INSTANT_BYTES: Final = 8
SEALED_LENGTH_MAX: Final = 4_000
WRITTEN: Final = re.compile(r"[A-Za-z0-9_-]+")


class Sealer(Protocol):
    """Hides bytes so that only who has the secret can read them, and nobody can change them."""

    def seal(self, content: bytes, *, purpose: bytes) -> bytes:
        """Return the content, sealed; never the same twice."""
        ...

    def opened(self, sealed: bytes, *, purpose: bytes) -> bytes | None:
        """Return the content; nothing for what was not sealed so, for this purpose."""
        ...


@dataclass(frozen=True, slots=True)
class Visits:
    """Begins visits, and finds the credential of one that has not ended."""

    sealer: Sealer
    clock: Clock

    def begun(self, credential: bytes) -> str | None:
        """Return what a browser is to keep; nothing for a credential that is too long for one."""
        if len(credential) > CREDENTIAL_BYTES_MAX:
            return None
        dated = self.clock.now().to_bytes(INSTANT_BYTES) + credential
        sealed = self.sealer.seal(dated, purpose=PURPOSE)
        # Without what fills it up: a cookie would have to stand in quotes for that.
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def credential(self, kept: str) -> bytes | None:
        """Return the credential of a visit; nothing when it has ended, or never was one."""
        if len(kept) > SEALED_LENGTH_MAX or WRITTEN.fullmatch(kept) is None:
            return None
        try:
            sealed = urlsafe_b64decode(kept + "=" * (-len(kept) % 4))
        except ValueError:
            return None
        dated = self.sealer.opened(sealed, purpose=PURPOSE)
        if dated is None:
            return None
        begun = int.from_bytes(dated[:INSTANT_BYTES])
        lasts = 0 <= self.clock.now() - begun < VISIT_SECONDS_MAX
        return dated[INSTANT_BYTES:] if lasts else None
