"""The strict parsers under bombs and under atheris, in a process of its own with little memory.

`python -m tests.survival.parsing bombs`, or a parser's name, and how many inputs it is to be given
in how many seconds at most.
Whatever a parser is given it returns, finds fault with, or refuses; anything else ends the process.
"""

import importlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

MEMORY_BYTES_MAX: Final = 1_500_000_000
"""Address space, so that a bomb that works ends the process and not the machine."""

BOMB_SECONDS_MAX: Final = 20.0
INPUT_BYTES_MAX: Final = 4_096
LAUGHS: Final = 30

BOMBS: Final[dict[str, str]] = {
    "billion laughs": "a0: &a0 [ha]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, LAUGHS)),
    "quadratic laughs": f"a: &a {'x' * 100_000}\nroles: [{', '.join(['*a'] * 20_000)}]\n",
    "an alias of itself": "roles: &a [*a]\n",
    "a merge of itself": "roles: &a\n  <<: *a\n",
    "deep flow lists": "[" * 100_000,
    "deep flow objects": "x: " + "{a: " * 50_000,
    "deep blocks": "".join(f"{' ' * n}a:\n" for n in range(1_500)),
    "a huge number": f"time_zone: {'9' * 200_000}\n",
    "a huge exponent": "time_zone: 1e999999999\n",
    "a long sexagesimal": f"time_zone: 1{':59' * 50_000}\n",
    "many documents": "---\n" * 50_000,
    "a tag that makes an object": "!!python/object/apply:os.system ['true']\n",
    "a member twice": "roles: []\nroles: []\n",
    "look-alikes": "principals:\n  - id: \u0430nn\n  - id: \uff41nn\n  - id: ann\u200b\n",
    "bidi": 'principals:\n  - id: "\u202eann\u2066"\n',
    "half a surrogate pair": 'principals:\n  - id: "\\ud800"\n',
    "many anchors": "".join(f"a{n}: &a{n} x\n" for n in range(20_000)),
    "a directive": "%YAML 1.1\n---\nroles: [on, off]\n",
    "a NUL": "roles: \x00\n",
    "json, deep lists": '{"roles": ' + "[" * 100_000,
    "json, deep objects": '{"a":' * 100_000,
    "json, closed": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "json, a huge number": '{"time_zone": ' + "9" * 200_000 + "}",
    "json, a huge exponent": '{"time_zone": 1e999999999}',
    "json, a member twice": '{"roles": [], "roles": []}',
    "json, many members": json.dumps({f"x{n}": n for n in range(20_000)}),
    "json, no number": '{"roles": NaN}',
    "json, bidi": json.dumps({"principals": [{"id": "\u202eann"}, {"id": "\u0430nn"}]}),
    "json, half a pair": '{"principals": [{"id": "\\ud800"}]}',
}
"""Texts of an organization none of which may be accepted, nor cost much."""


def fed_organization(data: bytes) -> None:
    """An organization in YAML or JSON."""
    from grantproof.policyfile.policy_folder import read_policy  # noqa: PLC0415 - when fuzzed

    read_policy({"fed": data.decode("utf-8", "surrogateescape")})


def fed_question(data: bytes) -> None:
    """A question, and what the core is asked then."""
    from grantproof.api import questions  # noqa: PLC0415 - is instrumented
    from grantproof.api.problems import Refused  # noqa: PLC0415 - as above

    try:
        questions.asked(questions.read_single(data), trusted=True)
    except Refused as refused:
        refused.problem.body("fuzz")


def fed_batch(data: bytes) -> None:
    """A batch, and each of its items."""
    from grantproof.api import questions  # noqa: PLC0415 - is instrumented
    from grantproof.api.problems import Refused  # noqa: PLC0415 - as above

    try:
        for item in questions.read_batch(data).items:
            questions.asked(questions.whole(item), trusted=False)
    except Refused as refused:
        refused.problem.body("fuzz")


def fed_lines(data: bytes) -> None:
    """Assignments, as CSV or JSON Lines."""
    from grantproof.policyfile.assignment_lines import (  # noqa: PLC0415 - is instrumented
        csv_lines,
        json_line,
    )

    head, _, line = data.decode("utf-8", "replace").partition("\n")
    with suppress(ValueError):
        json_line(head)
    with suppress(ValueError):
        csv_lines(head)(line)


PARSERS: Final[dict[str, tuple[Callable[[bytes], None], int]]] = {
    "organization": (fed_organization, 10),
    "question": (fed_question, 1),
    "batch": (fed_batch, 1),
    "lines": (fed_lines, 1),
}
"""What is fed, and of how many inputs it gets one: YAML takes long."""

ID: Final = b'"org_id":"acme"'
SEEDS: Final[dict[str, list[bytes]]] = {
    "organization": [
        b"grantproof: 1\ntime_zone: UTC\nroles:\n  - id: a\n    parents: [b]\n",
        b'{"principals":[{"id":"a","active":true,"attributes":{"x":[1,"a"]}}]}',
        b"a: &a [1, 2]\nb: *a\nc: !!str 3\n",
    ],
    "question": [
        b"{" + ID + b',"principal_id":"a","action":"read","resource_id":"docs","hour":3}',
        b"{" + ID + b',"principal_id":"a","action":"x","resource_id":"role:a",'
        b'"position":"48.8,2.3","attributes":{"n":[1]},"active_roles":["r"]}',
    ],
    "batch": [
        b"{" + ID + b',"items":[{"principal_id":"a","action":"r","resource_id":"d"},{}]}',
    ],
    "lines": [
        b'{"principal":"a","role":"b","from":"2030-01-01T00:00:00Z","until":5}\n',
        b"principal,role,until\na,b,2031-05-06T07:08:09+02:00\n",
        b'group,role\n"a","b"\n',
    ],
}


def bombs() -> int:
    """Feed every bomb; the number of those that were accepted, or took too long."""
    wrong = 0
    for name, text in BOMBS.items():
        began = time.perf_counter()
        refused = _refused(text)
        seconds = time.perf_counter() - began
        if not refused or seconds > BOMB_SECONDS_MAX:
            wrong += 1
            sys.stdout.write(f"{name}: {'refused' if refused else 'accepted'}, {seconds:.1f} s\n")
    sys.stdout.write(f"{len(BOMBS)} bombs, {wrong} worked, at most {_peak()} MB\n")
    return wrong


def _peak() -> int:
    """The most memory, in MB, that was resident of this program; `getrusage` counts its starter."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1_024


def _refused(text: str) -> bool:
    from grantproof.policyfile.policy_folder import read_policy  # noqa: PLC0415 - as above

    found = read_policy({"bomb": text})
    return isinstance(found, tuple) and all(problem.message.isprintable() for problem in found)


def fuzz(name: str, runs: int, *, seconds: int) -> None:
    """Feed a parser inputs that atheris makes to reach new code; never returns."""
    atheris: Any = importlib.import_module("atheris")

    feed, share = PARSERS[name]
    with atheris.instrument_imports(include=["grantproof"]):
        for seed in SEEDS[name]:
            feed(seed)
    folder = Path(tempfile.mkdtemp(prefix="grantproof-fuzz-"))
    for number, seed in enumerate(SEEDS[name]):
        (folder / str(number)).write_bytes(seed)
    options = [
        f"-runs={max(1, runs // share)}",
        f"-max_total_time={seconds}",
        f"-max_len={INPUT_BYTES_MAX}",
        "-seed=7",
        "-timeout=20",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder)], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1] == "bombs":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        raise SystemExit(1 if bombs() else 0)
    fuzz(sys.argv[1], int(sys.argv[2]), seconds=int(sys.argv[3]))
