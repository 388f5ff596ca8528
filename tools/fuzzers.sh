# shellcheck disable=SC2154  # suite_folder and without_randomisation are suites.sh's

# Every fuzz_* target, two at a time, MEDIAGEN_FUZZ_SECONDS each (30; 0: none of them), or fuzz_$fuzz_name alone, from the corpus tests/fuzz/corpus/<name> and with the
# words tests/fuzz/words/<name> where there are any. What it finds is kept in build/fuzz/found, and the target run with that file shows it again.
# Sourced after suites.sh. MEDIAGEN_FUZZ_SEED=N does the same again (0: another each time). The limits of memory are part of the check: whatever the input says, a decoder stays below them.
# libFuzzer ends with 77 when it has found something, unless told otherwise, and with 77 a suite says that it was skipped.
fuzz_seconds=${MEDIAGEN_FUZZ_SECONDS:-30}
if [ "$fuzz_seconds" != 0 ]; then
  ensure_packages check
  compile fuzz build.ninja
  mapfile -t fuzzers < <(targets fuzz '^fuzz_[a-z0-9_]+$' | grep -v '^fuzz_pictures$' | grep -x "fuzz_${fuzz_name:-.*}")
  [ ${#fuzzers[@]} -gt 0 ] || fail "there is no fuzz target \"${fuzz_name:-}\"."
  compile fuzz "${fuzzers[@]}"
  mkdir -p build/fuzz/found
  for fuzzer in "${fuzzers[@]}"; do
    name=${fuzzer#fuzz_}
    grown=$suite_folder/corpus-$fuzzer
    mkdir -p "$grown"
    arguments=("-max_total_time=$fuzz_seconds" "-seed=${MEDIAGEN_FUZZ_SEED:-0}" -timeout=25 -malloc_limit_mb=64 -rss_limit_mb=1024 -error_exitcode=1 -artifact_prefix=build/fuzz/found/)
    [ ! -f "tests/fuzz/words/$name" ] || arguments+=("-dict=tests/fuzz/words/$name")
    arguments+=("$grown")
    [ ! -d "tests/fuzz/corpus/$name" ] || arguments+=("tests/fuzz/corpus/$name")
    run_suite_beside script "fuzz/$name" 0 "${without_randomisation[@]}" "$(find build/fuzz -name "$fuzzer" -type f | head -n 1)" "${arguments[@]}"
  done
  wait_for_suites
fi
