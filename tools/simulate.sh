# ./run simulate [ARGUMENT]...: the providers' wires on this machine: no key, no bill. Prints where each is; --port N, --journal FILE, --work-ms N.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

ensure_packages build
compile release build.ninja
[ -n "$(targets release '^mediagen-simulator$')" ] || fail "this tree has no simulator: tests/simulator is missing."
compile release mediagen-simulator
exec build/release/tests/simulator/mediagen-simulator --explain "$@"
