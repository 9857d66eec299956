"""The versions of the schema, oldest first. A version, once released, is never edited."""

from typing import Final

KNOWN: Final = ("0001", "0003", "0004", "0005")
"""The versions that this program can bring up to date; the last is the one it works with.

Written here so that opening an up-to-date database need not import Alembic.
"""
