"""One table of what can be wrong, asked by a C program, a Python program and the mediagen command: each host gets the
same code and a message that names what is wrong, and nothing is lost or made.

    bad_input.py FOLDER-OF-THE-BUILD ASK-IN-C
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD, ASK = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
KEYLESS = {"apiKeyEnv": "MEDIAGEN_TEST_NO_KEY"}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Row:
    name: str
    code: str
    words: list[str]
    config: dict | bytes = field(default_factory=dict)  # beside dataDir; or the text itself
    request: dict | bytes | None = None  # beside user and prompt; or the text itself
    prepare: Callable[[Path], None] | None = None
    within: Callable[[Path], list[str]] | None = None  # the command that the host is run by
    rests: bool = False  # it is accepted, and fails as a generation
    hosts: tuple[str, ...] = ("c", "python", "command")


def newer_schema(data: Path) -> None:
    subprocess.run([BUILD / "mediagen", "--data", data, "list"], check=True, capture_output=True)
    with contextlib.closing(sqlite3.connect(data / "mediagen.db")) as database:
        database.execute("PRAGMA user_version = 99")
        database.commit()


def damaged(data: Path) -> None:
    data.mkdir()
    (data / "mediagen.db").write_bytes(b"this is no database" * 1000)


def small_disk(data: Path) -> list[str]:
    data.mkdir()
    mount = f'mount -t tmpfs -o size=40m tmpfs "{data}" && exec "$@"'
    return [*NAMESPACE, "sh", "-c", mount, "small_disk"]


def network(data: Path) -> list[str]:
    """A process whose mount table says that `data` came by NFS; no server is needed to see what it does then."""
    data.mkdir()
    table = data.with_name("mountinfo")
    line = f"900 1 0:99 / {data} rw,relatime - nfs4 files.example:/export rw,vers=4.2\n"
    table.write_text(Path("/proc/self/mountinfo").read_text() + line)
    mount = f'mount --bind "{table}" /proc/$$/mountinfo && exec "$@"'
    return [*NAMESPACE, "sh", "-c", mount, "network"]


def unreadable(data: Path) -> list[str]:
    data.mkdir(mode=0)
    # Root reads everything, unless it gives up the right.
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


# A mount table of its own; who is not root becomes root of a user namespace.
NAMESPACE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]

ROWS = [
    Row("an unknown key of the configuration", "invalid", ["colour", "dataDir"], {"colour": "red"}),
    Row("an unknown key deep in it", "invalid", ["speed"], {"queues": {"generate": {"speed": 9}}}),
    Row("a configuration cut off", "invalid", ["JSON", "byte 13"], b'{"dataDir": '),
    Row("a configuration that is no object", "invalid", ["object"], b"[]"),
    Row("a file in the place of the data directory", "conflict", ["data"], prepare=lambda d: d.write_text("x")),
    Row("a data directory that cannot be made", "not_found", ["/proc/nowhere"], {"dataDir": "/proc/nowhere"}),
    Row("a data directory that may not be read", "unavailable", ["data"], within=unreadable),
    Row("a data directory of a newer schema", "unsupported", ["99"], prepare=newer_schema),
    Row("a database that is none", "corrupt", ["mediagen.db"], prepare=damaged),
    Row("a network file system", "invalid", ["nfs4", "postgres://", "data"], within=network),
    Row("a full disk", "storage_full", ["free"], {}, {}, within=small_disk),
    Row("an unknown provider in the configuration", "not_found", ["dalle"], {"providers": {"dalle": {}}}),
    Row("an unknown provider", "not_found", ['"nobody"', "sketch"], {}, {"provider": "nobody"}),
    Row("a missing key", "unauthorized", ["MEDIAGEN_TEST_NO_KEY"], {"providers": {"replicate": KEYLESS}},
        {"provider": "replicate", "model": "a/b"}),
    Row("an empty prompt", "invalid", ["prompt"], {}, {"prompt": ""}),
    Row("a prompt of blanks", "invalid", ["prompt"], {}, {"prompt": " \n "}),
    Row("a prompt of 1 MB", "too_large", ["1048576"], {}, {"prompt": "x" * (1 << 20)}),
    Row("a prompt that is no UTF-8", "invalid", ["UTF-8"], {}, {"prompt": "a \udcff fox"}),
    Row("a request cut off", "invalid", ["JSON at byte"], {}, b'{"user":"u1",', hosts=("c", "python")),
    Row("a request with an unknown field", "invalid", ['"promt"'], {}, {"promt": "x"}, hosts=("c", "python")),
    Row("a dead provider", "unavailable", ["127.0.0.1"], {
        "providers": {"replicate": {"apiKey": "r8_x", "baseUrl": f"http://127.0.0.1:{closed_port()}",
                                    "allowPrivateNetwork": True}},
        "queues": {"generate": {"retry": {"tries": 1}}}}, {"provider": "replicate", "model": "a/b"}, rests=True),
]  # fmt: skip


def command_line(config: str, request: dict | bytes | None) -> tuple[list[str], bytes]:
    """The mediagen command for a request, and its input."""
    line = [str(BUILD / "mediagen"), "--json", "--config", config]
    if not isinstance(request, dict):
        return [*line, "list"], b""
    line += ["generate", "--user", "u1", "--provider", request["provider"]]
    if "model" in request:
        line += ["--model", request["model"]]
    prompt = os.fsencode(request["prompt"])
    return ([*line, "-"], prompt) if len(prompt) > 100_000 else ([*line, "--", os.fsdecode(prompt)], b"")


def ask(host: str, config: dict | bytes, request: dict | bytes | None, within: list[str] | None = None):
    """The exit code, and the last line that the host printed, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "config.json"]
        files[0].write_bytes(config if isinstance(config, bytes) else json.dumps(config).encode())
        if request is not None and host != "command":
            files.append(Path(folder) / "request.json")
            text = request if isinstance(request, bytes) else json.dumps(request, ensure_ascii=False)
            files[1].write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
        line = {"c": [str(ASK)], "python": [sys.executable, str(HERE / "ask.py")], "command": []}[host]
        given = b""
        line += [str(path) for path in files]
        if host == "command":
            line, given = command_line(str(files[0]), request)
        environment = {**os.environ, "MEDIAGEN_LIBRARY": str(BUILD / "libmediagen.so"),
                       "PYTHONPATH": str(HERE.parents[1] / "bindings/python")}  # fmt: skip
        environment.pop("MEDIAGEN_TEST_NO_KEY", None)
        done = subprocess.run([*(within or []), *line], input=given, capture_output=True, env=environment, timeout=120)
    lines = done.stdout.decode().strip().splitlines()
    assert lines, f"exit code {done.returncode}, no answer; it said: {done.stderr.decode()[-2000:]}"
    return done.returncode, json.loads(lines[-1])


