"""Silencing a checker is allowed with the rule's name and a reason, never without."""

import io
import re
import tokenize
from collections.abc import Iterator

from tests.repository.checkout import python_files, read

SUPPRESSION = re.compile(
    r"\b(?P<tool>noqa|type:\s*ignore|pyright:\s*ignore|mypy:\s*ignore-errors|ruff:\s*noqa)"
    r"(?P<rules>:\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*|\[[\w,\s-]+\])?"
)
REASON_WORDS_MIN = 2


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Each comment of the source with its line number; text in strings is no comment.

    Of a source without any word that silences a checker none is looked for.
    """
    if SUPPRESSION.search(source) is None:
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def unexplained(source: str) -> list[int]:
    """The lines whose suppression lacks its rule or its reason."""
    return [
        number
        for number, comment in comments(source)
        if (found := list(SUPPRESSION.finditer(comment)))
        and (
            any(not match["rules"] for match in found)
            or len(re.findall(r"\w+", SUPPRESSION.sub("", comment))) < REASON_WORDS_MIN
        )
    ]


def test_every_suppression_names_its_rule_and_its_reason() -> None:
    """Whoever silences a checker says which rule and why, on the same line."""
    found = [f"{path}:{line}" for path in python_files() for line in unexplained(read(path))]
    assert found == []


def test_unexplained_finds_bare_suppressions_only() -> None:
    """Each form without rule or reason is found; complete ones and mere text are not."""
    bad = ["x  # noqa", "x  # noqa: E501", "x  # type: ignore", "x  # type: ignore[misc]"]
    good = [
        "x  # noqa: S608, E501  # the name is a constant",
        "x  # type: ignore[arg-type]  # noqa: E501  # the stub is wrong here",
        'x = "# noqa"',
    ]
    assert unexplained("\n".join([*bad, *good])) == [1, 2, 3, 4]
