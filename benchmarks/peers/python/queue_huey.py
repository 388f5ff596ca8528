"""A queue's work, by huey on SQLite: jobs of 200 bytes are enqueued, then worked off; every one must come
exactly once.

    python queue_huey.py full|relaxed JOBS FOLDER

Prints {"enqueue": jobs/s, "process": jobs/s, "cycle": jobs/s, "version": "…"} or ends with an error. huey takes
a job off its table before it runs it and has no lease: what a killed worker held is lost. It has no bulk
enqueue either. "relaxed" is its fsync=False (synchronous=OFF, which is less than the others keep).
"""

import importlib.metadata
import json
import logging
import os
import sys
import threading
import time

from huey import SqliteHuey

durability, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
logging.getLogger("huey").setLevel(logging.ERROR)
queue = SqliteHuey(
    "bench",
    filename=os.path.join(folder, "huey.db"),
    fsync=durability == "full",
    results=False,
)
seen = bytearray(count)
left = count
done = threading.Event()


@queue.task()
def work(n, text):
    global left
    if seen[n]:
        print(f"job {n} came twice", file=sys.stderr)
        os._exit(1)
    seen[n] = 1
    left -= 1  # one worker thread
    if left == 0:
        done.set()


def text_of(n):
    return "x" * (200 - len(f'{{"n":{n},"text":""}}'))


start = time.perf_counter()
for n in range(count):
    work(n, text_of(n))
enqueued = time.perf_counter()
consumer = queue.create_consumer(
    workers=1,
    periodic=False,
    initial_delay=0.001,
    backoff=1.0,
    max_delay=0.001,
    check_worker_health=False,
)
consumer.start()
if not done.wait(300):
    print(f"{left} jobs did not come", file=sys.stderr)
    os._exit(1)
end = time.perf_counter()
print(
    json.dumps(
        {
            "enqueue": count / (enqueued - start),
            "process": count / (end - enqueued),
            "cycle": count / (end - start),
            "version": importlib.metadata.version("huey"),
        }
    ),
    flush=True,
)
os._exit(0)
