"""The limits that ruff holds for us bite: each bad snippet is refused under the rule we rely on."""

import subprocess
import sys

import pytest

from tests.repository.checkout import ROOT

BRANCHES = "".join(f"    if number == {n}:\n        return {n}\n" for n in range(10))

REFUSED = {
    "C901": f'"""M."""\n\n\ndef f(number: int) -> int:\n    """Do."""\n{BRANCHES}    return -1\n',
    "PLR0917": '"""M."""\n\n\ndef f(a: int, b: int, c: int, d: int) -> None:\n    """Do."""\n',
    "S101": '"""M."""\n\nassert __name__\n',
    "T201": '"""M."""\n\nprint(__name__)\n',
    "BLE001": '"""M."""\n\ntry:\n    X = 1\nexcept Exception:\n    X = 2\n',
    "D103": '"""M."""\n\n\ndef f() -> None:\n    return\n',
    "E501": f'"""M."""\n\nX = "{"a" * 50} {"b" * 50}"\n',
    "PGH003": '"""M."""\n\nX = 1  # type: ignore\n',
    "DTZ005": '"""M."""\n\nfrom datetime import datetime\n\nX = datetime.now()\n',
}
ACCEPTED = '''"""M."""


class Thing:
    """A thing."""

    def move(self, a: int, b: int, c: int, *, quickly: bool, quietly: bool) -> int:
        """Move by three, the rest by name."""
        return a + b + c + quickly + quietly
'''


def ruff(source: str) -> str:
    """What ruff says, with our configuration, of `source` as a module of the product."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json-lines"]
    place = ["--stdin-filename", "src/grantproof/service/snippet.py", "-"]
    return subprocess.run(
        [*command, *place], cwd=ROOT, input=source, capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.parametrize("rule", REFUSED)
def test_a_bad_snippet_is_refused(rule: str) -> None:
    """Complexity, positional parameters, assert and the like are refused in the product."""
    assert f'"code":"{rule}"' in ruff(REFUSED[rule])


def test_a_good_snippet_is_accepted() -> None:
    """Three positional parameters beside `self` and any number by keyword are accepted."""
    assert ruff(ACCEPTED) == ""
