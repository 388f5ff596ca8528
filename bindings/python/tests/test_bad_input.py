"""What is wrong is refused, by name, and leaves the engine as it was."""

import sqlite3

import pytest
from support import PNG, ROOMY, SMALL, closed_port

import mediagen


def refused(kind, call, *words):
    """The error that `call` raises; it is of this kind and names these words."""
    with pytest.raises(kind) as caught:
        call()
    for word in words:
        assert word in str(caught.value)
    assert caught.value.code == kind.code
    return caught.value


def test_an_unknown_configuration_key_is_refused_by_name(data_dir):
    error = refused(
        mediagen.InvalidError,
        lambda: mediagen.SyncEngine(data_dir=data_dir, colour="red"),
        '"colour"',
    )
    assert "dataDir" in str(error)


def test_an_unknown_key_deep_in_the_configuration_is_refused_by_name(data_dir):
    config = {"dataDir": data_dir, "queues": {"generate": {"speed": 9}}}
    refused(
        mediagen.InvalidError,
        lambda: mediagen.SyncEngine(config),
        '"speed"',
        "queues.generate",
    )


def test_a_configuration_that_is_not_json_is_refused_with_the_place():
    refused(mediagen.InvalidError, lambda: mediagen.SyncEngine('{"dataDir": '), "byte 13")


def test_a_file_in_the_place_of_the_data_directory_is_refused(tmp_path):
    place = tmp_path / "data"
    place.write_text("not a directory")
    refused(
        mediagen.ConflictError,
        lambda: mediagen.SyncEngine(data_dir=str(place)),
        str(place),
    )
    assert place.read_text() == "not a directory"


def test_a_data_directory_of_a_newer_schema_is_refused_and_left_alone(data_dir):
    mediagen.SyncEngine(data_dir=data_dir).close()
    with sqlite3.connect(data_dir + "/mediagen.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    refused(mediagen.UnsupportedError, lambda: mediagen.SyncEngine(data_dir=data_dir), "99")
    with sqlite3.connect(data_dir + "/mediagen.db") as database:
        assert database.execute("PRAGMA user_version").fetchone() == (99,)
    database.close()


def test_an_unknown_provider_is_refused_and_the_known_ones_are_named(blocking):
    submit = lambda: blocking.submit(prompt="a fox", user="u1", provider="nope")  # noqa: E731
    refused(mediagen.NotFoundError, submit, '"nope"', "sketch")


def test_a_provider_without_its_key_is_refused_and_the_variable_is_named(data_dir, monkeypatch):
    monkeypatch.delenv("MEDIAGEN_TEST_NO_KEY", raising=False)
    providers = {"replicate": {"apiKeyEnv": "MEDIAGEN_TEST_NO_KEY"}}
    with mediagen.SyncEngine(data_dir=data_dir, providers=providers) as engine:
        submit = lambda: engine.submit(
            prompt="a fox", user="u1", provider="replicate", model="a/b"
        )  # noqa: E731
        refused(mediagen.UnauthorizedError, submit, "MEDIAGEN_TEST_NO_KEY")


@pytest.mark.parametrize(
    ("request_document", "kind", "word"),
    [
        ({"prompt": ""}, mediagen.InvalidError, '"prompt"'),
        ({"prompt": "x" * (1 << 20)}, mediagen.TooLargeError, "1048576 bytes"),
        ({"prompt": 7}, mediagen.InvalidError, '"prompt"'),
        ({"prompt": "\ud800"}, mediagen.InvalidError, "UTF-8"),
        ({"prompt": b"a fox"}, mediagen.InvalidError, "JSON"),
        (
            {"prompt": "a fox", "metadata": {"x": float("nan")}},
            mediagen.InvalidError,
            "JSON",
        ),
        ({"prompt": "a fox", "n": 0}, mediagen.InvalidError, '"n"'),
        ({"prompt": "a fox", "seed": -1}, mediagen.InvalidError, '"seed"'),
        ({"prompt": "a fox", "colour": "red"}, mediagen.InvalidError, '"colour"'),
        ({"prompt": "a fox", "user": None}, mediagen.InvalidError, '"user"'),
        ({}, mediagen.InvalidError, '"prompt"'),
    ],
    ids=[
        "empty",
        "1 MB",
        "number",
        "surrogate",
        "bytes",
        "NaN",
        "n",
        "seed",
        "unknown",
        "no user",
        "no prompt",
    ],
)
def test_a_wrong_request_is_refused_with_the_field(blocking, request_document, kind, word):
    refused(
        kind,
        lambda: blocking.submit({"user": "u1", "provider": "sketch", **request_document}),
        word,
    )
    assert blocking.list().data == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b'{"user":"u1","provider":"sketch","prompt":"\xff\xfe"}', "UTF-8 at byte"),
        (b'{"user":"u1",', "JSON at byte"),
        (b"", "JSON"),
        (b"[]", "object"),
        (b'{"prompt":"a","prompt":"b","user":"u1","provider":"sketch"}', '"prompt"'),
        (b"[" * 100_000, "nested"),
    ],
    ids=["utf-8", "cut off", "empty", "array", "twice", "deep"],
)
def test_a_request_that_is_no_json_object_is_refused_with_the_place(blocking, text, word):
    refused(mediagen.InvalidError, lambda: blocking.submit(text), word)


