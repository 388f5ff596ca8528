#!/usr/bin/env bash
# mediagen image …: what each command prints and leaves behind, and how it ends when a file is bad.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
program=${MEDIAGEN_BUILD:-$root/build/release}/mediagen
[ -x "$program" ] || { echo "SKIP: $program is not built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
passed=0 failed=0

# expect NAME COMMAND...: the command must succeed.
expect() {
  local name=$1
  shift
  if "$@"; then passed=$((passed + 1)); else echo "FAILED: $name"; failed=$((failed + 1)); fi
}
# field JSON_LINE EXPRESSION: a Python expression over the document d.
field() { python3 -c 'import json, sys; d = json.loads(sys.argv[1]); print(eval(sys.argv[2]))' "$1" "$2"; }
same() { [ "$1" = "$2" ] || { echo "  \"$1\" is not \"$2\""; return 1; }; }

# A 3x2 picture by its bytes: red, green, blue; black, white, grey.
python3 - <<'END'
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"\0" + bytes([255, 0, 0, 0, 255, 0, 0, 0, 255]) + b"\0" + bytes([0, 0, 0, 255, 255, 255, 128, 128, 128])
head = struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0)
png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"tEXt", b"prompt\0a red fox") + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
open("small.png", "wb").write(png)
open("broken.png", "wb").write(png[:70])
open("wide.png", "wb").write(png)
END

probe=$("$program" image probe small.png)
expect "probe says the format and the size" same "$(field "$probe" '(d["format"], d["width"], d["height"], d["file"])')" "('png', 3, 2, 'small.png')"
expect "probe says the prompt" same "$(field "$probe" 'd["prompt"]')" "a red fox"

"$program" image decode --raw pixels small.png
expect "decode writes RGBA rows" same "$(od -An -v -tu1 pixels | tr -s ' \n' ' ')" " 255 0 0 255 0 255 0 255 0 0 255 255 0 0 0 255 255 255 255 255 128 128 128 255 "

hash=$("$program" image thumbhash small.png)
expect "thumbhash prints base64" same "$(field "$hash" '5 <= len(__import__("base64").b64decode(d["thumbHash"])) <= 25')" True

"$program" image convert small.png out.webp --width 2 --quality 90
expect "convert goes by the name" same "$(field "$("$program" image probe out.webp)" '(d["format"], d["width"], d["height"])')" "('webp', 2, 1)"
"$program" image convert small.png out.jpg --width 2 --height 2 --fit cover
expect "convert crops" same "$(field "$("$program" image probe out.jpg)" '(d["format"], d["width"], d["height"])')" "('jpeg', 2, 2)"

code=0
"$program" image convert small.png broken.png wide.png many --format jpeg --jobs 2 2>errors || code=$?
expect "a bad file among many makes the exit code 1" same $code 1
expect "and has one line of reason" same "$(grep -c '^broken.png: .*truncated' errors)/$(wc -l <errors)" 1/1
expect "the others are converted" test -s many/small.jpeg -a -s many/wide.jpeg
expect "and nothing is left half" same "$(find many | wc -l)" 3

code=0
"$program" image probe broken.png small.png missing.png >out 2>errors || code=$?
expect "probe goes on behind a bad file" same "$code $(wc -l <out) $(grep -c 'missing.png' errors)" "1 2 1"
code=0
"$program" image convert small.png >/dev/null 2>errors || code=$?
expect "a conversion to nowhere says what is missing" same "$code $(grep -c 'IN OUT' errors)" "1 1"
code=0
"$program" image convert small.png out.webp --fit squeeze >/dev/null 2>&1 || code=$?
expect "an unknown fit is a usage error" same $code 2
"$program" image convert small.png wide.png sub/dir
expect "folders are made" test -s sub/dir/small.webp
expect "no data directory is made" test ! -e "$work/mediagen-data"

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
