"""Checks every schema/*.schema.json: that it is a schema, and that its own samples are valid by it."""

import json
import sys
from pathlib import Path

import jsonschema


def problems(folder):
    schemas = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.schema.json"))}
    if not schemas:
        yield f"{folder} holds no schema"
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        samples = schema.get("examples", [])
        if not samples:
            yield f"{name} has no sample under \"examples\""
        resolver = jsonschema.RefResolver(base_uri="", referrer=schema, store=schemas)
        validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
        for number, sample in enumerate(samples):
            for error in validator.iter_errors(sample):
                yield f"{name}, sample {number}, {error.json_path}: {error.message}"


if __name__ == "__main__":
    found = list(problems(Path(sys.argv[1])))
    print("\n".join(found))
    sys.exit(bool(found))
