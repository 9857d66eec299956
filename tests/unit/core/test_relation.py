"""Persistent graphs and relations: both directions agree, and no version changes another."""

from immutables import Map

from grantproof.core.relation import Graph, Relation, with_member, without_member

EMPTY: Graph[str] = Graph()
NONE: Relation[str, str, int] = Relation()


def three() -> Graph[str]:
    """Nodes a, b, c and the edges a to b, a to c."""
    graph = EMPTY.with_node("a").with_node("b").with_node("c")
    return graph.with_edge("a", "b").with_edge("a", "c")


def test_a_graph_has_an_entry_for_every_node() -> None:
    """A node without edges can be looked up in both directions."""
    graph = EMPTY.with_node("a")
    assert (graph.parents["a"], graph.children["a"]) == (Map(), Map())
    assert ("a" in graph, "b" in graph, len(graph), list(graph)) == (True, False, 1, ["a"])


def test_an_edge_shows_in_both_directions() -> None:
    """The parent is found from the child, the child from the parent, and nothing else is."""
    graph = three()
    assert (set(graph.parents["a"]), set(graph.children["b"])) == ({"b", "c"}, {"a"})
    assert (set(graph.parents["b"]), set(graph.children["a"])) == (set(), set())
    assert sorted(graph.edges()) == [("a", "b"), ("a", "c")]


def test_has_edge_is_directed_and_knows_strangers() -> None:
    """Only from child to parent; an unknown node has no edges."""
    graph = three()
    pairs = [("a", "b"), ("b", "a"), ("b", "c"), ("x", "a"), ("a", "x")]
    assert [graph.has_edge(*ends) for ends in pairs] == [True, False, False, False, False]


def test_removing_an_edge_restores_the_graph_before_it() -> None:
    """An edge comes and goes without trace, and so does a node."""
    graph = three()
    assert graph.with_edge("b", "c").without_edge("b", "c") == graph
    assert graph.with_node("d").without_node("d") == graph
    assert sorted(graph.edges()) == [("a", "b"), ("a", "c")]


def test_a_relation_finds_partners_both_ways() -> None:
    """From the left with payload, from the right without; a stranger has none."""
    pairs = NONE.with_pair("ann", "x", 1).with_pair("ann", "y", 2).with_pair("bob", "x", 3)
    assert (dict(pairs.of("ann")), set(pairs.to("x"))) == ({"x": 1, "y": 2}, {"ann", "bob"})
    assert (dict(pairs.of("eve")), set(pairs.to("z"))) == ({}, set())
    assert len(pairs) == 3
    assert sorted(pairs.triples()) == [("ann", "x", 1), ("ann", "y", 2), ("bob", "x", 3)]


def test_a_pair_has_one_payload() -> None:
    """The same pair again replaces what it carried."""
    pairs = NONE.with_pair("ann", "x", 1).with_pair("ann", "x", 2)
    assert list(pairs.triples()) == [("ann", "x", 2)]


def test_many_pairs_at_once_are_what_they_are_in_turn() -> None:
    """Beside what was there, both ways, and with the payload of each; none of them changes it."""
    before = NONE.with_pair("ann", "x", 1).with_pair("bob", "x", 2)
    after = before.with_all({"ann": {"y": 3, "x": 4}, "eve": {"y": 5}})
    expected = before.with_pair("ann", "y", 3).with_pair("ann", "x", 4).with_pair("eve", "y", 5)
    assert (after, len(before)) == (expected, 2)
    assert NONE.with_all({}) == NONE


def test_what_has_no_partner_has_no_entry() -> None:
    """The last pair of a left or a right takes its entry with it."""
    two = NONE.with_pair("ann", "x", 1).with_pair("bob", "x", 1)
    one = two.without_pair("ann", "x")
    assert (list(one.forward), set(one.to("x"))) == (["bob"], {"bob"})
    assert one.without_pair("bob", "x") == NONE


def test_an_index_of_sets_loses_a_key_with_its_last_member() -> None:
    """Members come and go; an empty set leaves no entry."""
    nothing: Map[str, Map[str, None]] = Map()
    one = with_member(nothing, "k", "a")
    two = with_member(one, "k", "b")
    assert set(two["k"]) == {"a", "b"}
    assert without_member(two, "k", "b") == one
    assert without_member(one, "k", "a") == nothing
