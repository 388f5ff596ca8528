"""ask.c for a Python host: ask.py CONFIG-FILE [REQUEST-FILE]."""

import json
import sys
from pathlib import Path

import mediagen


def main() -> int:
    files = [Path(path).read_bytes() for path in sys.argv[1:]]
    try:
        with mediagen.SyncEngine(files[0]) as engine:
            if len(files) > 1:
                record = engine.submit(files[1])
                print(json.dumps(engine.wait(record.id)))
    except mediagen.MediagenError as error:
        print(json.dumps({"code": error.code, "message": error.message, "hint": error.hint}))
        return 1
    return 0


sys.exit(main())
