"""What is wrong with a request, in our words: the field at fault and the rule that it breaks.

Bodies are read by two libraries, decisions by msgspec and administration by pydantic; a caller
is told the same in the same words by both, and never the name of a Python type.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from grantproof.api.problems import FAULTS_LISTED_MAX, Fault, Problem, Refused, invalid
from grantproof.policyfile import faults as policyfile
from grantproof.policyfile.faults import Location

NAME_LENGTH_MAX: Final = 64
RULE_LENGTH_MAX: Final = 400
WHOLE: Final = "body"
"""What a fault names when all of the body is at fault."""

WORDS: Final = {
    "array": "a list",
    "bool": "true or false",
    "int": "a whole number",
    "object": "an object",
    "str": "a string",
}
EXPECTED: Final = re.compile(
    r"Expected `(?P<types>[^`]*)`(?: of length (?P<size>.*)| (?P<bound>[<>].*)|.*)"
)
WHERE: Final = re.compile(r"(?P<what>.*) - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`", re.DOTALL)
MEMBER: Final = re.compile(
    r"Object (?P<fault>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL
)
MEMBER_RULES: Final = {
    "missing required": "is required",
    "contains unknown": "is not a known field",
}
PARAMETER_RULES: Final = {
    "bool_parsing": "must be true or false",
    "greater_than_equal": "must be at least {ge}",
    "int_parsing": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} members",
    "too_short": "must have at least {min_length} members",
}
"""Our words for what pydantic finds wrong with parameters; documents have words of their own."""
BOUNDS: Final = {">=": "at least", "<=": "at most"}
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for a body that it cannot read, beside `msgspec.ValidationError`."""


Whole = TypeVar("Whole")


def reader(whole: type[Whole]) -> Callable[[bytes | msgspec.Raw], Whole]:
    """Return what reads a body as the type, and raises `Refused` for what is none."""
    decode = msgspec.json.Decoder(whole).decode

    def read(body: bytes | msgspec.Raw) -> Whole:
        try:
            return decode(body)
        except UNREADABLE as error:
            raise Refused(unreadable(error)) from None

    return read


def unreadable(error: Exception) -> Problem:
    """Return the problem of a body that msgspec could not read; `error` is one of `UNREADABLE`."""
    if isinstance(error, msgspec.ValidationError):
        return invalid([_fault(str(error))])
    if isinstance(error, RecursionError):
        why = "it is nested too deeply"
    elif isinstance(error, UnicodeDecodeError):
        why = "it is not UTF-8"
    elif "truncated" in str(error):
        why = "it ends too early"
    else:
        why = str(error).removeprefix("JSON is malformed: ")
    return Problem("malformed_json", f"the body is not valid JSON: {why}")


def malformed(error: ValidationError, *, inside: tuple[str | int, ...]) -> Problem:
    """Return the problem of a document that pydantic refuses, found `inside` of the body."""
    details = error.errors(include_url=False)
    return _first_of(details, lambda where: (*inside, *where))


def invalid_parts(details: Sequence[ErrorDetails]) -> Problem:
    """Return the problem of a request of which FastAPI refuses body, address or query."""
    return _first_of(details, lambda where: where[1:])


def _first_of(details: Sequence[ErrorDetails], path: Callable[[Location], Location]) -> Problem:
    # A body can have a fault in each of a hundred thousand members: only those that are shown are
    # put into words, the others are counted.
    listed = details[:FAULTS_LISTED_MAX]
    faults = [_detail_fault(detail, path(detail["loc"])) for detail in listed]
    return invalid(faults, unlisted=len(details) - len(listed))


def printable(name: str) -> str:
    """Return a name that a caller made up, fit to stand in a message."""
    shown = name[:NAME_LENGTH_MAX] + ("..." if len(name) > NAME_LENGTH_MAX else "")
    return one_line(shown).replace("`", "?")


def one_line(rule: str) -> str:
    """Return a rule, which may repeat what a caller wrote, without breaks and not too long."""
    shown = rule[:RULE_LENGTH_MAX] + ("..." if len(rule) > RULE_LENGTH_MAX else "")
    return "".join(letter if letter.isprintable() else "?" for letter in shown)


def _detail_fault(detail: ErrorDetails, where: Location) -> Fault:
    # A part in parentheses is the tag of an alternative, not a field.
    path = tuple(
        printable(part) if isinstance(part, str) else part
        for part in where
        if not str(part).startswith("(")
    )
    return Fault(policyfile.written_path(path) or WHOLE, one_line(_detail_rule(detail)))


def _detail_rule(detail: ErrorDetails) -> str:
    rule = PARAMETER_RULES.get(detail["type"])
    if rule is None:
        return policyfile.fault(detail).rule
    return rule.format_map(detail.get("ctx", {}))


def _fault(message: str) -> Fault:
    found = WHERE.fullmatch(message)
    what, path = (message, "") if found is None else (found["what"], found["path"])
    member = MEMBER.fullmatch(what)
    if member is not None:
        name = printable(member["name"])
        return Fault(f"{path}.{name}".removeprefix("."), MEMBER_RULES[member["fault"]])
    return Fault(printable(path) or WHOLE, _rule(what))


def _rule(what: str) -> str:
    expected = EXPECTED.match(what)
    if expected is None:
        return "must fit in 64 bits"
    if expected["size"] is not None:
        return _size_rule(expected["types"], expected["size"])
    if expected["bound"] is not None:
        sign, _, bound = expected["bound"].partition(" ")
        return f"must be {BOUNDS[sign]} {bound}"
    wanted = [WORDS[name] for name in expected["types"].split(" | ") if name in WORDS]
    return f"must be {' or '.join(wanted)}"


def _size_rule(kind: str, size: str) -> str:
    sign, _, bound = size.partition(" ")
    if (sign, bound) == (">=", "1"):
        return "must not be empty"
    unit = "characters" if kind == "str" else "members"
    return f"must have {BOUNDS[sign]} {bound} {unit}"
