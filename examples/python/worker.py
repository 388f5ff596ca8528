"""Works jobs of its own, and draws for a provider of its own.

    PYTHONPATH=bindings/python python3 examples/python/worker.py

Start it in several terminals: they share the work. Ctrl-C lets what runs end, and hands back the rest.
"""

import asyncio
import logging
import struct
import zlib

import mediagen

engine = mediagen.Engine(
    data_dir="./mediagen-data",
    providers={"stripes": {"type": "host", "billing": "none"}},
)


@engine.worker("email", concurrency=4)
async def send(job, context):
    await context.progress(0.5, message="composed")
    if "@" not in job.payload["to"]:
        raise mediagen.Discard("There is no such address.")
    print("mail to", job.payload["to"], "about", job.payload["picture"])


def png(width, height, rows):
    def chunk(kind, data):
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@engine.provider("stripes", concurrency=2)
def draw(request, context):  # a plain function: a thread of its own
    width, height = request.size or (256, 256)
    colours = [zlib.crc32(f"{request.prompt}{n}".encode()).to_bytes(4, "big")[:3] for n in range(8)]
    rows = [b"\0" + colours[y * 8 // height] * width for y in range(height)]
    context.progress(1.0)
    return [png(width, height, b"".join(rows))] * request.n


async def main():
    async with engine:
        generation = await engine.generate("a flag", user="ada", provider="stripes")
        mail = {"to": "ada@example.org", "picture": generation.outputs[0]["url"]}
        await engine.queue.enqueue("email", "send", mail, user="ada")
        await engine.run_workers()


logging.basicConfig()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
