"""Image: the codec from Python."""

import base64
import threading

import pytest

from mediagen import Image, InvalidError, TooLargeError, UnsupportedError, trim


def gradient(width, height, channels=3):
    rows = bytearray()
    for y in range(height):
        for x in range(width):
            rows += bytes([x * 255 // width, y * 255 // height, 128, 255][:channels])
    return Image.from_pixels(width, height, rows, channels=channels)


def test_pixels_go_in_and_come_out_as_they_are():
    picture = gradient(7, 5)
    assert (picture.width, picture.height, picture.channels) == (7, 5, 3)
    view = picture.pixels()
    assert len(view) == 7 * 5 * 3 and view.readonly
    assert bytes(view[:3]) == bytes([0, 0, 128])
    del picture
    assert bytes(view[:3]) == bytes([0, 0, 128])  # the view keeps them alive


@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_formats_give_back_every_pixel(channels):
    picture = gradient(33, 21, channels)
    for data in (picture.encode("png"), picture.encode("webp", lossless=True)):
        again = Image.decode(data)
        assert bytes(again.pixels())[: 3 * 33] == bytes(picture.pixels())[: 3 * 33] or channels == 4
        assert (again.width, again.height) == (33, 21)


def test_probe_says_what_the_headers_say():
    data = gradient(40, 30).encode("jpeg", quality=80)
    said = Image.probe(data)
    assert said["format"] == "jpeg" and said["mediaType"] == "image/jpeg"
    assert (said["width"], said["height"], said["frames"]) == (40, 30, 1)
    assert said["bytes"] == len(data)
    assert said["prompt"] is None and said["c2pa"] is False


def test_text_is_a_picture_too():
    data = gradient(20, 10).encode("png")
    plain = base64.b64encode(data).decode()
    for text in (plain, "data:image/png;base64," + plain, plain[:40] + "\r\n" + plain[40:]):
        assert Image.decode(text).width == 20
        assert Image.probe(text)["height"] == 10


def test_resize_fits():
    picture = gradient(200, 100)
    assert picture.resize(50, 50, fit="cover").height == 50
    assert picture.resize(50).height == 25
    assert picture.resize(400).width == 200
    assert picture.resize(400, enlarge=True, filter="lanczos3").width == 400
    assert picture.resize(50, 50, fit="contain").channels == 4
    left = picture.resize(50, 50, fit="cover", x=0).pixels()[0]
    assert left < picture.resize(50, 50, fit="cover", x=1).pixels()[0]


def test_a_large_jpeg_is_reduced_while_it_is_decoded():
    data = gradient(800, 600).encode("jpeg")
    assert Image.decode(data, width=100, height=75).width == 100
    assert Image.decode(data).width == 800


def test_thumbhash_both_ways_and_the_average():
    picture = gradient(64, 48)
    hash = picture.thumbhash()
    assert 5 <= len(hash) <= 25
    small = Image.from_thumbhash(hash)
    assert max(small.width, small.height) == 32 and small.channels == 4
    colour = picture.average()
    assert colour["blue"] == 128 and colour["hex"].endswith("80")


def test_what_is_wrong_is_said():
    with pytest.raises(InvalidError, match="truncated"):
        Image.decode(gradient(20, 10).encode("png")[:60])
    with pytest.raises(InvalidError, match="empty"):
        Image.probe(b"")
    with pytest.raises(UnsupportedError):
        Image.decode(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(TooLargeError, match="pixels"):
        Image.decode(gradient(20, 10).encode("png"), max_pixels=100)
    with pytest.raises(InvalidError, match="fit"):
        gradient(4, 4).resize(2, fit="squeeze")
    with pytest.raises(InvalidError, match="colour"):
        gradient(4, 4).encode("jpeg", background="white")
    with pytest.raises(InvalidError, match="not 30"):
        Image.from_pixels(3, 3, bytes(30), channels=3)
    with pytest.raises(InvalidError, match="ThumbHash"):
        Image.from_thumbhash(b"1234")


def test_many_threads_share_one_picture():
    picture = gradient(120, 90)
    wanted = picture.resize(30, 30).encode("png")
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(picture.resize(30, 30).encode("png")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [wanted] * 8
    trim()


# Two frames of 2x1: red beside nothing for 70 ms, then green beside red for 200 ms; shown three times.
GIF = bytes.fromhex(
    "47494638396102000100f00000ff000000ff00"
    "21ff0b4e45545343415045322e300301020000"
    "21f90405070001002c0000000002000100000202440a00"
    "21f90404140000002c01000000010001000002024c01003b"
)


def test_all_frames_of_an_animation():
    animation = Image.decode_all(GIF)
    assert animation.loops == 3
    assert [frame.duration_ms for frame in animation.frames] == [70, 200]
    first, second = (bytes(frame.image.pixels()) for frame in animation.frames)
    assert first == bytes([255, 0, 0, 255, 0, 0, 0, 0])
    assert second == bytes([255, 0, 0, 255, 0, 255, 0, 255])
    [only] = Image.decode_all(gradient(4, 3).encode("png")).frames
    assert (only.image.width, only.image.height) == (4, 3)
    with pytest.raises(TooLargeError):
        Image.decode_all(GIF, max_frames=1)
