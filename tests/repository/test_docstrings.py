"""A list of the tests reads as a list of what the product does."""

from collections.abc import Iterable

from tests.repository.checkout import Function, functions, functions_in, python_files


def undescribed_tests(found: Iterable[Function]) -> list[str]:
    """The test functions that do not say in a docstring which behaviour they show."""
    return [one.name for one in found if one.name.startswith("test_") and not one.described]


def test_every_test_says_which_behaviour_it_shows() -> None:
    """Each test has a docstring of one sentence or more."""
    found = [
        f"{path}: {name}"
        for path in python_files("tests")
        for name in undescribed_tests(functions_in(path))
    ]
    assert found == []


def test_undescribed_tests_finds_methods_and_coroutines() -> None:
    """A test without docstring is found wherever it is defined."""
    source = """
def test_told(): "It is told."
class TestIt:
    def test_untold(self): pass
async def test_later(): pass
def not_a_test(): pass
"""
    assert sorted(undescribed_tests(functions(source))) == ["test_later", "test_untold"]
