#!/bin/sh
# shellcheck disable=SC2086  # flags are several words
# tests/install/run.sh [BUILD FOLDER]: installs that build into an empty tree, then builds and runs ten-line programs in C and C++ against the tree
# alone, once through pkg-config and once through find_package. Nothing of the source tree may be needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-${MEDIAGEN_BUILD:-$here/../../build/release}}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}
cxx=${CXX:-c++}

cmake --install "$build" --prefix "$work/tree" >"$work/install.log" || { cat "$work/install.log" >&2; exit 1; }
pc=$(find "$work/tree" -name mediagen.pc)
libdir=$(dirname "$(dirname "$pc")")
cp "$here"/hello.c "$here"/hello.cc "$work"

# pkg-config. The tree was made for another prefix, so it is told where it lies.
flags=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$work/tree" --cflags --libs mediagen)
version=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --modversion mediagen)
$cc -std=c99 -pedantic -Wall -Wextra -Werror "$work/hello.c" -o "$work/hello_c" $flags "-Wl,-rpath,$libdir"
$cxx -std=c++20 -pedantic -Wall -Wextra -Werror "$work/hello.cc" -o "$work/hello_cc" $flags "-Wl,-rpath,$libdir"
for program in hello_c hello_cc; do
  said=$("$work/$program")
  [ "$said" = "$version" ] || { echo "tests/install: $program said \"$said\", not \"$version\"" >&2; exit 1; }
done

# The archive, with everything else as shared libraries: a program that opens an engine needs all of it.
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
needs=$(pkg-config --print-requires-private mediagen | tr '\n' ' ')
own=$(sed -n 's/^Libs.private: //p' "$pc")
$cc -std=c99 -pedantic -Wall -Wextra -Werror -c "$here/opened.c" -o "$work/opened.o" $flags
libraries=$(pkg-config --libs $needs)
$cxx "$work/opened.o" "$libdir/libmediagen.a" $libraries $own -o "$work/opened"
if ldd "$work/opened" | grep -q libmediagen; then echo "tests/install: the static program needs libmediagen.so" >&2; exit 1; fi
said=$("$work/opened" "{\"dataDir\": \"$work/data\"}")
[ "$said" = "$version" ] || { echo "tests/install: the static program said \"$said\", not \"$version\"" >&2; exit 1; }

# find_package, with a version.
cp "$here/CMakeLists.txt" "$work"
cmake -G Ninja -S "$work" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/tree" -DWANTED="$version" >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log" >&2; exit 1; }
cmake --build "$work/cmake" >>"$work/cmake.log" 2>&1 || { cat "$work/cmake.log" >&2; exit 1; }
for program in hello_c hello_cc; do
  said=$("$work/cmake/$program")
  [ "$said" = "$version" ] || { echo "tests/install: $program said \"$said\", not \"$version\"" >&2; exit 1; }
done
echo "tests/install: pkg-config, the archive and find_package, C and C++: $version"
