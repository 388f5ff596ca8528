"""What needs no library."""

import pytest

import mediagen
from mediagen import _document, _errors

pytestmark = pytest.mark.pure


def test_keywords_become_the_fields_that_they_name():
    given = {
        "negative_prompt": "x",
        "n": 1,
        "deadline_ms": 5,
        "idempotency_key": None,
        "webhookUrl": "u",
    }
    assert _document.fields(given) == {
        "negativePrompt": "x",
        "n": 1,
        "deadlineMs": 5,
        "webhookUrl": "u",
    }


def test_keywords_win_over_the_document():
    assert _document.merge({"a": 1, "b": 2}, {"b": 3}) == b'{"a":1,"b":3}'
    assert _document.merge(None, {}) == b"{}"
    assert _document.merge(b'{"a"', {}) == b'{"a"'


def test_text_stays_text():
    assert _document.encode({"prompt": "\u2603"}) == '{"prompt":"\u2603"}'.encode()


def test_every_code_has_a_class_of_its_own():
    codes = """
        invalid not_found unauthorized forbidden conflict rate_limited budget_exceeded overloaded
        unavailable unsupported too_large timeout canceled forked closed stale_fence stale
        unknown_outcome provider_rejected safety storage_full corrupt internal
    """
    for code in codes.split():
        error = _errors.from_document(
            {
                "code": code,
                "message": "m",
                "hint": "h",
                "retryAfterMs": 5,
                "object": "o",
            }
        )
        assert type(error) is not mediagen.MediagenError
        assert (
            error.code,
            error.message,
            error.hint,
            error.retry_after_ms,
            error.object,
        ) == (code, "m", "h", 5, "o")


def test_a_code_of_a_later_version_is_an_error_all_the_same():
    error = _errors.from_document({"code": "new_one", "message": "m"})
    assert type(error) is mediagen.MediagenError and error.code == "new_one"


def test_a_failed_generation_says_why():
    error = mediagen.GenerationFailed({"id": "g", "status": "unknown", "error": None})
    assert error.code == "unknown_outcome" and "unknown" in str(error)
