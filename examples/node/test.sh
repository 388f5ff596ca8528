#!/usr/bin/env bash
# Builds the addon, starts the server, and asks it for a picture and an event stream.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
build=${MEDIAGEN_BUILD:-$root/build/release}
command -v node >/dev/null || { echo "SKIP: node is not installed"; exit 77; }
[ -f "$build/libmediagen.so" ] || { echo "SKIP: $build/libmediagen.so is not built"; exit 77; }
include=
for folder in "$(dirname "$(readlink -f "$(command -v node)")")/../include/node" /usr/include/node /usr/include/nodejs/src; do
  [ ! -f "$folder/node_api.h" ] || { include=$folder; break; }
done
[ -n "$include" ] || { echo "SKIP: node_api.h is not installed (Debian: libnode-dev)"; exit 77; }
work=$(mktemp -d)
: >"$work/out"
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -O2 -shared -fPIC -I"$root/include" -I"$include" -DNODE_GYP_MODULE_NAME=mediagen addon.c -ldl -o "$work/mediagen.node"
MEDIAGEN_ADDON=$work/mediagen.node MEDIAGEN_LIBRARY=$build/libmediagen.so node server.js "{\"dataDir\": \"$work/data\"}" >"$work/out" 2>"$work/err" &
server=$!
line=
for _ in $(seq 200); do
  line=$(head -n 1 "$work/out")
  [ -z "$line" ] || break
  kill -0 "$server" 2>/dev/null || { cat "$work/err"; exit 1; }
  sleep 0.1
done
node check.js "${line#listening }"
