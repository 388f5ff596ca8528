# ./run build [PRESET] [TARGET]...: compiles into build/PRESET.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

preset=${1:-release}
[ $# -eq 0 ] || shift
grep -q "{\"name\": \"$preset\", \"configurePreset\"" CMakePresets.json ||
  fail "there is no preset \"$preset\"; the presets are release, dev, asan, tsan and fuzz."
ensure_packages build
[ "$preset" != fuzz ] || ensure_packages check
compile "$preset" "$@"
say "build $preset: up to date in build/$preset"
