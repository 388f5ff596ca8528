"""What curl and Chromium see of a host: check.py http://127.0.0.1:PORT FOLDER.

The last line is "N passed, N failed, N skipped".
"""

import json
import shutil
import sys
import traceback
import urllib.parse
import urllib.request

import in_browser
import over_curl
import webm

origin, folder = sys.argv[1:]
FRAMES, FRAME_MS, SIDE = 600, 500, 600  # 14 MB: more than a player fetches before it is asked to go on


class Media:
    """What the checks look at: where it is, and its bytes."""

    def __init__(self):
        self.origin, self.folder = origin, folder
        self.pictures = [draw(f"a lighthouse at night, {n}") for n in range(3)]
        self.picture = self.pictures[0]
        self.picture_bytes = ask("GET", "/media" + self.picture["url"])[1]
        frames = [webm.key_frame(still(picture["id"])) for picture in self.pictures]
        self.film_bytes = webm.film([frames[i // 5 % 3] for i in range(FRAMES)], SIDE, FRAME_MS)
        self.film_seconds = FRAMES * FRAME_MS / 1000
        status, body = ask("POST", "/media/v1/uploads", self.film_bytes, "video/webm")
        assert status == 201, body
        self.film = json.loads(body)
        self.film["url"] = self.film["url"].removeprefix("/media")  # as the drawn ones', which know no mount


def ask(method, target, body=None, media_type=None):
    fields = {"Sec-Fetch-Site": "same-origin"}
    if media_type:
        fields["Content-Type"] = media_type
    request = urllib.request.Request(origin + target, body, fields, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, answer.read()


def draw(prompt):
    """A picture of the built-in provider, as its output's record."""
    return json.loads(ask("GET", "/draw?" + urllib.parse.urlencode({"prompt": prompt}))[1])


def still(id):
    target = f"/media/v1/images/{id}/image?w={SIDE}&h={SIDE}&fit=cover&format=webp"
    return ask("GET", target)[1]


def run(checks, *things):
    """Runs the functions of a module that are named check_…, in their order; how many passed and failed."""
    passed = failed = 0
    for name, check in list(vars(checks).items()):
        if not name.startswith("check_"):
            continue
        try:
            check(*things)
            passed += 1
        except Exception:
            failed += 1
            print(f"{checks.__name__}.{name}: {check.__doc__}")
            traceback.print_exc(file=sys.stdout)
    return passed, failed


def main():
    media = Media()
    passed, failed = run(over_curl, media)
    skipped = 0
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        skipped = 1
        print("SKIP: chromium is not installed")
    else:
        with open(f"{folder}/chromium.log", "wb") as log:
            page = in_browser.start(chromium, f"{folder}/profile", log)
            try:
                more = run(in_browser, media, page)
            finally:
                page.close()
        passed, failed = passed + more[0], failed + more[1]
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
