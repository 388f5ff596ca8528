# What ./run test --full does beyond the suites; sourced by tools/test.sh after them.
# shellcheck disable=SC2154  # programs, cases and filtered are test.sh's, the rest suites.sh's

export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tools/tsan.supp}
for program in "${programs[@]}"; do
  run_suite_beside doctest "tsan/${program#test_}" "$filtered" "${without_randomisation[@]}" "build/tsan/tests/$program" "${cases[@]}"
done
wait_for_suites

. tools/fuzzers.sh

compile release build.ninja
if [ -z "$filter" ]; then # ten thousand generations at once: a sanitizer takes a tenth of them
  compile release test_pipeline test_engine
  run_suite doctest release/pipeline 1 build/release/tests/test_pipeline '-tc=thousands of parked*'
  compile release test_limit
  MEDIAGEN_LIMIT_STEPS=1000000 run_suite doctest release/limit-steps 1 build/release/tests/test_limit '-tc=*random steps*'
  MEDIAGEN_FULL=1 run_suite doctest release/limit-flood 1 build/release/tests/test_limit '-tc=a flood of keys*'
  MEDIAGEN_EVERY_WRITE=1 run_suite doctest release/every-write 1 build/release/tests/test_engine '-tc=whichever write of*'
fi
if [ -n "$(targets release '^crash_harness$')" ]; then
  compile release crash_harness
  run_suite script crash 0 build/release/tests/crash_harness 100
fi
