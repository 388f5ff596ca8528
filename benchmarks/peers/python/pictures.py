"""The pictures' work by Pillow. Reads questions, a line of JSON each, and answers each with a line:

    {"work": "thumbs" | "resize" | "webp", "form", "file", "flight", "times", "out"?, …the work's own settings}

does the work `times` times in `flight` threads (Pillow lets go of the interpreter's lock while it decodes, resizes
and encodes), and says {"ms": elapsed / times, "cpuMs": of all threads,
"version"}. With "out" the results are written there, too.
"""

import io
import json
import sys
import threading
import time

import PIL
from PIL import Image, features

SIZES = (600, 300, 150)
FILTERS = {"lanczos3": Image.Resampling.LANCZOS, "catmull-rom": Image.Resampling.BICUBIC}
files = {}


def picture_of(q):
    if q["file"] not in files:
        with open(q["file"], "rb") as file:
            files[q["file"]] = file.read()
    return Image.open(io.BytesIO(files[q["file"]]))


def jpeg(picture, q):
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=q["quality"], subsampling="4:2:0", optimize=q["optimise"])
    return out.getvalue()


# Its bicubic filter is Catmull-Rom's (a = -0.5), widened by the reduction.
def thumbs(q):
    picture = picture_of(q)
    picture.load()
    made = []
    for side in SIZES:
        small = picture.resize((side, side), FILTERS[q["filter"]])
        made.append(jpeg(small, q))
        if q["form"] == "pyramid":
            picture = small
    return made


def resize(q):
    picture = picture_of(q)
    height = round(picture.height * q["width"] / picture.width)
    picture.draft("RGB", (q["width"], height))  # reduced while it is decoded
    return [jpeg(picture.resize((q["width"], height), FILTERS[q["filter"]]), q)]


def webp(q):
    out = io.BytesIO()
    picture_of(q).save(out, "WEBP", quality=q["quality"], method=q["method"])
    return [out.getvalue()]


def answer(q):
    work = {"thumbs": thumbs, "resize": resize, "webp": webp}[q["work"]]
    left = [None] * q["times"]

    def loop():
        while True:
            try:
                left.pop()
            except IndexError:
                return
            work(q)

    work(q)
    others = [threading.Thread(target=loop) for _ in range(q["flight"] - 1)]
    cpu = time.process_time()
    start = time.perf_counter()
    for other in others:
        other.start()
    loop()
    for other in others:
        other.join()
    said = {
        "ms": (time.perf_counter() - start) * 1000 / q["times"],
        "cpuMs": (time.process_time() - cpu) * 1000 / q["times"],
        "version": PIL.__version__,
    }
    if "out" in q:
        for i, made in enumerate(work(q)):
            with open(f"{q['out']}.{i}", "wb") as file:
                file.write(made)
    if q["work"] == "webp":
        said["version"] += f" (libwebp {features.version('webp')})"
    return said


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
