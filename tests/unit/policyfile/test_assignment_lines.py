"""Lines of a file of assignments: plain ones are parted at commas, and nothing else differs."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grantproof.core.commands.language import AssignRole
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.policyfile import assignment_lines
from grantproof.policyfile.assignment_lines import Assign, csv_lines

HEADER = "principal,role,from"
ANYTHING = re.compile("")


def outcome(header: str, line: str) -> Assign | str:
    """What comes of a line, or why nothing does."""
    try:
        return csv_lines(header)(line)
    except ValueError as error:
        return str(error)


@given(st.text(alphabet='ab1,"\r\n\0 é', max_size=8))
@example("")
@example(",")
@example('"a",b,')
@example('a"b,c,')
@example("a,b,\r")
@example("a\0,b,")
@example("a,b,1")
def test_plain_lines_say_what_the_parser_of_csv_finds(text: str) -> None:
    """As a line and as a header, with what is quoted, empty, or breaks off in the middle."""
    plainly = outcome(HEADER, text), outcome(text, "a,b,1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment_lines, "BEYOND_COMMAS", ANYTHING)
        assert (outcome(HEADER, text), outcome(text, "a,b,1")) == plainly


def test_the_id_of_a_role_is_one_value_for_all_lines() -> None:
    """Thousands of lines name it; what is no id is refused each time."""
    read = csv_lines(HEADER)
    one, other = read("ann,clerk,"), read("bob,clerk,")
    assert one == AssignRole(PrincipalId("ann"), RoleId("clerk"))
    assert one.role is other.role
    for _ in range(2):
        with pytest.raises(ValueError, match="role_id"):
            read("ann,a b,")
