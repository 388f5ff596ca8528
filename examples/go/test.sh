#!/usr/bin/env bash
# Builds the Go server, starts it, and asks it for a picture and an event stream.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
build=${MEDIAGEN_BUILD:-$root/build/release}
command -v go >/dev/null || { echo "SKIP: go is not installed"; exit 77; }
command -v node >/dev/null || { echo "SKIP: node is not installed (it asks the questions)"; exit 77; }
[ -f "$build/libmediagen.so" ] || { echo "SKIP: $build/libmediagen.so is not built"; exit 77; }
work=$(mktemp -d)
: >"$work/out"
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
CGO_ENABLED=1 CGO_LDFLAGS="-L$build -Wl,-rpath,$build" go build -o "$work/server" .
"$work/server" "{\"dataDir\": \"$work/data\"}" >"$work/out" 2>"$work/err" &
server=$!
line=
for _ in $(seq 200); do
  line=$(head -n 1 "$work/out")
  [ -z "$line" ] || break
  kill -0 "$server" 2>/dev/null || { cat "$work/err"; exit 1; }
  sleep 0.1
done
node ../node/check.js "${line#listening }"
