# What ./run test --full does beyond the suites; sourced by tools/test.sh after them.
# shellcheck disable=SC2154  # programs, cases and filtered are test.sh's, the rest suites.sh's

export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tools/tsan.supp}
for program in "${programs[@]}"; do
  run_suite_beside doctest "tsan/${program#test_}" "$filtered" "${without_randomisation[@]}" "build/tsan/tests/$program" "${cases[@]}"
done
wait_for_suites

# Every fuzz_* target for half a minute, from the corpus tests/fuzz/corpus/<name> where there is one. What it finds is kept in build/fuzz/found.
# libFuzzer ends with 77 when it has found something, unless told otherwise, and with 77 a suite says that it was skipped.
if compgen -G 'tests/fuzz/*.cc' >/dev/null; then
  ensure_packages check
  compile fuzz build.ninja
  mapfile -t fuzzers < <(targets fuzz '^fuzz_[a-z0-9_]+$')
  [ ${#fuzzers[@]} = 0 ] || compile fuzz "${fuzzers[@]}"
  mkdir -p build/fuzz/found
  for fuzzer in "${fuzzers[@]}"; do
    grown=$suite_folder/corpus-$fuzzer
    mkdir -p "$grown"
    corpus=("$grown")
    [ ! -d "tests/fuzz/corpus/${fuzzer#fuzz_}" ] || corpus+=("tests/fuzz/corpus/${fuzzer#fuzz_}")
    run_suite_beside script "fuzz/${fuzzer#fuzz_}" 0 "${without_randomisation[@]}" "$(find build/fuzz -name "$fuzzer" -type f | head -n 1)" \
      -max_total_time=30 -timeout=25 -error_exitcode=1 -artifact_prefix=build/fuzz/found/ "${corpus[@]}"
  done
  wait_for_suites
fi

compile release build.ninja
if [ -z "$filter" ]; then # ten thousand generations at once: a sanitizer takes a tenth of them
  compile release test_pipeline test_engine
  run_suite doctest release/pipeline 1 build/release/tests/test_pipeline '-tc=thousands of parked*'
  MEDIAGEN_EVERY_WRITE=1 run_suite doctest release/every-write 1 build/release/tests/test_engine '-tc=whichever write of*'
fi
if [ -n "$(targets release '^crash_harness$')" ]; then
  compile release crash_harness
  run_suite script crash 0 build/release/tests/crash_harness 100
fi
