"""The same graph has the same drawing in every process: whatever seed its hashes have."""

import subprocess
import sys

PROGRAM = """
import sys
from hashlib import sha256
from importlib.util import find_spec, module_from_spec

# The package without its pages: importing those takes ten times as long as drawing.
sys.modules["grantproof.api.console"] = module_from_spec(find_spec("grantproof.api.console"))
from grantproof.api.console.drawing import Link, Node, Picture, draw

names = {f"role-{number}" for number in range(60)}
pairs = {(one, other) for one in range(60) for other in range(one + 1, 60) if one * other % 11 == 3}
links = {Link(f"role-{one}", f"role-{other}") for one, other in pairs}
picture = Picture("roles", tuple(Node(name, name) for name in names), tuple(links))
print(sha256(draw(picture).encode()).hexdigest(), len(links))
"""
"""Draws a graph that comes out of sets, whose order is another in each process."""


def drawn(seed: str) -> str:
    """What a process with that seed draws, as a digest."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_drawing_is_the_same_in_every_process() -> None:
    """Byte for byte."""
    first = drawn("1")
    assert int(first.split()[1]) > 50
    assert first == drawn("2")
