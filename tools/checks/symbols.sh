# The shared library exports the C ABI and nothing else.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

[ -f tests/symbols.sh ] || { echo "tests/symbols.sh is not there yet"; exit 77; }
compile release capi/all
exec bash tests/symbols.sh build/release/libmediagen.so
