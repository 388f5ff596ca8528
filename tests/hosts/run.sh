#!/bin/sh
# tests/hosts/run.sh [BUILD FOLDER]: what is wrong is told to C, Python and shell alike (bad_input.py).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-${MEDIAGEN_BUILD:-$here/../../build/release}}
build=$(cd "$build" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${CC:-cc}" -std=c99 -pedantic -Wall -Wextra -Werror -I"$here/../../include" "$here/ask.c" -o "$work/ask" -L"$build" -lmediagen "-Wl,-rpath,$build"
python=/usr/bin/python3
[ -x "$python" ] || python=python3
"$python" "$here/bad_input.py" "$build" "$work/ask"