def test_a_dead_provider_ends_the_generation_as_failed_with_a_clear_error(data_dir):
    port = closed_port()
    provider = {
        "apiKey": "k",
        "baseUrl": f"http://127.0.0.1:{port}",
        "allowPrivateNetwork": True,
    }
    config = {
        "providers": {"replicate": provider},
        "queues": {"generate": {"retry": {"tries": 1}}},
    }
    with mediagen.SyncEngine(config, data_dir=data_dir) as engine:
        with pytest.raises(mediagen.GenerationFailed) as caught:
            engine.generate(
                "a fox",
                user="u1",
                provider="replicate",
                model="black-forest-labs/flux-schnell",
            )
        record = caught.value.generation
        assert (record.status, record.outputs) == ("failed", [])
        assert caught.value.code == record.error["code"] == "unavailable"
        assert record.error["charged"] is False
        assert f"127.0.0.1:{port}" in str(caught.value)
        # The others are as well as before.
        assert engine.generate("a fox", **SMALL).outputs[0].read()[:8] == PNG


@pytest.mark.parametrize(
    "id",
    ["", "nope", "ext:nope", "0" * 36, "\x00", "01a1fa19-2b83-707a-b6af-59384eef5b22"],
    ids=repr,
)
def test_what_is_not_there_is_not_found(blocking, id):
    with pytest.raises((mediagen.NotFoundError, mediagen.InvalidError)):
        blocking.get(id)
    with pytest.raises((mediagen.NotFoundError, mediagen.InvalidError)):
        blocking.cancel(id)
    with pytest.raises((mediagen.NotFoundError, mediagen.InvalidError)):
        blocking.wait(id)


def test_a_wrong_cursor_filter_or_event_id_is_refused(blocking):
    refused(mediagen.InvalidError, lambda: blocking.list(cursor="c1.x"), "cursor")
    refused(
        mediagen.InvalidError,
        lambda: blocking.list(filter={"colour": "red"}),
        '"colour"',
    )
    refused(mediagen.InvalidError, lambda: blocking.list(limit=0), '"limit"')
    refused(mediagen.InvalidError, lambda: blocking.events(after="zzz"), "zzz")
    refused(
        mediagen.InvalidError,
        lambda: blocking.publish("generations", {}),
        "generations",
    )


def test_an_unknown_field_of_a_principal_is_refused(blocking):
    refused(mediagen.InvalidError, lambda: blocking.list(principal={"usr": "u1"}), '"usr"')


def test_an_error_says_code_message_and_hint(blocking):
    with pytest.raises(mediagen.MediagenError) as caught:
        blocking.submit(prompt="a fox", user="u1", provider="nope")
    error = caught.value
    assert error.code == "not_found"
    assert error.hint and error.hint in str(error)
    assert error.retry_after_ms is None


def test_text_takes_no_keywords(blocking):
    refused(mediagen.InvalidError, lambda: blocking.submit("{}", user="u1"), "keywords")


def test_a_library_that_is_not_one_is_refused(tmp_path, monkeypatch):
    from mediagen import _library

    fake = tmp_path / "libmediagen.so"
    fake.write_bytes(b"no library")
    monkeypatch.setenv("MEDIAGEN_LIBRARY", str(fake))
    with pytest.raises(OSError, match="MEDIAGEN_LIBRARY"):
        _library._load()


def test_limits_refuse_with_the_time_to_come_back(data_dir):
    with mediagen.SyncEngine(
        {**ROOMY, "rateLimits": {"generations": "1/h"}}, data_dir=data_dir
    ) as engine:
        body = b'{"provider":"sketch","prompt":"a fox","size":"64x64"}'
        ask = lambda: engine.handle(  # noqa: E731
            "POST",
            "/v1/generations",
            headers={"content-type": "application/json"},
            body=body,
            principal={"user": "u1"},
        )
        assert [ask().status, ask().status] == [202, 429]
        assert int(ask().header("Retry-After")) > 0
