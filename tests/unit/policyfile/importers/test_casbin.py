"""What of a Casbin model and its policies is translated, what is reported, what is refused."""

import pytest

from grantproof.core.identifiers import OrganizationId
from grantproof.policyfile.importers.casbin import read_casbin
from grantproof.policyfile.importers.reading import Imported, Text

MODEL = """\
[request_definition]
r = sub, obj, act

[policy_definition]
p = sub, obj, act

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"""
DOMAINS = (
    MODEL.replace("sub, obj", "sub, dom, obj")
    .replace("_, _", "_, _, _")
    .replace("g(r.sub, p.sub)", "g(r.sub, p.sub, r.dom) && r.dom == p.dom")
)
GROUPED = MODEL.replace("g = _, _", "g = _, _\ng2 = _, _").replace(
    "r.obj == p.obj", "g2(r.obj, p.obj)"
)
EFFECTS = MODEL.replace("p = sub, obj, act", "p = sub, obj, act, eft")
DENYING = EFFECTS.replace("== allow))", "== allow)) && !some(where (p.eft == deny))")


def told(model: str, policy: str, domain: str | None = None) -> Imported | list[str]:
    """What a model and a policy are translated to, or their problems."""
    texts = [Text("m.conf", model), Text("p.csv", policy)]
    found = read_casbin(texts, OrganizationId("o"), domain=domain)
    return found if isinstance(found, Imported) else [problem.message for problem in found]


def read(model: str, policy: str, domain: str | None = None) -> Imported:
    """What a model and a policy without problems are translated to."""
    found = told(model, policy, domain)
    assert isinstance(found, Imported), found
    return found


def notes(model: str, policy: str, domain: str | None = None) -> list[str]:
    """What is told about a policy without problems."""
    return [note.message for note in read(model, policy, domain).untranslated]


def test_roles_inherit_and_principals_hold() -> None:
    """What has members is a role, everybody else a principal; lines of their own make a role.

    Comments, blank lines and quotes are read as Casbin reads them.
    """
    policy = (
        '# who\np, staff, "data,1", read\n\ng, ann, lead\ng, lead, staff\np, ann, x, "a ""b"""\n'
    )
    written = read(MODEL, policy).document.written()
    assert {one["id"]: one["parents"] for one in written["roles"]} == {
        "ann": [],
        "lead": ["staff"],
        "staff": [],
    }
    assert [one["id"] for one in written["principals"]] == ["ann"]
    assert [one["role"] for one in written["assignments"]] == ["ann", "lead"]
    said = {(one["role"], one["action"], one["resource"]) for one in written["claims"]}
    assert said == {("ann", "a=20=22b=22", "x"), ("staff", "read", "data=2C1")}


def test_groups_of_resources_hold_their_members() -> None:
    """`g2` puts a resource into another, and a line about that speaks of all in it."""
    written = read(GROUPED, "p, ann, all, read\ng2, doc, part\ng2, part, all\n").document.written()
    inside = {one["id"]: one["parent"] for one in written["resources"]}
    assert inside == {"all": None, "doc": "part", "part": "all"}
    assert [one["resource"] for one in written["claims"]] == ["all/**"]


def test_one_domain_makes_one_organization() -> None:
    """The only one, or the one named; never several in one."""
    policy = "p, admin, d1, data, read\ng, ann, admin, d1\np, admin, d2, data, write\n"
    assert told(DOMAINS, policy) == [
        "p.csv:1:1: one domain makes one organization: choose one of `d1`, `d2`"
    ]
    assert told(DOMAINS, policy, "d3") == told(DOMAINS, policy)
    (claim,) = read(DOMAINS, policy, "d2").document.claims
    assert str(claim.role) == "admin"
    assert read(DOMAINS, policy, "d2").document.principals[0].id == "admin"
    assert notes(DOMAINS, policy, "d1") == [
        "p.csv:3:1: domain `d2`: another organization, to be converted apart (lines: 1)"
    ]
    assert notes(DOMAINS, policy.partition("p, admin, d2")[0]) == []


@pytest.mark.parametrize(
    ("model", "policy", "note"),
    [
        (MODEL, "p2, a, b, c\n", "line `p2`: the model does not use such lines"),
        (MODEL, "p, a, *, read\n", "*: the matcher compares it like any other name"),
        (MODEL, "p, a, b, assign\n", "`assign` is an action on Grantproof itself"),
        (EFFECTS, "p, a, b, c, deny\n", "effect `deny`: it allows nothing"),
        (EFFECTS, "p, a, b, c, maybe\n", "effect `maybe`: it allows nothing"),
        (MODEL.replace("g(r.sub, p.sub)", "r.sub == p.sub"), "", "role definition `g`"),
    ],
)
def test_what_is_left_out_is_told(model: str, policy: str, note: str) -> None:
    """In its place, once."""
    (told_once,) = notes(model, policy)
    assert note in told_once


