"""The same through Chromium: what its cache keeps, what its player asks for, what its origins may."""

import devtools

# Adds a picture to the page; its width once it is decoded.
SHOW = """
const show = async (url) => {
  const image = new Image();
  image.src = url;
  await image.decode();
  document.body.append(image);
  return image.naturalWidth;
};
"""


def start(chromium, profile, log):
    return devtools.Page(chromium, profile, log)


def fresh(media, page, origin=None):
    """A new page, and nothing asked yet."""
    page.open((origin or media.origin) + "/")
    page.run("await (await fetch('/log')).json()")


def asked(page, part):
    """What was asked of mediagen since, of the targets that hold `part`."""
    return [row for row in page.run("return (await fetch('/log')).json()") if part in row[1]]


def check_version_is_kept(media, page):
    """A picture with its version in the URL is asked for once, and the second view asks nobody."""
    url = "/media" + media.picture["url"]
    for view, requests in (("first", 1), ("second", 0)):
        fresh(media, page)
        assert page.run(SHOW + f"return show('{url}')") == 1024
        seen = asked(page, media.picture["id"])
        assert len(seen) == requests, (view, seen)


def check_revalidated(media, page):
    """A private one without a version is asked about, and is 304 on the second view."""
    url = f"/media/v1/outputs/{media.pictures[1]['id']}/content"
    seen = []
    for _ in range(2):
        fresh(media, page)
        assert page.run(SHOW + f"return show('{url}')") == 1024
        seen += asked(page, media.pictures[1]["id"])
    assert [row[2] for row in seen] == [200, 304], seen
    assert seen[1][4] == f'"{media.pictures[1]["sha256"]}"'


def check_thumbnails(media, page):
    """The thumbnails of a record load, as what the browser likes best where the URL leaves it open."""
    fresh(media, page)
    for side, url in media.picture["thumbnails"].items():
        assert page.run(SHOW + f"return show('/media{url}')") == int(side)
    url = f"/media/v1/images/{media.picture['id']}/image?w=300&h=300&fit=cover"
    media_type = page.run(f"""
      const answer = await fetch('{url}', {{headers: {{Accept: 'image/webp,*/*'}}}});
      return answer.headers.get('content-type');
    """)
    assert media_type == "image/webp"


def check_fetch_ranges(media, page):
    """fetch() gets 206 with just those bytes, and 416 behind the end."""
    fresh(media, page)
    rows = page.run(f"""
      const url = '/media{media.film["url"]}';
      const whole = new Uint8Array(await (await fetch(url, {{cache: 'no-store'}})).arrayBuffer());
      const rows = [];
      for (const range of ['0-0', '100-299', '-50', `${{whole.length}}-`]) {{
        const answer = await fetch(url, {{cache: 'no-store', headers: {{Range: `bytes=${{range}}`}}}});
        const part = new Uint8Array(await answer.arrayBuffer());
        const at = range.startsWith('-') ? whole.length - 50 : parseInt(range);
        rows.push([answer.status, part.length, part.every((byte, i) => byte === whole[at + i])]);
      }}
      return [whole.length, rows];
    """)
    assert rows[0] == len(media.film_bytes)
    assert [row[:2] for row in rows[1][:3]] == [[206, 1], [206, 200], [206, 50]], rows
    assert all(row[2] for row in rows[1][:3]) and rows[1][3][0] == 416


def check_film(media, page):
    """A film plays, and is sought in by ranges."""
    fresh(media, page)
    told = page.run(f"""
      const film = document.createElement('video');
      film.muted = true;
      film.preload = 'metadata';
      const until = (event) => new Promise((done, failed) => {{
        film.addEventListener(event, done, {{once: true}});
        film.addEventListener('error', () => failed(new Error(film.error.message)), {{once: true}});
      }});
      const loaded = until('loadedmetadata');
      film.src = '/media{media.film["url"]}';
      document.body.append(film);
      await loaded;
      const seen = [];
      for (const second of [film.duration - 2, 3, film.duration / 2]) {{
        const sought = until('seeked');
        film.currentTime = second;
        await sought;
        seen.push(Math.abs(film.currentTime - second) < 0.01 && film.readyState >= 2);
      }}
      const played = until('timeupdate');
      await film.play();
      await played;
      film.pause();
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 8;
      const ink = canvas.getContext('2d');
      ink.drawImage(film, 0, 0, 8, 8);
      const pixels = ink.getImageData(0, 0, 8, 8).data;
      return [film.duration, film.videoWidth, seen, pixels.some((value, i) => i % 4 < 3 && value > 0)];
    """)
    assert told == [media.film_seconds, 600, [True, True, True], True], told
    seen = asked(page, media.film["id"])
    assert all(row[2] == 206 for row in seen) and any(not row[3].startswith("bytes=0-") for row in seen), seen


def check_compressed_json(media, page):
    """The browser takes a list compressed, and reads it."""
    fresh(media, page)
    coding, count = page.run("""
      const answer = await fetch('/media/v1/generations');
      return [answer.headers.get('content-encoding'), (await answer.json()).data.length];
    """)
    assert coding in ("zstd", "gzip") and count == len(media.pictures)


# Asks the first origin, from whichever the page has: status and whether the ETag may be read, or the error.
FAR = """
const far = async (path, options) => {
  try {
    const answer = await fetch('%s/media' + path, options);
    return [answer.status, answer.headers.get('etag') !== null];
  } catch (error) {
    return error.name;
  }
};
"""


def check_cors(media, page):
    """A page of an origin that is named may read, after a preflight as well; one of another may not."""
    port = media.origin.rsplit(":", 1)[1]
    far = FAR % media.origin
    fresh(media, page, f"http://localhost:{port}")
    assert page.run(far + "return far('/v1/generations')") == [200, True]
    answer = page.run(far + "return far('/v1/generations?limit=1', {headers: {Authorization: 'Bearer x'}})")
    assert answer == [200, True]
    assert [row[0] for row in asked(page, "limit=1")] == ["OPTIONS", "GET"]
    fresh(media, page, f"http://other.localhost:{port}")
    assert page.run(far + "return far('/v1/generations')") == "TypeError"
    answer = page.run(far + "return far('/v1/generations?limit=2', {headers: {Authorization: 'Bearer x'}})")
    assert answer == "TypeError"
    assert [row[0] for row in asked(page, "limit=2")] == ["OPTIONS"]


def check_forged(media, page):
    """Our own page may write by cookie; another one is refused, though it may read."""
    port = media.origin.rsplit(":", 1)[1]
    png = "{method: 'POST', headers: {'Content-Type': 'image/png'}, body: 'x'}"
    post = FAR % media.origin + f"return far('/v1/uploads', {png})"
    fresh(media, page)
    assert page.run(post)[0] == 422
    fresh(media, page, f"http://localhost:{port}")
    assert page.run(post)[0] == 403
