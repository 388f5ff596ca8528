#!/usr/bin/env bash
# tests/browser/run.sh: the HTTP surface as curl and Chromium see it, behind a real host (host.py).
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
library=${MEDIAGEN_LIBRARY:-$root/build/release/libmediagen.so}
[ -f "$library" ] || { echo "SKIP: $library is not built"; exit 77; }
command -v curl >/dev/null || { echo "SKIP: curl is not installed"; exit 77; }
python=/usr/bin/python3 # Debian's: another one does not see Debian's packages
[ -x "$python" ] || python=python3
"$python" -c 'import starlette, uvicorn' 2>/dev/null || { echo "SKIP: python3-starlette or python3-uvicorn is not installed"; exit 77; }
work=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
  rm -rf "$work"
}
trap finish EXIT
mkfifo "$work/line"
PYTHONPATH=$root/bindings/python MEDIAGEN_LIBRARY=$library PYTHONDONTWRITEBYTECODE=1 "$python" host.py "$work/data" >"$work/line" 2>"$work/err" &
server=$!
read -r line <"$work/line" || { cat "$work/err"; exit 1; }
PYTHONDONTWRITEBYTECODE=1 "$python" check.py "${line#listening }" "$work" || { cat "$work/err"; exit 1; }
