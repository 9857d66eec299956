"""Checkpoints as lines of JSON: written with a signature, believed only with one that fits."""

import json
from pathlib import Path
from typing import Final

from grantproof.cli.exits import Stop, unusable, usage
from grantproof.service.audit import AuditPoint, Signer
from grantproof.service.audit_chain import FORMAT, Checkpoint

NAME: Final = f"{FORMAT}-checkpoint"
FIELDS: Final = {"organization": str, "length": int, "head": str, "instant": int, "key_id": str}


def written(mark: Checkpoint, signer: Signer) -> str:
    """Return a checkpoint as its line."""
    document = {
        "format": NAME,
        **{name: getattr(mark, name) for name in FIELDS},
        "public_key": signer.public_key,
        "signature": signer.sign(mark.message()),
    }
    return json.dumps(document, sort_keys=True) + "\n"


def read_checkpoints(file: str, audit: AuditPoint, *, key: str | None) -> dict[str, Checkpoint]:
    """Return the checkpoints of a file, the last of each organization.

    Raises `Stop` when one of them is not signed with the key, by default our own.
    """
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise unusable(file, "read", error) from None
    except UnicodeDecodeError:
        raise usage(f"the file `{file}` is not UTF-8") from None
    found: dict[str, Checkpoint] = {}
    for number, line in enumerate(lines, start=1):
        mark, signature = _read(line, place=f"{file}:{number}")
        if not audit.signed(mark, signature, public_key=key):
            raise usage(f"{file}:{number}: the signature does not fit: this is no checkpoint")
        known = found.get(mark.organization)
        if known is None or known.length <= mark.length:
            found[mark.organization] = mark
    if not found:
        raise usage(f"the file `{file}` holds no checkpoint")
    return found


def _read(line: str, *, place: str) -> tuple[Checkpoint, str]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise _none(place) from None
    if not isinstance(told, dict) or told.get("format") != NAME:
        raise _none(place)
    if any(type(told.get(name)) is not kind for name, kind in FIELDS.items()):
        raise _none(place)
    return Checkpoint(**{name: told[name] for name in FIELDS}), str(told.get("signature"))


def _none(place: str) -> Stop:
    return usage(f"{place}: this is no checkpoint")
