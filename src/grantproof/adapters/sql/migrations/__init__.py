"""The versions of the schema, oldest first. A version, once released, is never edited."""

from typing import Final

KNOWN: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
"""The versions that this program can bring up to date; the last is the one it works with.

Written here so that opening an up-to-date database need not import Alembic.
"""

UNSEALED: Final = ("0001",)
"""The versions from before events were sealed: whoever opens one may still choose the key."""

AUDIT_KEY: Final = "audit_key"
"""Where in Alembic's configuration a migration finds the key under which it seals events."""