@pytest.mark.parametrize(
    ("model", "policy", "problem"),
    [
        (MODEL, "g, a, b\ng, b, c\ng, c, a\n", "must not lead back to itself: a -> b -> c -> a"),
        (GROUPED, "g2, a, b\ng2, b, a\n", "p.csv:1:1: the hierarchy must not lead back to itself"),
        (GROUPED, "g2, a, b\ng2, a, c\n", "p.csv:1:1: `a` must be in one group"),
        (DENYING, "p, a, b, c, deny\n", "p.csv:1:1: there are no deny rules here"),
        (MODEL, "p, a, b\n", "p.csv:1:1: must have 3 values after `p`"),
        (MODEL, "p, a, b, c, d\n", "p.csv:1:1: must have 3 values after `p`"),
        (EFFECTS, "p, a, b\n", "p.csv:1:1: must have 3 or 4 values after `p`"),
        (MODEL, "p, a, , c\n", "p.csv:1:1: must not have an empty value"),
        (MODEL, 'p, a, b"c\n', "p.csv:1:6: must be values between commas"),
        (MODEL.replace("r.obj == p.obj", "keyMatch(r.obj, p.obj)"), "", "m.conf:14:1: matchers.m"),
        (MODEL + ' || r.sub == "root"', "", "m.conf:14:1: "),
        (MODEL.replace(" && r.act == p.act", ""), "", "must compare each field of the reques"),
        (MODEL.replace("r.act == p.act", "r.act == p.obj"), "", "compares different fields"),
        (MODEL.replace("(p.eft == allow)", "(p.eft == deny)"), "", "there is no equivalent: only"),
        (MODEL.replace("g = _, _", "g = _, _, _"), "", "must be `_,_` in this model"),
        (MODEL.replace("g = _, _", "g3 = _, _"), "", "only g and g2 can be translated here"),
        (MODEL.replace("[role_definition]\ng = _, _\n", ""), "", "`g` is not in the section"),
        (MODEL.replace("r = sub", "r = who"), "", "the field `who` is none of"),
        (MODEL.replace("p = sub, obj, act", "p = sub, obj"), "", "must have a subject, an object"),
        (MODEL.replace("[matchers]", "[other]"), "", "the section `other` is none of"),
        (MODEL + "\nm = g(r.sub, p.sub)", "", "matchers.m (given twice)"),
    ],
)  # fmt: skip
def test_what_has_no_equivalent_is_refused(model: str, policy: str, problem: str) -> None:
    """A policy that would allow more, or something else, is not translated at all."""
    found = told(model, policy)
    assert not isinstance(found, Imported)
    assert any(problem in each for each in found), found


@pytest.mark.parametrize("kind", ["g", "g2"])
def test_links_that_casbin_would_not_follow_are_told(kind: str) -> None:
    """Casbin follows ten links up from a name; of the eleventh the importer says that it counts."""
    links = [f"{kind}, n{i}, n{i + 1}\n" for i in range(11)]
    grant = "p, {}, data, read\n" if kind == "g" else "p, ann, {}, read\n"
    assert notes(GROUPED, grant.format("n10") + "".join(links[:10])) == []
    note = "p.csv:2:1: n0: Casbin follows at most 10 links unless told otherwise"
    assert notes(GROUPED, grant.format("n11") + "".join(links)) == [note]


def test_there_is_one_model() -> None:
    """Files are told apart by their ending."""
    texts = [Text("a.conf", MODEL), Text("b.conf", MODEL)]
    for some in (texts, texts[:0]):
        assert not isinstance(read_casbin(some, OrganizationId("o")), Imported)


def test_a_model_may_be_written_over_several_lines() -> None:
    """A backslash continues a line, and comments are passed over."""
    model = "; ours\n" + MODEL.replace(" && r.obj", " \\\n  && r.obj").replace("act\n", "act # x\n")
    assert notes(model, "p, a, b, c\n") == []


def test_a_hostile_line_takes_no_time() -> None:
    """Neither white space nor quotes make the reader try again and again."""
    for line in (f"p, {' ' * 100_000}x", f'p, {"a" * 100_000}"', f'"{chr(34) * 100_000}'):
        assert isinstance(told(MODEL, line), list)
