"""Histories that can be changed without anybody noticing: a seal, a mark or a check that fails."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault

CHAIN: Final = "grantproof.service.audit_chain"

_unnoticed = partial(Fault, kind="audit", property_id="P-AUDIT", gate=Executable())

FAULTS: Final = (
    _unnoticed(
        id="row-not-compared",
        sentence="an event is taken at its word: its seal is not compared",
        edits=(
            Edit(
                CHAIN,
                "    if not _same(_seal(key, before, entry.content), entry.mac):\n",
                "    if not entry.mac:\n",
            ),
        ),
    ),
    _unnoticed(
        id="unchained-seal",
        sentence="a seal does not cover the seal before it",
        edits=(Edit(CHAIN, "        FORMAT,\n        before,\n", "        FORMAT,\n"),),
    ),
    _unnoticed(
        id="command-not-sealed",
        sentence="a seal does not cover the command",
        edits=(Edit(CHAIN, "        content.command,\n        content.delta,\n", ""),),
    ),
    _unnoticed(
        id="reason-not-committed",
        sentence="the commitment does not cover the reason",
        edits=(
            Edit(
                CHAIN,
                "return _mac(salt.encode(), actor, reason)",
                "return _mac(salt.encode(), actor)",
            ),
        ),
    ),
    _unnoticed(
        id="erasure-without-key",
        sentence="the mark of an erasure is made without the key",
        edits=(Edit(CHAIN, "return _mac(self._erasing, *fields)", 'return _mac(b"", *fields)'),),
    ),
    _unnoticed(
        id="erasure-undated",
        sentence="the mark of an erasure does not cover its instant",
        edits=(
            Edit(
                CHAIN,
                "content.revision, content.commitment, instant)\n",
                "content.revision, content.commitment)\n",
            ),
        ),
    ),
    _unnoticed(
        id="stops-early",
        sentence="verification stops after the first event and takes the rest at their word",
        edits=(
            Edit(
                CHAIN,
                "        found = _fault(key, before, entry)\n",
                "        found = None if expected else _fault(key, before, entry)\n",
            ),
        ),
    ),
    _unnoticed(
        id="gap-not-missed",
        sentence="an event that is missing is not missed where it was",
        edits=(
            Edit(
                CHAIN,
                "        if revision != expected:\n",
                "        if revision < expected:\n",
            ),
        ),
    ),
)
