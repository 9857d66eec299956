"""Models whose fields are described by the docstrings below them, read when a schema is made.

Pydantic can read them too, but does so while each class is made: a sixth of the time in which a
service starts, for what only a JSON Schema shows.
"""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Described(BaseModel):
    """A model whose fields may have docstrings."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        made = handler(core_schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        for name, field in cls.model_fields.items():
            docstring = field_docstrings(cls).get(name)
            if docstring is not None and field.description is None:
                for key in properties.keys() & {name, field.alias, field.serialization_alias}:
                    properties[key] = {**properties[key], "description": docstring}
        return made


@cache
def field_docstrings(model: type) -> Mapping[str, str]:
    """Return the docstrings of the fields of a class, its own and those that it inherits."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, Described):
            found |= _of_module(one.__module__).get(one.__name__, {})
    return found


@cache
def _of_module(name: str) -> Mapping[str, Mapping[str, str]]:
    """Return what the classes at the top of a module say of their fields, by their names."""
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return {node.name: dict(_described(node)) for node in classes}


def _described(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, after in pairwise(node.body):
        match field, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(docstring))),
            ):
                yield name, inspect.cleandoc(docstring)
            case _:
                continue
