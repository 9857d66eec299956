"""Functions, modules and lines stay small enough to be read at one sitting."""

from pathlib import Path

from tests.repository.checkout import code_files, functions, functions_in, python_files, read

FUNCTION_LINES_AIM = 25
FUNCTION_LINES_MAX = 70
SHARE_WITHIN_AIM_MIN = 0.9
PROVED_MODULE_LINES_MAX = 400
MODULE_LINES_MAX = 500
COLUMNS_MAX = 100
PROVED = ("src/grantproof/core", "src/grantproof/analysis", "specs")


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
        f"{path}: `{function.name}` has {function.lines} lines"
        for path in python_files()
        for function in functions_in(path)
        if function.lines > FUNCTION_LINES_MAX
    ]
    assert too_long == []


def test_functions_of_the_product_aim_at_25_lines() -> None:
    """At least nine of ten functions of the product keep to the length we aim at."""
    lengths = [one.lines for path in python_files("src") for one in functions_in(path)]
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


def test_functions_count_from_def_to_the_last_line() -> None:
    """Decorators do not count, docstrings, nested and asynchronous functions do."""
    source = '@cache\ndef outer():\n    """Doc."""\n    async def inner():\n        pass\n'
    assert {one.name: one.lines for one in functions(source)} == {"outer": 4, "inner": 2}


def test_functions_are_found_in_every_kind_of_block() -> None:
    """In both arms of a choice, in loops, handlers, cases, classes and at the end of a `try`."""
    blocks = (
        "if x:\n    {}\nelse:\n    {}",
        "for x in y:\n    {}\nelse:\n    {}",
        "while x:\n    {}",
        "with x:\n    {}",
        "try:\n    {}\nexcept Error:\n    {}\nelse:\n    {}\nfinally:\n    {}",
        "try:\n    {}\nexcept* Error:\n    {}",
        "match x:\n    case 1:\n        {}",
        "class Some:\n    {}",
    )
    source = "\n".join(blocks)
    holes = source.count("{}")
    filled = source.format(*(f"def f{number}(): pass" for number in range(holes)))
    assert {one.name for one in functions(filled)} == {f"f{number}" for number in range(holes)}


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
