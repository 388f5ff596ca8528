"""A WebM film (RFC 9559, RFC 8794) out of WebP pictures, without an encoder.

A lossy WebP picture is one VP8 key frame in a RIFF wrapping (RFC 9649), so a film of key frames needs no more
than another wrapping. It can be sought in everywhere: the cues at its end name every frame.
"""

import struct


def key_frame(webp: bytes) -> bytes:
    """The VP8 key frame of a lossy WebP picture without alpha."""
    if webp[:4] != b"RIFF" or webp[8:16] != b"WEBPVP8 ":
        raise ValueError("not a simple lossy WebP picture")
    return webp[20 : 20 + int.from_bytes(webp[16:20], "little")]


def film(frames: list[bytes], side: int, frame_ms: int) -> bytes:
    """One cluster a frame, so that a player has reason to jump; the cues stand last, so that it must."""
    head = element(
        0x1A45DFA3,
        number(0x4286, 1) + number(0x42F7, 1) + number(0x42F2, 4) + number(0x42F3, 8),
        element(0x4282, b"webm") + number(0x4287, 2) + number(0x4285, 2),
    )
    info = element(0x1549A966, number(0x2AD7B1, 1_000_000), real(0x4489, len(frames) * frame_ms))
    video = element(0xE0, number(0xB0, side) + number(0xBA, side))
    track = number(0xD7, 1) + number(0x73C5, 1) + number(0x83, 1) + element(0x86, b"V_VP8") + video
    tracks = element(0x1654AE6B, element(0xAE, track))
    clusters = [cluster(frame, i * frame_ms) for i, frame in enumerate(frames)]
    seek_size = len(seek_head(0, 0, 0))
    first = seek_size + len(info) + len(tracks)
    points, at = b"", first
    for i, one in enumerate(clusters):
        place = element(0xB7, number(0xF7, 1) + number(0xF1, at))
        points += element(0xBB, number(0xB3, i * frame_ms) + place)
        at += len(one)
    seek = seek_head(seek_size, seek_size + len(info), at)
    body = seek + info + tracks + b"".join(clusters) + element(0x1C53BB6B, points)
    return head + element(0x18538067, body)


def cluster(frame: bytes, at_ms: int) -> bytes:
    block = element(0xA3, b"\x81\x00\x00\x80" + frame)  # track 1, 0 ms into the cluster, a key frame
    return element(0x1F43B675, number(0xE7, at_ms), block)


def seek_head(info: int, tracks: int, cues: int) -> bytes:
    """Where info, tracks and cues stand in the segment; of the same size whatever the places."""
    places = ((0x1549A966, info), (0x1654AE6B, tracks), (0x1C53BB6B, cues))
    seeks = (
        element(0x4DBB, element(0x53AB, id_bytes(id)) + element(0x53AC, at.to_bytes(8, "big")))
        for id, at in places
    )
    return element(0x114D9B74, *seeks)


def element(id: int, *content: bytes) -> bytes:
    data = b"".join(content)
    size = bytes([0x80 | len(data)]) if len(data) < 127 else (len(data) | 1 << 56).to_bytes(8, "big")
    return id_bytes(id) + size + data


def number(id: int, value: int) -> bytes:
    return element(id, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def real(id: int, value: float) -> bytes:
    return element(id, struct.pack(">d", value))


def id_bytes(id: int) -> bytes:
    return id.to_bytes((id.bit_length() + 7) // 8, "big")
