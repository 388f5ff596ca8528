# What ./run test --full does beyond the suites; sourced by tools/test.sh after them.
# shellcheck disable=SC2154  # programs, cases and filtered are test.sh's, the rest suites.sh's

export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tools/tsan.supp}
for program in "${programs[@]}"; do
  run_suite_beside doctest "tsan/${program#test_}" "$filtered" "${without_randomisation[@]}" "build/tsan/tests/$program" "${cases[@]}"
done
wait_for_suites

# Every fuzz_* target, two at a time, MEDIAGEN_FUZZ_SECONDS each (30; 0: none of them), from the corpus tests/fuzz/corpus/<name> and with the
# words tests/fuzz/words/<name> where there are any. What it finds is kept in build/fuzz/found, and the target run with that file shows it again.
# The limits of memory are part of the check: whatever the input says, a decoder stays below them.
# libFuzzer ends with 77 when it has found something, unless told otherwise, and with 77 a suite says that it was skipped.
fuzz_seconds=${MEDIAGEN_FUZZ_SECONDS:-30}
if [ "$fuzz_seconds" != 0 ]; then
  ensure_packages check
  compile fuzz build.ninja
  mapfile -t fuzzers < <(targets fuzz '^fuzz_[a-z0-9_]+$' | grep -v '^fuzz_pictures$')
  compile fuzz "${fuzzers[@]}"
  mkdir -p build/fuzz/found
  for fuzzer in "${fuzzers[@]}"; do
    name=${fuzzer#fuzz_}
    grown=$suite_folder/corpus-$fuzzer
    mkdir -p "$grown"
    arguments=("-max_total_time=$fuzz_seconds" -timeout=25 -malloc_limit_mb=64 -rss_limit_mb=1024 -error_exitcode=1 -artifact_prefix=build/fuzz/found/)
    [ ! -f "tests/fuzz/words/$name" ] || arguments+=("-dict=tests/fuzz/words/$name")
    arguments+=("$grown")
    [ ! -d "tests/fuzz/corpus/$name" ] || arguments+=("tests/fuzz/corpus/$name")
    run_suite_beside script "fuzz/$name" 0 "${without_randomisation[@]}" "$(find build/fuzz -name "$fuzzer" -type f | head -n 1)" "${arguments[@]}"
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
