"""From production source to Z3: types to sorts, expressions to terms, loops to conditions.

Small on purpose, for everything proved rests on it. What it does not know it refuses. This is all
that it reads; `tests/unit/specs/test_translation.py` tries each row on inputs, against running it.

| construct | syntax nodes and names | denotes |
|---|---|---|
| literals, names, fields | `Constant`, `Name`, `Attribute` | a field is a function of its object |
| `f"kind:{id}"` | `JoinedStr`, `FormattedValue` | a function of its parts |
| connectives | `BoolOp`, `And`, `Or`, `UnaryOp`, `Not`, `IfExp` | the right under the left |
| numbers | `BinOp`, `Add`, `Sub`, `USub` | sums and differences |
| order, chained | `Compare`, `Lt`, `LtE`, `Gt`, `GtE` | of numbers; `LtE` of sets is inclusion |
| equality | `Eq`, `NotEq` | also of sets, mappings and objects; `None` is a case |
| identity | `Is`, `IsNot` | of `None`, members of enumerations and types, where it is equality |
| membership | `In`, `NotIn` | in a set, a tuple, a mapping, or by `__contains__` |
| sets | `BitAnd`, `BitOr`, `Sub`, `Set`, `set`, `frozenset` | by what they have |
| tuples, lists | `Tuple`, `List`, `Starred`, `tuple`, `iter`, `sorted`, `fromkeys` | the same |
| positions | `Subscript`, `Slice` | owes the key or position; a slice is some part |
| comprehensions | `GeneratorExp`, `ListComp`, `SetComp`, `map`, `pairwise` | what can be drawn |
| quantifiers | `all`, `any` | over what is drawn |
| one of many | `min`, `next` | some element, owed to be there; which is not said |
| counts | `len` | emptiness against 0, else a count that respects equality of sets |
| mappings | `get`, `set`, `delete`, `items`, `keys`, `values` | `delete` owes the key |
| types | `type`, `isinstance` | which case a value is; `type` of attribute values alone |
| calls | `Call`, `replace`, `str` | the callee's contract, or its own source; an object; the id |
| bindings | `Assign`, `AnnAssign` | a variable |
| branches | `If`, `Match`, `Return`, `Pass`, `Expr` | a path each |
| patterns | `MatchClass`, `MatchValue`, `MatchSingleton`, `MatchOr`, `MatchAs` | when they match |
| ends | `Raise`, `assert_never` | owed that no call gets there |
| loops | `For`, `While` | a search, a union, rounds; else by an invariant |
| changes in place | `add`, `pop` | of a set that was made there and has no other name |
| generators | `Yield`, `YieldFrom` | everything that any path yields |

What is empty once it was drawn from, as a generator is, may be drawn from once: see `drawing`. A
field that its class derives from the others (`init=False`) is not there and cannot be read.
"""
