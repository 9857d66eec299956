"""Which peers are compared, each by the best path that was found, and where it runs."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Environment(Enum):
    """Where a peer's program comes from: the registry of its language."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"


@dataclass(frozen=True, slots=True)
class Library:
    """An engine in its own process, without HTTP: what is asked, and how its best path works.

    `module` is the program in `bench/peers`. It answers workloads without constraints, of every
    size but those in `leaves_out`, for the reason given there.
    """

    name: str
    environment: Environment
    module: str
    path: str
    leaves_out: dict[str, str]


SCANS: Final = "it tries its policies one by one"
LINKS: Final = "it takes more than ten minutes to link two million roles and principals"

LIBRARIES: Final = (
    Library(
        "cedarpy",
        Environment.PYTHON,
        "cedar",
        "grants as attributes of the resource, policies and entities parsed before",
        {},
    ),
    Library(
        "pycasbin",
        Environment.PYTHON,
        "pycasbin",
        "FastEnforcer, policies kept by resource and action, no logging",
        {"XL": LINKS},
    ),
    Library(
        "oso",
        Environment.PYTHON,
        "polar",
        "one rule, grants as a method of the resource, closed along the role graph by the caller",
        {},
    ),
    Library(
        "regopy",
        Environment.PYTHON,
        "rego",
        "a compiled bundle; effective roles and grants in the input, looked up by the caller",
        {},
    ),
    Library(
        "vakt",
        Environment.PYTHON,
        "rules",
        "its memory storage, one policy a target, closed by the caller",
        {"XL": SCANS},
    ),
    Library(
        "vakt, our storage",
        Environment.PYTHON,
        "stored_rules",
        "the same over a storage of ours that finds the policies of the resource",
        {},
    ),
    Library(
        "casl",
        Environment.JAVASCRIPT,
        "casl",
        "an ability for every role, built before and closed by the caller",
        {},
    ),
)


def libraries_for(size: str) -> tuple[Library, ...]:
    """Return the libraries that are asked about a workload of the name."""
    return tuple(one for one in LIBRARIES if size not in one.leaves_out)


def left_out(size: str) -> dict[str, str]:
    """Return the libraries that are not asked, and why."""
    return {one.name: one.leaves_out[size] for one in LIBRARIES if size in one.leaves_out}
