# How the shared library differs from capi/mediagen.abi, the ABI of the last release as abidw wrote it.
# While MEDIAGEN_ABI is 0 a break is only told; from 1 on it fails. "./run check abi" after MEDIAGEN_WRITE_ABI=1 writes the file anew.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

compile release capi/all
library=build/release/libmediagen.so
[ -f "$library" ] || { echo "the shared library is not built yet"; exit 77; }
dump=build/release/mediagen.abi
abidw --no-corpus-path --no-comp-dir-path --drop-private-types --headers-dir include/mediagen "$library" >"$dump"
if [ -n "${MEDIAGEN_WRITE_ABI:-}" ]; then
  cp "$dump" capi/mediagen.abi
  echo "note: capi/mediagen.abi was written"
fi
[ -f capi/mediagen.abi ] || { echo "there is no capi/mediagen.abi to compare with; MEDIAGEN_WRITE_ABI=1 ./run check abi writes it"; exit 77; }

code=0
abidiff --no-show-locs capi/mediagen.abi "$dump" || code=$?
[ $((code & 3)) = 0 ] || { echo "abidiff failed with code $code"; exit 1; } # 1: a fault of its own, 2: misuse
[ "$code" != 0 ] || exit 0
abi=$(sed -n 's/^#define MEDIAGEN_ABI \([0-9]*\)u$/\1/p' include/mediagen/types.h)
if [ $((code & 8)) != 0 ] && [ "${abi:-0}" != 0 ]; then
  echo "this breaks programs built against MEDIAGEN_ABI $abi"
  exit 1
fi
echo "note: the ABI differs from capi/mediagen.abi (abidiff code $code); MEDIAGEN_ABI is ${abi:-0}, so this is a line of CHANGELOG.md"
