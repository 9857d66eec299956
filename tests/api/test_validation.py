"""What libraries find wrong, in our words."""

from typing import Annotated

import msgspec
import pytest

from grantproof.api.problems import Fault
from grantproof.api.validation import UNREADABLE, one_line, printable, unreadable


class Part(msgspec.Struct, forbid_unknown_fields=True):
    """A part with every kind of rule."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=3)] = "x"
    count: Annotated[int, msgspec.Meta(ge=0, le=9)] | None = 0
    flag: bool = True
    names: Annotated[list[str], msgspec.Meta(max_length=2)] = []
    inner: dict[str, "Part"] = {}


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ("[]", "body", "must be an object"),
        ('{"text":1}', "text", "must be a string"),
        ('{"text":""}', "text", "must not be empty"),
        ('{"text":"long"}', "text", "must have at most 3 characters"),
        ('{"count":"1"}', "count", "must be a whole number"),
        ('{"count":-1}', "count", "must be at least 0"),
        ('{"count":10}', "count", "must be at most 9"),
        ('{"count":1e400}', "count", "must fit in 64 bits"),
        ('{"flag":0}', "flag", "must be true or false"),
        ('{"names":{}}', "names", "must be a list"),
        ('{"names":["a","b","c"]}', "names", "must have at most 2 members"),
        ('{"names":["a",1]}', "names[1]", "must be a string"),
        ('{"inner":{"a":{"text":1}}}', "inner[...].text", "must be a string"),
        ('{"inner":{"a":{"x":1}}}', "inner[...].x", "is not a known field"),
        ('{"x":1}', "x", "is not a known field"),
    ],
)
def test_each_fault_of_a_question_is_put_in_our_words(body: str, field: str, rule: str) -> None:
    """The field by its path, the rule without the name of a type."""
    with pytest.raises(UNREADABLE) as caught:
        msgspec.json.decode(body, type=Part)
    told = unreadable(caught.value)
    assert (told.status, told.faults) == (400, (Fault(field, rule),))


def test_names_that_a_caller_made_up_are_fit_to_be_shown() -> None:
    """No breaks, no backticks, not too long."""
    assert printable("a\n`b`\x00") == "a??b??"
    assert printable("x" * 100) == "x" * 64 + "..."
    assert one_line("must not hold `\n` twice") == "must not hold `?` twice"
