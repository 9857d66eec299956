"""The page of commands: the whole command line, as the program itself tells it."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from grantproof.cli.command import GLOBAL
from grantproof.cli.main import PROGRAM, program
from tests.repository.reference.markdown import (
    anchor,
    code,
    fenced,
    hand_written,
    page,
    table,
    typed,
)

INTRODUCTION: Final = """
Everything that `grantproof --help` and the help of each command tells, on one page. A command acts
on the database itself, or with `--server` on [a server](../remote.md). `grantproof COMMAND --help`
shows the same in a terminal, where [the shell completes](../completion.md) names and options.
"""
EXITS: Final = """
They tell a script what came of it, whatever was printed: [what to do about
each](../errors.md#on-the-command-line).
"""
SHARED: Final = frozenset(one.name for one in GLOBAL)
"""The options that every command takes, told once."""


def written() -> str:
    """The page."""
    root = program()
    told = [(path, found) for path, found in walk(root, ()) if not is_group(found)]
    groups = {path: found for path, found in walk(root, ()) if path and is_group(found)}
    parts = [INTRODUCTION, "## Every command", _contents(told)]
    parts += ["## Exit codes", root.epilog or "", EXITS]
    parts += ["## Options of every command", "Before the name of the command, or after it."]
    parts += [_options(root), "## The commands"]
    for path, found in told:
        if path[:-1] in groups:
            parts += [f"### {named(path[:-1])}", groups.pop(path[:-1]).help]
        parts += list(_command(path, found))
    return page("Commands", *parts)


def walk(found: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group below one, itself first, in the order of the program."""
    yield path, found
    for name, below in getattr(found, "commands", {}).items():
        if not below.hidden:
            yield from walk(below, (*path, name))


def is_group(found: Any) -> bool:
    """Whether it only holds commands."""
    return hasattr(found, "commands")


def named(path: tuple[str, ...]) -> str:
    """How a command is typed."""
    return " ".join((PROGRAM, *path))


def own_parameters(found: Any) -> list[Any]:
    """The parameters of a command beside those that every command takes."""
    return [one for one in found.params if one.name not in SHARED and not one.hidden]


def synopsis(path: tuple[str, ...], found: Any) -> str:
    """How a command is put together: what has to be there, and what may be."""
    context = found.make_context(found.name, [], resilient_parsing=True)
    own = [one for one in own_parameters(found) if one.param_type_name == "argument"]
    return " ".join([named(path), "[OPTIONS]", *(_place(one, context) for one in own)])


@cache
def shown() -> dict[str, list[str]]:
    """On which pages that people write each command is typed."""
    found: dict[str, list[str]] = {}
    for name, text in hand_written().items():
        for words in typed(text):
            path = resolved(words)
            pages = found.setdefault(named(path), [])
            if name not in pages:
                pages.append(name)
    return found


def resolved(words: list[str]) -> tuple[str, ...]:
    """The command that a command line names; options and what they take are passed over."""
    at: Any = program()
    path: list[str] = []
    skipping = False
    for word in words[1:]:
        if skipping:
            skipping = False
        elif word.startswith("-"):
            option = next((one for one in at.params if word in one.opts), None)
            skipping = option is not None and not option.is_flag
        elif not is_group(at) or word not in at.commands:
            break
        else:
            at = at.commands[word]
            path.append(word)
    return tuple(path)


def _contents(told: list[tuple[tuple[str, ...], Any]]) -> str:
    rows = [
        (f"[`{named(path)[len(PROGRAM) + 1 :]}`](#{anchor(named(path))})", _first(found.help))
        for path, found in told
    ]
    return table(("command", "what it does"), rows)


def _command(path: tuple[str, ...], found: Any) -> Iterator[str]:
    yield f"### {named(path)}"
    yield found.help
    yield fenced("text", synopsis(path, found))
    context = found.make_context(found.name, [], resilient_parsing=True)
    own = own_parameters(found)
    arguments = [one for one in own if one.param_type_name == "argument"]
    options = [one for one in own if one.param_type_name == "option"]
    if arguments:
        rows = [(code(_place(one, context)), one.help or "") for one in arguments]
        yield table(("argument", "meaning"), rows)
    if options:
        yield _table_of(options, context)
    if found.epilog:
        shown_lines = found.epilog.splitlines()[2:]
        yield fenced("console", "\n".join(f"$ {line.strip()}" for line in shown_lines))
    pages = shown().get(named(path), [])
    if pages:
        links = ", ".join(f"[{name.removesuffix('.md')}](../{name})" for name in pages)
        yield f"Shown in {links}."


def _place(argument: Any, context: Any) -> str:
    """How an argument is called: typer puts braces around those that have to be there."""
    (told,) = argument.get_usage_pieces(context)
    return str(told).replace("{", "").replace("}", "")


def _options(root: Any) -> str:
    context = root.make_context(PROGRAM, [], resilient_parsing=True)
    return _table_of([one for one in root.params if not one.hidden], context)


def _table_of(options: list[Any], context: Any) -> str:
    rows = []
    for one in options:
        names = ", ".join(code(name) for name in (*one.opts, *one.secondary_opts))
        value = "" if one.is_flag else code(one.display_type_rich(context))
        rows.append((names, value, _default(one), one.help or ""))
    return table(("option", "value", "default", "meaning"), rows)


def _default(option: Any) -> str:
    needed = "required" if option.required else ""
    shown_as = getattr(option.default, "value", option.default)
    is_told = shown_as not in {None, "", False} and not callable(shown_as)
    return code(shown_as) if is_told else needed


def _first(text: str) -> str:
    return text.partition("\n\n")[0]
