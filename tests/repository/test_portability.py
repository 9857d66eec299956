"""Nothing in the repository depends on the machine or on the package registry of its author."""

import re
from pathlib import Path

from tests.repository.checkout import ROOT, listed_files, read

# Written apart, so that this file passes its own test.
REGISTRY_HOSTS = [
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("crates", "io"),
        ("rubygems", "org"),
    )
]
PRIVATE_FOLDERS = ("root", "home", "Users", "work", "workspace")
MACHINE_PATH = re.compile(rf"(?<![\w./-])/(?:{'|'.join(PRIVATE_FOLDERS)})/[\w.-]+|\b[A-Z]:\\\w+")


def registry_hosts(text: str) -> list[str]:
    """The package registries that the text names."""
    return [host for host in REGISTRY_HOSTS if host in text.lower()]


def machine_paths(text: str) -> list[str]:
    """The absolute paths of somebody's machine in the text."""
    this_checkout = [str(ROOT)] if str(ROOT) in text and len(ROOT.parts) > 2 else []
    return MACHINE_PATH.findall(text) + this_checkout


def offenders(texts: dict[Path, list[str]]) -> dict[str, list[str]]:
    """The files of which something was found."""
    return {str(path): found for path, found in texts.items() if found}


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the business of whoever installs them."""
    found = {path: registry_hosts(read(path)) for path in listed_files()}
    assert offenders(found) == {}


def test_no_file_names_a_path_of_a_machine() -> None:
    """Every path in the repository is relative to it, or a standard place."""
    found = {path: machine_paths(read(path)) for path in listed_files()}
    assert offenders(found) == {}


def test_registry_hosts_finds_a_host_inside_an_address() -> None:
    """A host is found within an address, in any case; a package's name alone is not one."""
    host = REGISTRY_HOSTS[1]
    assert registry_hosts(f"https://files.{host.upper()}/x.whl and pypi alone") == [host]


def test_machine_paths_finds_private_folders() -> None:
    """Home folders of each system are found; routes and standard places are not."""
    home = "/" + "home/ann"
    text = f"see {home}/x, ../shared/data, /v1/orgs/acme/work/items, /var/lib/grantproof"
    assert machine_paths(text) == [home]
