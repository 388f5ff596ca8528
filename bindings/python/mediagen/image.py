"""Image: the codec alone. Probe, decode, resize, encode, ThumbHash; no engine, no thread, no file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ctypes import byref, c_int64, c_uint32, c_void_p
from typing import Any, NamedTuple, Union

from ._buffer import document, own, take
from ._document import encode, fields
from ._errors import check
from ._handle import Handle
from ._library import Text, library, text

Bytes = Union[bytes, bytearray, memoryview]
Picture = Union[bytes, bytearray, memoryview, str]  # text: a data URL or base64


def _text(picture: Picture) -> Text:
    return text(picture if isinstance(picture, str) else bytes(picture))


def _options(keywords: Mapping[str, Any]) -> Text:
    return text(encode(fields(keywords)))


class Image:
    """A decoded picture. Immutable; any thread may use it.

    >>> picture = Image.decode(open("fox.png", "rb").read())
    >>> picture.resize(300, 300, fit="cover").encode("webp", quality=85)

    The library's work releases the interpreter's lock, so threads decode in parallel.
    """

    def __init__(self, handle: Handle) -> None:
        """Of a handle of the library; see decode, from_pixels and from_thumbhash."""
        self._handle = handle
        width, height, channels = c_uint32(), c_uint32(), c_uint32()
        check(library().image_size(handle, byref(width), byref(height), byref(channels)))
        self.width: int = width.value
        self.height: int = height.value
        self.channels: int = channels.value  # 3: RGB, 4: RGBA with straight alpha

    @staticmethod
    def probe(picture: Picture) -> dict[str, Any]:
        """What the headers say: "format", "mediaType", "bytes", "width", "height" (as stored),
        "orientation", "alpha", "frames", "icc", "c2pa", "prompt".
        """
        out, error = c_void_p(), c_void_p()
        check(library().image_probe(_text(picture), byref(out), byref(error)), error)
        said: dict[str, Any] = document(out)
        return said

    @classmethod
    def decode(
        cls,
        picture: Picture,
        *,
        width: int | None = None,
        height: int | None = None,
        orientation: bool = True,
        to_srgb: bool = True,
        **limits: int,
    ) -> Image:
        """The first frame of a PNG, JPEG, WebP or GIF, in sRGB and turned as its EXIF says.

        width, height: it will be reduced to about that, so a decoder that can reduce cheaply may
        return anything that still covers it. limits: max_pixels, max_bytes, max_ms.
        """
        options = {
            "width": width,
            "height": height,
            "orientation": orientation,
            "to_srgb": to_srgb,
        }
        given = _options({**options, **limits})
        data = _text(picture)
        return cls._made(lambda *out: library().image_decode(data, given, *out))

    @classmethod
    def decode_all(cls, picture: Picture, **options: Any) -> Animation:
        """All frames of an animated GIF or WebP, each the whole canvas as it is shown; one of
        anything else.

        options: orientation, to_srgb and the limits of decode, max_frames, max_animation_bytes.
        """
        out, error = c_void_p(), c_void_p()
        data, given = _text(picture), _options(options)
        check(library().animation_decode(data, given, byref(out), byref(error)), error)
        animation = Handle(out, library().animation_free)
        count, loops = c_uint32(), c_uint32()
        check(library().animation_info(animation, byref(count), byref(loops)))
        frames = []
        for index in range(count.value):
            duration = c_int64()
            one = cls._made(
                lambda *out: library().animation_frame(animation, index, out[0], duration, out[1])
            )
            frames.append(Frame(one, duration.value))
        return Animation(frames, loops.value)

    @classmethod
    def from_pixels(cls, width: int, height: int, pixels: Bytes, *, channels: int = 4) -> Image:
        """Of RGB (3) or RGBA (4) rows, top row first, without gaps. The bytes are copied."""
        data = _text(pixels)
        return cls._made(lambda *out: library().image_new(width, height, channels, data, *out))

    @classmethod
    def from_thumbhash(cls, hash: Bytes) -> Image:
        """What a ThumbHash looks like: RGBA, at most 32 pixels a side."""
        data = _text(hash)
        return cls._made(lambda *out: library().image_from_thumbhash(data, *out))

    def resize(
        self,
        width: int | None = None,
        height: int | None = None,
        *,
        fit: str = "inside",
        enlarge: bool = False,
        filter: str = "catmull-rom",
        linear_light: bool = False,
        x: float = 0.5,
        y: float = 0.5,
    ) -> Image:
        """Another picture of that size; one side follows from the other.

        fit: "inside", "cover", "contain", "outside" or "fill". filter: "catmull-rom" or
        "lanczos3". x, y: what cover keeps and where contain puts the picture, 0 to 1.
        """
        options = _options(
            {
                "width": width,
                "height": height,
                "fit": fit,
                "enlarge": enlarge,
                "filter": filter,
                "linear_light": linear_light,
                "x": x,
                "y": y,
            }
        )
        return self._made(lambda *out: library().image_resize(self._handle, options, *out))

    def encode(self, format: str = "webp", **options: Any) -> bytes:
        """As "webp", "jpeg" or "png".

        options: quality, method and lossless (WebP), chroma, progressive and optimize (JPEG),
        level (PNG), background ("#ffffff", under alpha where the format has none).
        """
        given = _options({"format": format, **options})
        out, error = c_void_p(), c_void_p()
        check(library().image_encode(self._handle, given, byref(out), byref(error)), error)
        return take(out)

    def thumbhash(self) -> bytes:
        """5 to 25 bytes that look like the picture."""
        out, error = c_void_p(), c_void_p()
        check(library().image_thumbhash(self._handle, byref(out), byref(error)), error)
        return take(out)

    def average(self) -> dict[str, Any]:
        """The average colour: "red", "green", "blue", "alpha", "hex"."""
        out, error = c_void_p(), c_void_p()
        check(library().image_average(self._handle, byref(out), byref(error)), error)
        colour: dict[str, Any] = document(out)
        return colour

    def pixels(self) -> memoryview:
        """The rows, without a copy; the view keeps them alive."""
        out = c_void_p()
        check(library().image_pixels(self._handle, byref(out)))
        return own(out)

    def __repr__(self) -> str:
        return f"<Image {self.width}x{self.height}, {'RGBA' if self.channels == 4 else 'RGB'}>"

    @classmethod
    def _made(cls, function: Callable[..., int]) -> Image:
        out, error = c_void_p(), c_void_p()
        check(function(byref(out), byref(error)), error)
        return cls(Handle(out, library().image_free))


class Frame(NamedTuple):
    """One frame of an animation."""

    image: Image
    duration_ms: int


class Animation(NamedTuple):
    """The frames in order, and how often all of them are shown (0: forever)."""

    frames: list[Frame]
    loops: int


def trim() -> None:
    """Gives the buffers back to the system that are kept for the next pictures."""
    library().trim()
