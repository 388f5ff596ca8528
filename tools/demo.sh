# ./run demo [ARGUMENT]...: builds the demo and starts it; the arguments are the demo's own (--help lists them).
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

ensure_packages build
compile release build.ninja
[ -n "$(targets release '^demo$')" ] || fail "this tree has no demo: examples/demo is missing."
compile release demo
exec "$(find build/release -name demo -type f -perm -u+x | head -n 1)" "$@"
