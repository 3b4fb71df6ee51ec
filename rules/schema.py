"""The JSON Schema of a pack file, generated from its contract for editors; nothing validates with it here."""

import json
from typing import Any

from models.contracts.pack import Pack
from rules.library import RULES

SCHEMA = RULES / "pack.schema.json"
ONE_OR_MANY = ("anchor", "met_by")
"""Keys of a duty that take one event or a list."""


def schema_text() -> str:
    """The schema as it stands in the file; loose where the reader is: one event or many, `by: law` or a map."""
    schema: dict[str, Any] = Pack.model_json_schema()
    duty = schema["$defs"]["Duty"]["properties"]
    for key in ONE_OR_MANY:
        duty[key] = {
            "anyOf": [duty[key]["items"], duty[key]],
            **{k: duty[key][k] for k in ("title",) if k in duty[key]},
        }
    duty["by"] = {"anyOf": [{"$ref": "#/$defs/By"}, duty["by"]]}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "安责险规则包",
        **{key: value for key, value in schema.items() if key != "title"},
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
