# ./run test [FILTER] [--full]: every suite, one line each; the last line is "N passed, N failed".
#
# Suites are found, not listed: the doctest programs test_* of the asan preset, bindings/python/tests, and the scripts
# tests/*/run.sh, bindings/*/test.sh and examples/*/test.sh, which run against the release build.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

filter='' full=''
for argument in "$@"; do
  case $argument in
    --full) full=1 ;;
    -*) fail "there is no option $argument; ./run help lists what there is." ;;
    *) [ -z "$filter" ] || fail "one filter at a time; \"$filter\" and \"$argument\" are two."
      filter=$argument ;;
  esac
done

ensure_packages build test
. tools/suites.sh

# Debian's Python: another one that stands earlier in PATH does not see Debian's packages.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
[ -n "$(command -v go)" ] || PATH=$PATH:/usr/local/go/bin
export MEDIAGEN_BUILD=$PWD/build/release MEDIAGEN_LIBRARY=$PWD/build/release/libmediagen.so PYTHONDONTWRITEBYTECODE=1
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}

# The script suites as "name path", one a line.
script_suites() {
  local path name
  for path in tests/*/run.sh bindings/*/test.sh examples/*/test.sh; do
    [ -f "$path" ] || continue
    name=$(basename "$(dirname "$path")")
    case $path in examples/*) name=example-$name ;; esac
    printf '%s %s\n' "$name" "$path"
  done
}

chosen() { [ -z "$filter" ] || [[ $1 == *"$filter"* ]]; }

compile asan build.ninja
programs=() scripts=() with_python='' cases=()
for program in $(targets asan '^test_[a-z0-9_]+$'); do
  ! chosen "$program" || programs+=("$program")
done
while read -r name path; do
  ! chosen "$name" || scripts+=("$name" "$path")
done < <(script_suites)
if [ -d bindings/python/tests ] && chosen python; then with_python=1; fi

filtered=0
if [ -z "$with_python" ] && [ $((${#programs[@]} + ${#scripts[@]})) = 0 ]; then # no suite has that name: a test case may
  filtered=1
  mapfile -t programs < <(targets asan '^test_[a-z0-9_]+$')
  cases=("-tc=*$filter*")
  [ ! -d bindings/python/tests ] || with_python=1
fi

[ ${#programs[@]} = 0 ] || compile asan "${programs[@]}"
[ "${#scripts[@]}$with_python" = 0 ] || compile release capi/all examples/all
[ -z "$full" ] || [ ${#programs[@]} = 0 ] || compile tsan "${programs[@]}"

print_suite_header
for program in "${programs[@]}"; do
  run_suite_beside doctest "${program#test_}" "$filtered" "build/asan/tests/$program" "${cases[@]}"
done
wait_for_suites
if [ -n "$with_python" ]; then
  by_name=()
  [ "$filtered" = 0 ] || by_name=(-k "$filter")
  PYTHONPATH=bindings/python run_suite pytest python "$filtered" \
    "$python" -m pytest -q -rs -p no:cacheprovider "${by_name[@]}" bindings/python/tests
fi
for ((i = 0; i < ${#scripts[@]}; i += 2)); do
  run_suite script "${scripts[i]}" 0 bash "${scripts[i + 1]}"
done
[ -z "$full" ] || . tools/full.sh

read -r passed failed skipped < <(sum_suites)
give_back build
[ $((passed + failed + skipped)) -gt 0 ] || fail "no suite and no test case has \"$filter\" in its name."
closing_line "$passed" "$failed" "$skipped"
