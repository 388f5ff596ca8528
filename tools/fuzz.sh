# ./run fuzz [SECONDS] [TARGET]: builds the fuzz targets with clang and runs each for SECONDS (default 30), two at a time; the last line is
# "N passed, N failed". A target is tests/fuzz/fuzz_TARGET.cc.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

seconds=30 fuzz_name=''
for argument in "$@"; do
  case $argument in
    *[!0-9]*) fuzz_name=$argument ;;
    *) seconds=$argument ;;
  esac
done
[ "$seconds" -gt 0 ] || fail "\"$seconds\" is not a number of seconds."
export MEDIAGEN_FUZZ_SECONDS=$seconds MEDIAGEN_SUITE_SECONDS=${MEDIAGEN_SUITE_SECONDS:-$((seconds + 120))}
ensure_packages build check
. tools/suites.sh
print_suite_header
. tools/fuzzers.sh
read -r passed failed skipped < <(sum_suites)
give_back build
closing_line "$passed" "$failed" "$skipped"
