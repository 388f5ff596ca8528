# ./run crash [N]: builds the crash harness and runs N rounds of it.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

rounds=${1:-100}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || fail "\"$rounds\" is not a number of rounds."
ensure_packages build
compile release build.ninja
[ -n "$(targets release '^crash_harness$')" ] || fail "this tree has no crash harness: tests/crash is missing."
compile release crash_harness
exec build/release/tests/crash_harness "$rounds"
