# ./run floors: prints which module includes which, floor by floor, and fails on a breach of the rules:
#   a module includes lower floors only; a backend's header (a folder inside a module) is included inside its module and by
#   src/engine/wiring.cc alone; the public headers are the C ABI's, so nothing below capi/ includes them; and who stands outside
#   (the public headers themselves, examples, bindings) includes nothing of src/ or capi/. Tests and benchmarks may include anything.
. tools/common.sh

mapfile -t sources < <(tree_files | grep -E '^(src|capi|include|examples|bindings)/.*\.(cc|c|h|hpp|inc)$' || true)
[ ${#sources[@]} -gt 0 ] || fail "no source files were found below $PWD."
exec awk -f tools/floors.awk tools/floors.txt "${sources[@]}"
