"""What the translator does not know it refuses: with `Unsupported`, and no other error."""

import inspect
from typing import Final

import pytest

from grantproof.core import hierarchy
from specs.kernel.sorts import Unsupported
from specs.kernel.source import Source
from specs.theorems import statements
from tests.unit.specs import samples_of_collections
from tests.unit.specs.concrete import translated

MODULE: Final = samples_of_collections.__name__
PLACE: Final = "    raise NotImplementedError\n"

EXPRESSIONS: Final = (
    # Operators and literals outside the subset.
    "number * 2 < 1",
    "number // 2 < 1",
    "number / 2 < 1",
    "number % 2 < 1",
    "number ** 2 < 1",
    "number << 1 < 1",
    "number | 1 < 1",
    "number ^ 1 < 1",
    "~number < 1",
    "+number < 1",
    "1.5 < number",
    "1j == number",
    "b'x' == word",
    "... is None",
    "f'{number}' == 'x'",
    "f'{word!r}' == word",
    "f'{word:>3}' == word",
    "word + word == word",
    "word % number == word",
    "path + path == path",
    "members ^ members == members",
    "[*members] * 2 == []",
    "{'a': 1} == mapping",
    "{word: 1 for word in members} == mapping",
    "(lambda: True)()",
    # Identity of what may be there twice.
    "circle is shape",
    "number is 1",
    "maybe is number or maybe is None",
    "members is not members",
    "(number := 3) > 2",
    "{*members} == members",
    # Truth of what is no truth, and comparisons of what does not compare.
    "not number",
    "not word",
    "not members",
    "number and True",
    "maybe or number",
    "1 if number else 2",
    "word < word",
    "members < members",
    "members > members",
    "members >= members",
    "path < path",
    "circle < circle",
    "circle == number",
    "number == word",
    "number == True",
    "True < number",
    "number in members",
    "circle in members",
    "word in word",
    "word in number",
    "value in path",
    "value in (1, 2)",
    "number in mapping",
    "mapping.get(number) is None",
    "mapping[number] == 1",
    # Names, fields and positions that there are not.
    "nowhere < number",
    "nowhere(number)",
    "circle.nothing == 1",
    "shape.nothing == 1",
    "Doubled(number).twice == 2",
    "number.real == number",
    "word.upper() == word",
    "members.isdisjoint(members)",
    "circle.nothing()",
    "circle.radius()",
    "(1, 2)[number] == 1",
    "(1, 2)[2] == 1",
    "path[number] == word",
    "word[0] == word",
    "members[0] == word",
    "number[0] == word",
    # Calls.
    "open('x') is None",
    "divmod(number, 2)[0] == 1",
    "abs(number) == 1",
    "max(members) == word",
    "sum((1, 2)) == 3",
    "min(number, 2) == 1",
    "min(members, members) == word",
    "int(word) == number",
    "bool(number)",
    "hash(word) == number",
    "print(word) is None",
    "list(members) == []",
    "reversed(path) == path",
    "enumerate(path) == path",
    "zip(path, path) == path",
    "range(number) == path",
    "getattr(circle, 'radius') == 1",
    "Circle(1, nothing=2) == circle",
    "Circle() == circle",
    "Circle(*path) == circle",
    "Circle(1, 2, 3) == circle",
    "in_few(*path)",
    "in_few(**mapping)",
    "in_few()",
    "in_few(word, word)",
    "in_few(nothing=word)",
    "circle.within(1, 2)",
    "circle.within()",
    "mapping.get()",
    "mapping.pop(word) == 1",
    "mapping.update() == mapping",
    "mapping.copy() == mapping",
    "all(number)",
    "all(word for word in number)",
    "any(members)",
    "all(map(word, members))",
    "all(map(len, path))",
    "all([min(members) == other for other in members])",
    "all(word in FEW async for word in members)",
    "type(word) is str",
    "type(circle) is Circle",
    "type(value) is float",
    "type(value) is not tuple",
    "isinstance(value, float)",
    "isinstance(number, int)",
    "isinstance(word, str)",
    "len(number) == 1",
    "len(members) == word",
    "next(number) == 1",
    "[a == b for a, b in members] == []",
    "[first == 1 for first, *more in ((1, 2),)] == []",
)
STATEMENTS: Final = (
    "number += 1\n    return True",
    "circle.radius = 1\n    return True",
    "mapping[word] = 1\n    return True",
    "first, *more = path\n    return True",
    "one = two = number\n    return one == two",
    "first, second = path\n    return True",
    "del number\n    return True",
    "global LIMIT\n    return True",
    "assert number\n    return True",
    "import os\n    return True",
    "def inner() -> bool:\n        return True\n    return inner()",
    "class Inner: ...\n    return True",
    "try:\n        return True\n    finally:\n        pass",
    "with circle:\n        return True",
    "while number < 3:\n        pass\n    return True",
    "while members:\n        break\n    return True",
    "for one in members:\n        number = number + 1\n    return True",
    "for one in members:\n        break\n    return True",
    "for one in members:\n        continue\n    return True",
    "for one in members:\n        return True\n    else:\n        return False",
    "for one in members:\n        if one in FEW:\n            raise ValueError\n    return True",
    "for one in members:\n        if one == word:\n            return 1\n        return 2",
    "for one in number:\n        return True\n    return False",
    "work = members\n    for one in members:\n        work = work | {min(path)}\n    return True",
    # A set that is changed in place and may have another name: that would change too.
    "members.add(word)\n    return True",
    "found = members\n    found.add(word)\n    return True",
    "found = set(members)\n    work = found\n    work.add(word)\n    return word in found",
    "found = set(members)\n    work = found\n    found.add(word)\n    return word in work",
    "word.upper()\n    return True",
    "members.discard(word)\n    return True",
    "yield\n    return True",
    "if number:\n        return True\n    return False",
    "match number:\n        case one:\n            return one > 1",
    "match number:\n        case 1 as one:\n            return True\n    return False",
    "match path:\n        case ('a', 'b'):\n            return True\n    return False",
    "match path:\n        case [first, *_]:\n            return True\n    return False",
    "match mapping:\n        case {'a': 1}:\n            return True\n    return False",
    "match circle:\n        case Circle(radius=1):\n            return True\n    return False",
    "match circle:\n        case Circle(1):\n            return True\n    return False",
    "match number:\n        case int():\n            return True\n    return False",
    "match value:\n        case True:\n            return True\n    return False",
)


