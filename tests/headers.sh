#!/bin/sh
# shellcheck disable=SC2086  # flags are several words
# Every public header compiles alone: the C headers as C99 and as C++20, pedantic and without a warning; mediagen.hpp as C++20.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
strict="-pedantic -Werror -Wall -Wextra -fsyntax-only"
cc=${CC:-cc}
cxx=${CXX:-c++}
for header in "$root"/include/mediagen/*.h; do
  name=mediagen/$(basename "$header")
  for language in "$cc -std=c99 -x c" "$cxx -std=c++20 -x c++"; do
    # Twice: the guard works. From standard input: nothing else is included before it.
    printf '#include <%s>\n#include <%s>\ntypedef int nothing;\n' "$name" "$name" | $language $strict -I "$root/include" - ||
      { echo "tests/headers.sh: $name does not compile with: $language" >&2; exit 1; }
  done
done
for header in "$root"/include/mediagen/*.hpp; do
  name=mediagen/$(basename "$header")
  printf '#include <%s>\n#include <%s>\n' "$name" "$name" | $cxx -std=c++20 -x c++ $strict -I "$root/include" - ||
    { echo "tests/headers.sh: $name does not compile as C++20" >&2; exit 1; }
done
