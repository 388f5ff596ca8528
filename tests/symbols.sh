#!/bin/sh
# tests/symbols.sh <libmediagen.so>: what the library exports is what capi/symbols.txt lists, no more and no less. With --update as a second
# argument the list is written anew: a changed line is a changed ABI and belongs into CHANGELOG.md.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
library=${1:?"usage: tests/symbols.sh <libmediagen.so> [--update]"}
found=$(mktemp)
trap 'rm -f "$found"' EXIT
# The version node itself (MEDIAGEN_0, absolute) is not a function.
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort -u >"$found"
if [ "${2:-}" = --update ]; then
  cp "$found" "$root/capi/symbols.txt"
elif ! diff -u "$root/capi/symbols.txt" "$found"; then
  echo "tests/symbols.sh: $library exports other symbols than capi/symbols.txt lists." >&2
  exit 1
fi
# Every function that a header declares is exported, and the other way round.
declared=$(sed -n 's/^MEDIAGEN_API .*[ *]\(mediagen_[a-z0-9_]*\)(.*/\1/p' "$root"/include/mediagen/*.h | LC_ALL=C sort -u)
if [ "$declared" != "$(cat "$found")" ]; then
  echo "tests/symbols.sh: the headers and $library differ:" >&2
  printf '%s\n' "$declared" | diff - "$found" >&2 || true
  exit 1
fi
