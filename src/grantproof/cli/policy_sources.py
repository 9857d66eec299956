"""Where policy is read from: files and folders, and the standard input as `-`.

A file whose name ends in `_test` before its suffix holds tests; every other one is a part of the
policy.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grantproof.cli.exits import ExitCode, Stop, usage

if TYPE_CHECKING:
    from grantproof.policyfile.organization_document import OrganizationDocument

STANDARD_INPUT: Final = "-"
SUFFIXES: Final = (".yaml", ".yml", ".json")
"""What files of a folder end in to be read; a file that is named is read whatever its name."""
TEST: Final = "_test"


def read_policy(texts: Mapping[str, str]) -> "OrganizationDocument":
    """Return the organization that the texts, each under the name of its file, describe.

    Raises `Stop` with every problem, a line each.
    """
    from grantproof.policyfile.organization_document import OrganizationDocument
    from grantproof.policyfile.policy_text import read_organization
    from grantproof.service.pip import check_time_zone

    if len(texts) != 1:
        raise usage("the policy must be one file: " + (", ".join(texts) or "there is none"))
    ((file, text),) = texts.items()
    read = read_organization(text)
    if not isinstance(read, OrganizationDocument):
        raise Stop(ExitCode.USAGE, *(problem.in_file(file) for problem in read))
    check_time_zone(read.time_zone)
    return read


def policy_texts(paths: Sequence[str]) -> dict[str, str]:
    """Return the texts of the policy at the paths, by file; raises `Stop`."""
    return {file: text_of(file) for file in _files(paths) if not _is_test(file)}


def texts_of_tests(paths: Sequence[str]) -> dict[str, str]:
    """Return the texts of the tests at the paths, by file; raises `Stop`."""
    return {file: text_of(file) for file in _files(paths) if _is_test(file)}


def text_of(file: str) -> str:
    """Return what a file or the standard input holds; raises `Stop` where that is no text."""
    try:
        content = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        why = (error.strerror or "it cannot be read").lower()
        raise usage(f"the file `{file}` cannot be read: {why}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise usage(f"{file}:{line}:1: not UTF-8") from None


def _files(paths: Sequence[str]) -> Iterator[str]:
    """Yield the files at the paths, each once: those of a folder in the order of their names."""
    yield from dict.fromkeys(file for path in paths for file in _at(path))


def _at(path: str) -> Iterator[str]:
    if path == STANDARD_INPUT or not Path(path).is_dir():
        yield path
        return
    for found in sorted(Path(path).rglob("*")):
        hidden = any(part.startswith(".") for part in found.relative_to(path).parts)
        if found.suffix in SUFFIXES and found.is_file() and not hidden:
            yield str(found)


def _is_test(file: str) -> bool:
    return Path(file).stem.endswith(TEST)
