"""Functions, modules and lines stay small enough to be read at one sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.repository.checkout import code_files, python_files, read

FUNCTION_LINES_AIM = 25
FUNCTION_LINES_MAX = 70
SHARE_WITHIN_AIM_MIN = 0.9
PROVED_MODULE_LINES_MAX = 400
MODULE_LINES_MAX = 500
COLUMNS_MAX = 100
PROVED = ("src/grantproof/core", "src/grantproof/analysis", "specs")


def function_lengths(source: str) -> Iterator[tuple[str, int]]:
    """Each function's name and its length in lines, from `def` to its last line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def module_lines_max(path: Path) -> int:
    """What is proved is read most closely, so it has to be shorter."""
    proved = any(path.is_relative_to(folder) for folder in PROVED)
    return PROVED_MODULE_LINES_MAX if proved else MODULE_LINES_MAX


def wide_lines(source: str) -> list[int]:
    """The numbers of the lines that are wider than the limit."""
    lines = enumerate(source.splitlines(), start=1)
    return [number for number, line in lines if len(line) > COLUMNS_MAX]


def test_functions_stop_at_the_limit() -> None:
    """No function anywhere is longer than 70 lines."""
    too_long = [
        f"{path}: `{name}` has {length} lines"
        for path in python_files()
        for name, length in function_lengths(read(path))
        if length > FUNCTION_LINES_MAX
    ]
    assert too_long == []


def test_functions_of_the_product_aim_at_25_lines() -> None:
    """At least nine of ten functions of the product keep to the length we aim at."""
    lengths = [length for path in python_files("src") for _, length in function_lengths(read(path))]
    within_aim = sum(length <= FUNCTION_LINES_AIM for length in lengths)
    assert within_aim >= SHARE_WITHIN_AIM_MIN * len(lengths)


def test_modules_stop_at_the_limit() -> None:
    """No module is longer than 500 lines, none that is proved or proves longer than 400."""
    too_long = [
        f"{path}: {length} lines"
        for path in python_files()
        if (length := len(read(path).splitlines())) > module_lines_max(path)
    ]
    assert too_long == []


def test_lines_stop_at_100_columns() -> None:
    """No line of code, configuration or script is wider than 100 columns."""
    wide = [f"{path}:{number}" for path in code_files() for number in wide_lines(read(path))]
    assert wide == []


def test_function_lengths_counts_from_def_to_the_last_line() -> None:
    """Decorators do not count, docstrings, nested and asynchronous functions do."""
    source = '@cache\ndef outer():\n    """Doc."""\n    async def inner():\n        pass\n'
    assert dict(function_lengths(source)) == {"outer": 4, "inner": 2}


def test_module_limit_is_tighter_where_proofs_are() -> None:
    """Core, analysis and specs have the tighter limit, look-alike names do not."""
    limits = {
        name: module_lines_max(Path(name))
        for name in (
            "src/grantproof/core/policy.py",
            "src/grantproof/analysis/encode.py",
            "specs/sound.py",
            "src/grantproof/cores.py",
        )
    }
    assert list(limits.values()) == [400, 400, 400, 500]


def test_wide_lines_finds_the_101st_column() -> None:
    """A line of exactly 100 columns passes, one of 101 is found by its number."""
    assert wide_lines(f"{'a' * 100}\n{'b' * 101}\n") == [2]
