# Runs suites and counts what they say; sourced by tools/test.sh. A suite is a name and a command; its kind says how its last words are read.
#   doctest  "[doctest] test cases: N | N passed | N failed | N skipped"
#   pytest   "3 passed, 1 skipped in 0.12s"
#   script   "N passed, N failed[, N skipped]"; without it, exit code 0 is one pass, 77 one skip, anything else one failure
# In every kind a line with "SKIP: reason" is a skip, and its reason is shown.

suite_folder=$(mktemp -d "${TMPDIR:-/tmp}/mediagen-suites.XXXXXX")
suite_seconds=${MEDIAGEN_SUITE_SECONDS:-900}

# Ends what still runs (timeout passes the signal on to the suite's whole process group) and removes the logs.
end_suites() {
  local pid_file
  for pid_file in "$suite_folder"/*.pid; do
    [ ! -f "$pid_file" ] || kill "$(cat "$pid_file")" 2>/dev/null || true
  done
  wait
  rm -rf "$suite_folder"
}
trap end_suites EXIT
trap 'exit 130' INT TERM

print_suite_header() { printf '%-28s %7s %7s %7s %8s\n' suite passed failed skipped seconds; }

# "passed failed skipped" out of a log, by kind.
count_doctest() {
  awk -v filtered="$2" '/^\[doctest\] test cases:/ { gsub(/[^0-9]+/, " "); split($0, n, " "); seen = 1 }
    END { if (seen) print n[2], n[3], filtered ? 0 : n[4]; else print 0, 0, 0 }' "$1"
}
count_pytest() {
  awk '/(passed|failed|skipped|error|errors|no tests ran|deselected).* in [0-9.]+s/ { last = $0 }
    END { n = split(last, word, /[ ,=]+/)
      for (i = 2; i <= n; i++) {
        if (word[i] ~ /^x?passed$/) p += word[i-1]; else if (word[i] ~ /^(failed|errors?)$/) f += word[i-1]
        else if (word[i] ~ /^(skipped|xfailed)$/) s += word[i-1] }
      print p + 0, f + 0, s + 0 }' "$1"
}
count_script() {
  awk '/^[0-9]+ passed, [0-9]+ failed/ { gsub(/[^0-9]+/, " "); split($0, n, " "); seen = 1 }
    END { if (seen) print n[1] + 0, n[2] + 0, n[3] + 0; else print 0, 0, 0 }' "$1"
}

# The reasons of skips, one a line.
skip_reasons() {
  sed -nE -e 's/^.*SKIP: (.*)$/\1/p' -e 's/^SKIPPED (\[[0-9]+\] .*)$/\1/p' "$1" | sort -u | grep . || echo "without a reason"
}

# run_suite KIND NAME FILTERED COMMAND...: runs, counts, prints its line; all of its output when it failed.
run_suite() {
  local kind=$1 name=$2 filtered=$3 log="$suite_folder/${2//\//_}.log" code=0 start passed failed skipped marked
  shift 3
  start=$(now_ms)
  timeout -k 10 "$suite_seconds" "$@" </dev/null >"$log" 2>&1 &
  echo $! >"$log.pid"
  wait $! || code=$?
  rm -f "$log.pid"
  read -r passed failed skipped < <("count_$kind" "$log" "$filtered")
  case $kind in
    doctest) # a test case that gave up with a reason has run and passed; it counts as skipped
      # Cases named "child: …" are what a test starts as a process of its own; they run there and are no skips here.
      skipped=$((skipped - $("$@" --list-test-cases --no-skip '--test-case=child:*' 2>/dev/null | grep -c '^child:' || true)))
      [ "$skipped" -ge 0 ] || skipped=0
      marked=$(grep -c 'SKIP: ' "$log" || true)
      [ "$marked" -le "$passed" ] || marked=$passed
      passed=$((passed - marked)) skipped=$((skipped + marked)) ;;
    pytest) [ "$code" != 5 ] || code=0 ;; # 5: no test has the filter in its name
    script) [ "$passed$failed$skipped" != 000 ] || case $code in
      0) passed=1 ;;
      77) skipped=1 ;;
    esac ;;
  esac
  [ "$kind/$code" != script/77 ] || code=0
  [ "$code" = 0 ] || [ "$failed" -gt 0 ] || failed=1
  [ "$code" != 124 ] && [ "$code" != 137 ] || echo "stopped after $suite_seconds s (MEDIAGEN_SUITE_SECONDS)" >>"$log"
  echo "$passed $failed $skipped" >"$log.count"
  [ "$filtered" = 0 ] || [ $((passed + failed + skipped)) -gt 0 ] || return 0
  (
    flock 9 # whole blocks, though two suites run at once
    printf '%-28s %7d %7d %7d %8s\n' "$name" "$passed" "$failed" "$skipped" "$(seconds_since "$start")"
    [ "$skipped" = 0 ] || skip_reasons "$log" | sed 's/^/    skipped: /'
    [ "$failed" = 0 ] || { sed 's/^/    /' "$log"; [ "$code" = 0 ] || echo "    $name ended with code $code"; }
  ) 9>"$suite_folder/print.lock"
}

# The same, beside at most one other.
run_suite_beside() {
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
  run_suite "$@" &
}

wait_for_suites() { wait; }

# "passed failed skipped" of all suites that ran.
sum_suites() { cat "$suite_folder"/*.count 2>/dev/null | awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }'; }

# Sanitizers want addresses that a kernel's full randomisation does not give; a container may forbid switching it off.
without_randomisation=()
if setarch -R true 2>/dev/null; then
  # shellcheck disable=SC2034
  without_randomisation=(setarch -R)
fi