def check(row: Row, host: str, folder: Path) -> None:
    data = folder / "data"
    if row.prepare:
        row.prepare(data)
    config: dict | bytes = row.config
    if isinstance(config, dict):
        config = {"dataDir": str(data), **config}
    request = row.request
    if isinstance(request, dict):
        request = {"user": "u1", "provider": "sketch", "prompt": "a red fox", **request}
    code, answer = ask(host, config, request, row.within(data) if row.within else None)
    error = answer
    if row.rests:
        assert answer["status"] == "failed", answer
        error = answer["error"]
    else:
        assert code == 1, (code, answer)
    assert error["code"] == row.code, error
    said = error["message"] + (error.get("hint") or "")
    assert [word for word in row.words if word not in said] == [], error
    if row.request is not None and not row.rests and not row.within:
        with contextlib.closing(sqlite3.connect(data / "mediagen.db")) as database:
            assert database.execute("SELECT count(*) FROM generation").fetchone() == (0,)


def missing(row: Row) -> str:
    if row.within not in (small_disk, network) or subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode == 0:
        return ""
    return f"{row.name}: no mount namespace may be made here"


def results() -> Iterator[str]:
    for row in ROWS:
        if reason := missing(row):
            print(f"SKIP: {reason}")
            yield "skipped"
            continue
        for host in row.hosts:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    check(row, host, Path(folder))
                    yield "passed"
                except (AssertionError, KeyError, subprocess.TimeoutExpired) as error:
                    print(f"FAILED: {row.name}, by {host}: {error!r}")
                    yield "failed"


def main() -> int:
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for result in results():
        counts[result] += 1
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return counts["failed"] > 0


if __name__ == "__main__":
    sys.exit(main())
