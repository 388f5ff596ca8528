"""Documents going in: JSON, with Python's snake_case keywords as the camelCase fields that they
name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Union

from ._errors import InvalidError

# A JSON document: as Python values, or as text that is passed on unread.
Document = Union[Mapping[str, Any], str, bytes]
# Who asks: {"user", "groups", "roles", "ip", "auth"}; None is the host itself, which sees all.
Principal = Union[Mapping[str, Any], None]


def camel(name: str) -> str:
    """ "negative_prompt" → "negativePrompt"."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def fields(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords as fields; None is a field that was not given."""
    return {camel(name): value for name, value in keywords.items() if value is not None}


def encode(value: Any) -> bytes:
    """`value` as JSON; text and bytes are passed on as they are.

    Raises InvalidError for what JSON cannot say.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return dump(value)


def dump(value: Any) -> bytes:
    """`value` as JSON, a string as a JSON string.

    Raises InvalidError for what JSON cannot say.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise InvalidError(f"The document cannot be written as JSON: {error}.") from error
    return text.encode("utf-8", "surrogatepass")


def merge(document: Document | None, keywords: Mapping[str, Any]) -> bytes:
    """`document` with the keywords over it. Text can have no keywords beside it."""
    extra = fields(keywords)
    if document is None:
        return encode(extra)
    if isinstance(document, (str, bytes)):
        if extra:
            raise InvalidError(
                "A document that is text takes no keywords.",
                hint="Pass a dict instead.",
            )
        return encode(document)
    return encode({**document, **extra})


def bytes_of(picture: bytes | bytearray | memoryview | os.PathLike[str] | str) -> bytes:
    """A picture's bytes, or those of the file at a path."""
    if isinstance(picture, (str, os.PathLike)):
        with open(picture, "rb") as file:
            return file.read()
    return bytes(picture)


def who(principal: Principal) -> bytes:
    """A principal as the library takes it."""
    return b"" if principal is None else encode(dict(principal))
