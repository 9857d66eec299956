"""The key that a command presents to a server: from the environment or a file, never typed.

What stands on a command line can be seen by every user of the machine, and stays in its history.
"""

import os
from pathlib import Path
from typing import Final

from grantproof.cli.exits import unusable, usage

KEY: Final = "GRANTPROOF_KEY"
KEY_FILE: Final = "GRANTPROOF_KEY_FILE"
KEY_LENGTH_MAX: Final = 8 * 1024


def presented_key(key_file: str | None) -> str | None:
    """Return the key of the file that is named, or of the environment; nothing where there is none.

    Raises `Stop`; no message shows any of it.
    """
    text, named = os.environ.get(KEY), os.environ.get(KEY_FILE)
    if key_file is None and text and named:
        raise usage(f"{KEY} and {KEY_FILE} are both set: unset one, or name a file with --key-file")
    file = key_file if key_file is not None else named
    if file and (key_file is not None or not text):
        return _checked(_read(file), f"the file `{file}`")
    return _checked(text, KEY) if text else None


def _read(file: str) -> str:
    try:
        with Path(file).open("rb") as stream:
            return stream.read(KEY_LENGTH_MAX + 2).decode("ascii")
    except OSError as error:
        raise unusable(file, "read", error) from None
    except UnicodeDecodeError:
        raise usage(f"the file `{file}` holds no key: a key is one line of ASCII") from None


def _checked(text: str, where: str) -> str:
    key = text.strip()
    one_word = key.isascii() and key.isprintable() and " " not in key
    if not (0 < len(key) <= KEY_LENGTH_MAX and one_word):
        raise usage(f"{where} holds no key: a key is one line of ASCII")
    return key
