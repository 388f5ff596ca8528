#!/usr/bin/env bash
# tests/scope/run.sh: inside a host that exports its own OpenSSL and zlib (Node does), libmediagen and what it needs must bind to the libraries that
# they were built with and never to the host's. Reads what the dynamic linker says of every binding (LD_DEBUG=bindings).
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
build=${MEDIAGEN_BUILD:-$root/build/release}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

# Our library and those below it, without the language runtimes, as an alternation of names.
ours=$(ldd "$build/libmediagen.so" | awk '{ print $1 }' | grep -vE '^(linux-vdso|libc|libm|libdl|libpthread|libstdc|libgcc|/lib64/ld)' | sed 's/\.so.*//' | sort -u | paste -sd '|')
ours="libmediagen|$ours"

# wrong_bindings HOST LOGS...: the functions of ours that are bound to the host's own program.
wrong_bindings() {
  local host=$1
  shift
  # Variables of the C library that a program copies into itself (copy relocations) are one for all.
  cat "$@" | grep -E "binding file [^ ]*/($ours)[^/ ]* \[0\] to ([^ ]*/)?$host \[0\]" | sed -E "s/.*symbol \`([^']+)'.*/\1/" |
    grep -vxE 'stdin|stdout|stderr|environ|__environ|_environ|optarg|optind|program_invocation_name|_ZTI.*|_ZTV.*|_ZTS.*|_ZN10__cxxabiv1.*' | sort -u || true
}

check_log() {
  local name=$1 wrong
  shift
  if ! grep -qhE "binding file [^ ]*/libmediagen\.so" "${@:2}"; then
    echo "FAILED: $name: the linker's log says nothing of libmediagen"
    failed=$((failed + 1))
    return
  fi
  wrong=$(wrong_bindings "$@")
  if [ -z "$wrong" ]; then
    passed=$((passed + 1))
  else
    echo "FAILED: $name: these bind to the program: ${wrong//$'\n'/ }"
    failed=$((failed + 1))
  fi
}

python=/usr/bin/python3
[ -x "$python" ] || python=python3
python=$(command -v "$python")
cat >"$work/host.py" <<'PY'
import sys
import mediagen
with mediagen.SyncEngine(data_dir=sys.argv[1]) as engine:
    generation = engine.generate("a red fox", user="u1", size="64x64")
    assert bytes(generation.outputs[0].read()[:4]) == b"\x89PNG"
PY
LD_DEBUG=bindings LD_DEBUG_OUTPUT=$work/python PYTHONPATH=$root/bindings/python MEDIAGEN_LIBRARY=$build/libmediagen.so "$python" "$work/host.py" "$work/data"
check_log Python "$(basename "$python")" "$work"/python.*

include=
if command -v node >/dev/null; then
  for folder in "$(dirname "$(readlink -f "$(command -v node)")")/../include/node" /usr/include/node /usr/include/nodejs/src; do
    [ ! -f "$folder/node_api.h" ] || { include=$folder; break; }
  done
fi
if [ -z "$include" ]; then
  echo "SKIP: node or node_api.h is not installed"
  skipped=$((skipped + 1))
else
  # serve NAME ADDON-SOURCE: a server with the addon, asked once.
  serve() {
    "${CC:-cc}" -std=gnu11 -O1 -shared -fPIC -Iinclude -I"$include" -DNODE_GYP_MODULE_NAME=mediagen "$2" -ldl -o "$work/$1.node"
    : >"$work/out"
    LD_DEBUG=bindings LD_DEBUG_OUTPUT=$work/$1-log MEDIAGEN_ADDON=$work/$1.node MEDIAGEN_LIBRARY=$build/libmediagen.so \
      node examples/node/server.js "{\"dataDir\": \"$work/$1-data\"}" >"$work/out" 2>"$work/err" &
    server=$!
    for _ in $(seq 300); do
      [ -z "$(head -n 1 "$work/out")" ] || break
      kill -0 "$server" 2>/dev/null || { cat "$work/err"; exit 1; }
      sleep 0.1
    done
    line=$(head -n 1 "$work/out")
    (cd examples/node && node check.js "${line#listening }") >/dev/null
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
  }
  serve node examples/node/addon.c
  check_log Node '(node|libnode\.so[^ ]*)' "$work"/node-log.*
  # The check itself, where Node brings its own OpenSSL (Debian's uses the system's): without RTLD_DEEPBIND libcurl finds that one first.
  if [ "$(nm -D --defined-only "$(readlink -f "$(command -v node)")" 2>/dev/null | grep -c ' SSL_new')" -gt 0 ]; then
    sed 's/ | RTLD_DEEPBIND//' examples/node/addon.c >"$work/shallow.c"
    serve shallow "$work/shallow.c"
    if wrong_bindings node "$work"/shallow-log.* | grep -q '^SSL_\|^X509'; then
      passed=$((passed + 1))
    else
      echo "FAILED: the check finds nothing where Node's OpenSSL is used"
      failed=$((failed + 1))
    fi
  fi
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
