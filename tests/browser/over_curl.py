"""The answers as curl gets them, byte by byte."""

import json
import subprocess


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            assert name.lower() not in self.fields, f"{name} is sent twice"
            self.fields[name.lower()] = value.strip()

    def __getitem__(self, name):
        return self.fields.get(name)


def curl(media, target, *arguments):
    command = ["curl", "--silent", "--show-error", "--max-time", "30", "--include", *arguments]
    command.append(f"{media.origin}/media{target}")
    return Answer(subprocess.run(command, check=True, capture_output=True).stdout)


def things(media):
    """(URL, bytes) of a picture and a film."""
    return ((media.picture["url"], media.picture_bytes), (media.film["url"], media.film_bytes))


def check_whole(media):
    """200 has all bytes, a strong ETag and says that ranges are taken."""
    for url, content in things(media):
        answer = curl(media, url)
        assert answer.status == 200 and answer.body == content
        assert answer["content-length"] == str(len(content))
        assert answer["accept-ranges"] == "bytes"
        assert answer["etag"].startswith('"') and len(answer["etag"]) == 66
        assert answer["x-content-type-options"] == "nosniff"


def check_head(media):
    """HEAD has the fields of GET, and no content."""
    for url in (media.picture["url"], media.film["url"], media.picture["previewUrl"], "/v1/generations", "/none"):
        get, head = curl(media, url), curl(media, url, "--head")
        assert head.status == get.status and head.body == b""
        for answer in (get, head):
            for name in ("date", "x-cache", "ratelimit"):  # what counts, and what tells the time
                answer.fields.pop(name, None)
        assert head.fields == get.fields, (url, head.fields, get.fields)


def check_not_modified(media):
    """304 has the ETag and how long it may be kept, and neither content nor its length."""
    for url, _ in things(media):
        whole = curl(media, url)
        for tags in (whole["etag"], f'"x", W/{whole["etag"]}', "*"):
            answer = curl(media, url, "-H", f"If-None-Match: {tags}")
            assert answer.status == 304 and answer.body == b""
            for name in ("etag", "cache-control", "vary"):
                assert answer[name] == whole[name]
            assert answer["content-length"] is None and answer["content-type"] is None


def check_precondition_failed(media):
    """412 under an If-Match of something else, before any range is looked at."""
    answer = curl(media, media.film["url"], "-H", 'If-Match: "x"', "-H", "Range: bytes=0-1")
    assert answer.status == 412 and answer["content-type"] == "application/problem+json"


def check_ranges(media):
    """206 has the bytes that were asked for, and all fields of the 200."""
    for url, content in things(media):
        size, whole = len(content), curl(media, url)
        rows = (
            ("0-0", 0, 0),
            ("100-199", 100, 199),
            (f"{size - 5}-", size - 5, size - 1),
            ("-7", size - 7, size - 1),
            (f"10-{size * 9}", 10, size - 1),
        )
        for wanted, first, last in rows:
            answer = curl(media, url, "--range", wanted)
            assert answer.status == 206 and answer.body == content[first : last + 1]
            assert answer["content-range"] == f"bytes {first}-{last}/{size}"
            assert answer["content-length"] == str(last - first + 1)
            for name in ("etag", "cache-control", "vary", "content-type"):
                assert answer[name] == whole[name]
        several = curl(media, url, "--range", "0-1,5-6")
        assert several.status == 200 and several.body == content


def check_unsatisfiable(media):
    """416 says how long the representation is."""
    for url, content in things(media):
        answer = curl(media, url, "--range", f"{len(content)}-")
        assert answer.status == 416 and answer["content-range"] == f"bytes */{len(content)}"
        assert json.loads(answer.body)["status"] == 416


def check_resume(media):
    """A download that broke off goes on where it was, while the bytes are the same."""
    part = f"{media.folder}/part"
    with open(part, "wb") as file:
        file.write(media.film_bytes[:1000])
    target = f"{media.origin}/media{media.film['url']}"
    subprocess.run(["curl", "--silent", "--fail", "--continue-at", "-", "--output", part, target], check=True)
    with open(part, "rb") as file:
        assert file.read() == media.film_bytes
    tag = curl(media, media.film["url"])["etag"]
    same = curl(media, media.film["url"], "--range", "1000-", "-H", f"If-Range: {tag}")
    other = curl(media, media.film["url"], "--range", "1000-", "-H", 'If-Range: "x"')
    assert same.status == 206 and other.status == 200 and other.body == media.film_bytes


def check_compression(media):
    """Lists are compressed for who asks, and their plain text is one; pictures never."""
    plain = curl(media, "/v1/generations")
    assert plain["content-encoding"] is None and plain["vary"] == "Accept-Encoding, Origin"
    tags = {plain["etag"]}
    for accepted, coding in (("gzip", "gzip"), ("gzip, zstd", "zstd"), ("gzip, zstd;q=0.5", "gzip")):
        answer = curl(media, "/v1/generations", "-H", f"Accept-Encoding: {accepted}")
        assert answer["content-encoding"] == coding and len(answer.body) < len(plain.body)
        tags.add(answer["etag"])
    assert len(tags) == 3
    unpacked = curl(media, "/v1/generations", "--compressed")
    assert unpacked["content-encoding"] in ("gzip", "zstd")
    assert json.loads(unpacked.body)["data"] == json.loads(plain.body)["data"]
    picture = curl(media, media.picture["url"], "-H", "Accept-Encoding: gzip, zstd")
    assert picture["content-encoding"] is None and picture.body == media.picture_bytes


def check_negotiation(media):
    """Where the URL names no format, Accept does, and the answer says so."""
    target = f"/v1/images/{media.picture['id']}/image?w=300&h=300&fit=cover"
    rows = (
        ("image/webp,*/*;q=0.8", "image/webp"),
        ("image/jpeg", "image/jpeg"),
        ("image/webp;q=0,image/*", "image/jpeg"),
    )
    for accepted, media_type in rows:
        answer = curl(media, target, "-H", f"Accept: {accepted}")
        assert answer["content-type"] == media_type and "Accept" in answer["vary"].split(", ")


def check_options(media):
    """OPTIONS names the methods; a method that is not among them is 405."""
    for arguments, status in ((("-X", "OPTIONS"), 204), (("-X", "PUT", "-d", ""), 405)):
        answer = curl(media, "/v1/generations", *arguments)
        assert answer.status == status and answer["allow"] == "POST, GET, HEAD, OPTIONS"


def check_forged(media):
    """A request by cookie that does not come from a page of ours is refused."""
    upload = ("-H", "Content-Type: image/png", "--data-binary", "x")
    rows = (
        ((), 403),
        (("-H", "Sec-Fetch-Site: cross-site"), 403),
        (("-H", f"Origin: {media.origin}"), 422),  # x is no picture
        (("-H", "Sec-Fetch-Site: same-origin"), 422),
    )
    for fields, status in rows:
        answer = curl(media, "/v1/uploads", *upload, *fields)
        assert answer.status == status, (fields, answer.status)
        assert (answer["ratelimit"] is None) == (status == 403)  # what is refused is not charged
