"""The model of a Casbin policy: which fields its lines have, and what its matcher compares.

Recognised are the RBAC models: each field of a request equal to that of a policy line, with roles
by `g` and groups of resources by `g2`. Source: casbin.org/docs/syntax-for-models.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from grantproof.policyfile.importers.reading import Part, Report, Text, shown
from grantproof.policyfile.source import Source

SUBJECT: Final = "sub"
DOMAIN: Final = "dom"
OBJECT: Final = "obj"
ACTION: Final = "act"
EFFECT: Final = "eft"
NAMES: Final = {
    **{name: name for name in (SUBJECT, DOMAIN, OBJECT, ACTION, EFFECT)},
    **dict.fromkeys(("user", "subject"), SUBJECT),
    **dict.fromkeys(("domain", "tenant"), DOMAIN),
    **dict.fromkeys(("object", "resource"), OBJECT),
    **dict.fromkeys(("action", "method"), ACTION),
}
"""What models call the fields, and which each is."""

REQUIRED: Final = {
    "request_definition": ("r",),
    "policy_definition": ("p",),
    "policy_effect": ("e",),
    "matchers": ("m",),
}
KNOWN: Final = {**REQUIRED, "role_definition": ("g", "g2")}
ALLOW: Final = "some(where(p.eft==allow))"
DENY: Final = f"{ALLOW}&&!some(where(p.eft==deny))"

EQUAL: Final = re.compile(r"(r|p)\.(\w+)==(r|p)\.(\w+)")
LINKED: Final = re.compile(r"(g|g2)\(r\.(\w+),p\.(\w+)(?:,r\.(\w+))?\)")
SETTING: Final = re.compile(r"\s*(\w+)\s*=\s*(.*?)\s*")


@dataclass(frozen=True, slots=True)
class Model:
    """A recognised model: the fields of policy lines in their order, and what `g` and `g2` do."""

    fields: tuple[str, ...]
    roles: bool
    domains: bool
    resource_groups: bool
    denies: bool
    """Whether a line whose effect is `deny` takes away what others allow."""


def read_model(text: Text, report: Report) -> Model | None:
    """Return the model, or nothing when it is not one of those recognised, which is reported."""
    read = report.read(text, _source(text))
    if read is None:
        return None
    (part,) = read.items()
    sections = part.entries()
    settings = {
        name: section.entries() if name in KNOWN else {} for name, section in sections.items()
    }
    for name, section in sections.items():
        if name not in KNOWN:
            section.refuse(f"the section `{name}` is none of {', '.join(KNOWN)}")
            continue
        for key, setting in settings[name].items():
            if key not in KNOWN[name]:
                setting.refuse(f"only {' and '.join(KNOWN[name])} can be translated here")
    missing = [
        name for name, keys in REQUIRED.items() if not set(keys) <= set(settings.get(name, {}))
    ]
    for name in missing:
        part.refuse(f"must have a section `{name}` with `{REQUIRED[name][0]}`")
    return None if missing or report.refused else _model(settings)


def _model(settings: Mapping[str, Mapping[str, Part]]) -> Model | None:
    request = _fields(settings["request_definition"]["r"])
    line = _fields(settings["policy_definition"]["p"])
    wanted = {NAMES[name] for name in request}
    if (
        not {SUBJECT, OBJECT, ACTION} <= wanted
        or {NAMES[name] for name in line} - {EFFECT} != wanted
    ):
        rule = "must have a subject, an object and an action, as the request has, and no other"
        settings["policy_definition"]["p"].refuse(f"{rule} but a domain or an effect")
        return None
    effect = settings["policy_effect"]["e"]
    said = _tight(effect.text())
    if said not in (ALLOW, DENY):
        effect.refuse("there is no equivalent: only `some(where (p.eft == allow))` is translated")
    links = _links(settings.get("role_definition", {}), domains=DOMAIN in wanted)
    matcher = settings["matchers"]["m"]
    used = _matched(matcher, {f"r.{one}" for one in request}, domains=DOMAIN in wanted)
    if used is None or effect.report.refused:
        return None
    for name in sorted(used - set(links)):
        matcher.refuse(f"`{name}` is not in the section `role_definition`")
    for name in sorted(set(links) - used):
        links[name].note("the matcher does not use it", f"role definition `{name}`")
    fields = tuple(NAMES[name] for name in line)
    return Model(fields, "g" in used, DOMAIN in wanted, "g2" in used, said == DENY)


def _fields(part: Part) -> list[str]:
    names = [name.strip() for name in part.text().split(",")]
    for name in names:
        if name not in NAMES:
            part.refuse(f"the field {shown(name)} is none of {', '.join(sorted(NAMES))}")
    found = [name for name in names if name in NAMES]
    if len({NAMES[name] for name in found}) < len(found):
        part.refuse("must not name a field twice")
    return found


def _links(parts: Mapping[str, Part], *, domains: bool) -> dict[str, Part]:
    expected = {"g": "_,_,_" if domains else "_,_", "g2": "_,_"}
    for name, part in parts.items():
        if _tight(part.text()) != expected[name]:
            part.refuse(f"must be `{expected[name]}` in this model")
    return dict(parts)


def _matched(part: Part, fields: set[str], *, domains: bool) -> set[str] | None:
    """Return which of `g` and `g2` the matcher uses, or nothing when it is not understood."""
    used: set[str] = set()
    compared: list[str] = []
    for term in _tight(part.text()).split("&&"):
        equal, linked = EQUAL.fullmatch(term), LINKED.fullmatch(term)
        if equal is not None and {equal[1], equal[3]} == {"r", "p"}:
            left, right = equal[2], equal[4]
        elif linked is not None and _is_link(linked, domains=domains):
            left, right = linked[2], linked[3]
            used.add(linked[1])
        else:
            part.refuse(f"there is no equivalent of {shown(term)}")
            return None
        if NAMES.get(left) != NAMES.get(right) or f"r.{left}" not in fields:
            part.refuse(f"{shown(term)} compares different fields, or one that is not defined")
            return None
        compared.append(f"r.{left}")
    if sorted(compared) != sorted(fields):
        part.refuse("must compare each field of the request once, and nothing else")
        return None
    return used


def _is_link(found: re.Match[str], *, domains: bool) -> bool:
    name, field, _, domain = found.groups()
    if name == "g2":
        return NAMES.get(field) == OBJECT and domain is None
    return NAMES.get(field) == SUBJECT and (
        NAMES.get(domain) == DOMAIN if domains else domain is None
    )


def _tight(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _source(text: Text) -> Source:
    """Return the one model: its sections and their settings, each with its line."""
    places: dict[tuple[str | int, ...], tuple[int, int]] = {(): (1, 1)}
    data: dict[str, dict[str, str]] = {}
    section = ""
    for number, line in _lines(text.content):
        held = line.strip()
        if held.startswith("[") and held.endswith("]"):
            section = held[1:-1].strip()
            data.setdefault(section, {})
            places.setdefault((0, section), (number, 1))
            continue
        found = SETTING.fullmatch(line)
        key, value = (held, "") if found is None else (found[1], found[2])
        given = key in data.setdefault(section, {})
        # What is given twice, or is no setting, gets a key that no section knows.
        key = f"{key} (given twice)" if given else key
        data[section][key] = value
        places.setdefault((0, section), (number, 1))
        places[0, section, key] = (number, 1)
    return Source([data], lambda paths: {path: places.get(path, (1, 1)) for path in paths})


def _lines(content: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something, continued ones joined, with the number of the first."""
    first, joined = 0, ""
    for number, line in enumerate(content.splitlines(), start=1):
        stripped = line.strip()
        if not joined and (not stripped or stripped[0] in "#;"):
            continue
        first = first if joined else number
        if stripped.endswith("\\"):
            joined += f"{stripped[:-1]} "
            continue
        yield first, joined + stripped.partition("#")[0]
        joined = ""
    if joined:
        yield first, joined
