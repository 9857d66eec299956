"""The bill of materials of a release, in CycloneDX: what a service runs on, and no tool besides.

It is read off the environment that the lock has made, so the licences are those of the packages
themselves. Made twice of the same environment it is the same, to the byte.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, Final

from cyclonedx.schema import SchemaVersion
from packaging.requirements import Requirement

from deploy.release.locked import ROOT, Locked, of_checkout
from grantproof import __version__

ROOT_REFERENCE: Final = "root-component"
LICENCES: Final = {"protobuf": "BSD-3-Clause", "z3-solver": "MIT"}
"""Of packages whose metadata names none by a name that everybody knows: read in their files."""


def bill(packages: Iterable[Locked]) -> dict[str, Any]:
    """Return the bill of these packages as they are installed here.

    Raises ValueError when one is not installed, has another version than the lock, or no licence.
    """
    pins = installable(packages)
    whole = _environment()
    kept = [part for part in whole["components"] if _name(part) in pins]
    references = {part["bom-ref"] for part in kept}
    for part in kept:
        _check(part, pins[_name(part)])
    missing = pins.keys() - {_name(part) for part in kept}
    if missing:
        message = f"not installed: {', '.join(sorted(missing))}: run make again"
        raise ValueError(message)
    dependencies = [
        {**one, "dependsOn": sorted(references.intersection(one.get("dependsOn", ())))}
        for one in whole["dependencies"]
        if one["ref"] in references | {ROOT_REFERENCE}
    ]
    whole["metadata"]["component"]["version"] = __version__
    return {**whole, "components": kept, "dependencies": dependencies}


def installable(packages: Iterable[Locked]) -> dict[str, str]:
    """Return the version of each package that this platform takes, by its name."""
    found = {}
    for one in packages:
        requirement = Requirement(one.pin)
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            found[one.name] = pin.version
    return found


def write(place: Path) -> None:
    """Write the bill of a release; raises ValueError, also when it is no bill by the standard."""
    text = json.dumps(bill(of_checkout("serve")), indent=2, sort_keys=True)
    validate(text)
    place.write_text(f"{text}\n", encoding="utf-8")


def validate(text: str) -> None:
    """Raise ValueError when a bill is none by the standard's schema; takes some seconds."""
    # It compiles the grammar of each kind of address when it is imported, which takes seconds of
    # whoever makes no bill: of every worker of the tests, for one.
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415 - only when asked

    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        message = f"the bill of materials is not valid: {fault}"
        raise ValueError(message)


def _environment() -> dict[str, Any]:
    """Return the bill of everything that is installed here, with the project at its root."""
    project = ("--pyproject", str(ROOT / "pyproject.toml"))
    options = (*project, "--output-reproducible", "--no-validate")
    done = subprocess.run(  # noqa: S603 - our own arguments
        (sys.executable, "-m", "cyclonedx_py", "environment", *options, sys.prefix),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    if done.returncode != 0:
        message = f"no bill of materials: {done.stderr.strip()}"
        raise ValueError(message)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _name(component: Mapping[str, Any]) -> str:
    name: str = component["name"]
    return name.replace("_", "-").replace(".", "-").lower()


def _check(component: dict[str, Any], version: str) -> None:
    name = component["name"]
    if component["version"] != version:
        message = f"`{name}` is {component['version']} here and {version} in the lock"
        raise ValueError(message)
    if not component.get("licenses"):
        known = LICENCES.get(_name(component))
        if known is None:
            message = (
                f"`{name}` says `{metadata(name)['License']}` of its licence: look, and name it"
            )
            raise ValueError(message)
        component["licenses"] = [{"license": {"acknowledgement": "concluded", "id": known}}]
