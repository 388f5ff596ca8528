# Every document schema is one, and its samples are valid by it.
exec /usr/bin/python3 tools/check_schemas.py schema
