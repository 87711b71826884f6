"""A name from a table, as the type of an option: checked against the keys that the table has at that time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema


@dataclass(frozen=True, eq=False)
class KeyOf:
    """`Annotated[str, KeyOf(TABLE)]` is one of the table's keys. The JSON Schema lists them, as for a Literal.

    `others` are names that stand in no table and are allowed too.
    """

    table: Mapping[str, Any]
    others: tuple[str, ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._checked, serialization=core_schema.to_string_ser_schema()
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"enum": [*self.others, *self.table], "type": "string"}

    def _checked(self, value: Any) -> str:
        if not isinstance(value, str) or (value not in self.table and value not in self.others):
            raise PydanticKnownError("literal_error", {"expected": ", ".join((*self.others, *self.table))})
        return value