def with_body(body: str) -> Source:
    """The source in which the sample function has this body."""
    # Of the module this function and the one that it may call: every text is parsed anew.
    read = (samples_of_collections.in_few, samples_of_collections.anything)
    text = "\n\n".join(inspect.getsource(one) for one in read)
    assert text.count(PLACE) == 1
    return Source({MODULE: text.replace(PLACE, f"    {body}\n")})


def test_what_is_within_the_subset_is_read() -> None:
    """The same function with a body inside the subset is translated: the refusals are earned."""
    everything = "number < 1 and word in members and path[0] in mapping and circle == shape"
    source = with_body(f"return {everything} and maybe is None and type(value) is int")
    assert translated(samples_of_collections.anything, source).facts.owed


@pytest.mark.parametrize(
    "body",
    [
        "found = (one for one in members)\n    return word in found and word in found",
        "found = map(in_few, path)\n    return all(found) and not all(found)",
        "found = iter(members)\n    again = found\n    return word in again or word in found",
        "found = iter(path) if number < 1 else path\n    return word in found and word in found",
        "found = iter(path)\n    return all(one in found for one in members)",
        "found = iter(path)\n    for _ in members:\n        return word in found\n    return False",
    ],
)
def test_what_may_be_empty_when_it_is_drawn_from_again_is_unsupported(body: str) -> None:
    """In Python the second look finds nothing, which a collection of the proofs never does."""
    with pytest.raises(Unsupported, match="may be empty when it is drawn from again"):
        translated(samples_of_collections.anything, with_body(body))


@pytest.mark.parametrize(
    "body",
    [
        "found = (one for one in members if one in FEW)\n    return word in found",
        "found = iter(members)\n    return any(one == word for one in found)",
        "found = [one for one in members]\n    return word in found and word in found",
    ],
)
def test_what_is_drawn_from_once_is_read(body: str) -> None:
    """And a list as often as one likes: the refusals of a second look are earned."""
    read = translated(samples_of_collections.anything, with_body(body))
    assert read.facts.owed == []


def test_a_parameter_that_may_be_a_generator_is_drawn_from_once() -> None:
    """A worklist that begins from the parameter again would be empty, and is not proved to work."""
    text = Source().text(hierarchy.__name__)
    assert text.count("work = set(seen)") == 1
    again = Source({hierarchy.__name__: text.replace("work = set(seen)", "work = set(start)")})
    with pytest.raises(Unsupported, match="`start` may be empty when it is drawn from again"):
        statements()[f"{hierarchy.__name__}.closure"].about(again)


@pytest.mark.parametrize("body", [*(f"return {one}" for one in EXPRESSIONS), *STATEMENTS])
def test_whatever_else_is_unsupported(body: str) -> None:
    """A construct outside the subset is refused, never guessed, and never by another error."""
    with pytest.raises(Unsupported):
        translated(samples_of_collections.anything, with_body(body))
