"""A real application under uvicorn: four processes, one data directory."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support import PNG, closed_port, frames

HERE = Path(__file__).resolve().parent
WORKERS = 4
GENERATIONS = 12


class Server:
    """uvicorn with its workers; every request goes over a connection of its own, to whichever
    worker takes it.
    """

    def __init__(self, data_dir):
        self.url = f"http://127.0.0.1:{closed_port()}"
        port = self.url.rpartition(":")[2]
        environment = {
            **os.environ,
            "SERVED_DATA_DIR": data_dir,
            "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)]),
        }
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "served:app",
            "--workers",
            str(WORKERS),
            "--port",
            port,
        ]
        self.process = subprocess.Popen(
            [*command, "--no-access-log"],
            env=environment,
            cwd=data_dir,
            stderr=subprocess.PIPE,
            text=True,
        )
        no_reuse = httpx.Limits(max_keepalive_connections=0)
        self.http = httpx.Client(base_url=self.url + "/media", limits=no_reuse, timeout=120)
        started, said = 0, []
        while started < WORKERS:
            line = self.process.stderr.readline()
            said.append(line)
            assert line, "".join(said)
            started += "Application startup complete" in line

    def events(self, after=""):
        """A stream of events; ends with its context."""
        return self.http.stream("GET", f"/v1/events?topics=generations&after={after}")

    def stop(self):
        self.http.close()
        self.process.terminate()
        self.process.stderr.read()  # to the end: every worker is gone
        self.process.wait()
        self.process.stderr.close()


@pytest.fixture
def server(tmp_path):
    running = Server(str(tmp_path))
    yield running
    running.stop()


def submit(server, number):
    body = {"provider": "sketch", "prompt": f"fox {number}", "size": "64x64"}
    answer = server.http.post("/v1/generations", json=body)
    assert answer.status_code == 202
    return answer.json()["id"], answer.headers["x-worker"]


def completed(answer, ids):
    """Reads the stream until each of these generations is told as completed."""
    left, text = set(ids), b""
    for piece in answer.iter_bytes():
        text += piece
        whole, separator, text = text.rpartition(b"\n\n")
        for _, type, event in frames(whole + separator):
            if type == "generation.completed":
                left.discard(event["object"])
        if not left:
            return True
    return False


def test_four_workers_share_a_data_directory_and_one_may_die(server):
    accepted = [submit(server, number) for number in range(GENERATIONS)]
    ids = [id for id, _ in accepted]
    assert len(set(ids)) == GENERATIONS

    # The worker that took the first generation is killed, with whatever it was at.
    victim = accepted[0][1]
    os.kill(int(victim), signal.SIGKILL)

    # Streams from workers that live, until two of them differ, tell of all, those of the dead one
    # included.
    heard = set()
    with contextlib.ExitStack() as open_streams:
        streams = {}
        for _ in range(64):
            stream = open_streams.enter_context(server.events())
            streams.setdefault(stream.headers["x-worker"], stream)
            if len(streams) == 2:
                break
        assert len(streams) == 2, "every connection went to one worker"
        for worker, stream in streams.items():
            assert completed(stream, ids)
            heard.add(worker)
    assert victim not in heard and len(heard) == 2

    served_by = set()
    for id in ids:
        record = server.http.get(f"/v1/generations/{id}").json()
        assert record["status"] == "completed"
        url = server.url + record["outputs"][0]["url"]
        assert "/media/v1/outputs/" in url
        picture = server.http.get(url)
        assert (picture.status_code, picture.content[:8]) == (200, PNG)
        again = server.http.get(url, headers={"if-none-match": picture.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        served_by |= {picture.headers["x-worker"], again.headers["x-worker"]}
    assert victim not in served_by

    page = server.http.get("/v1/generations?limit=50").json()
    assert {row["id"] for row in page["data"]} == set(ids)
