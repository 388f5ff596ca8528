# ./run check [NAME]...: every file of tools/checks/, or those named; one line each, its output when it fails.
#
# A check is a bash file that prints what is wrong and ends with 0 (fine), 77 (skipped, the last line says why) or anything else. A
# line that begins with "note: " is shown even when all is well.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

names=()
for path in tools/checks/*.sh; do names+=("$(basename "$path" .sh)"); done
for name in "$@"; do
  [ -f "tools/checks/$name.sh" ] || fail "there is no check \"$name\"; the checks are: ${names[*]}."
done
[ $# = 0 ] || names=("$@")

ensure_packages build check
log=$(mktemp "${TMPDIR:-/tmp}/mediagen-check.XXXXXX")
trap 'rm -f "$log"' EXIT

passed=0 failed=0 skipped=0
for name in "${names[@]}"; do
  start=$(now_ms) code=0
  bash "tools/checks/$name.sh" >"$log" 2>&1 </dev/null || code=$?
  case $code in
    0) verdict=ok passed=$((passed + 1)) ;;
    77) verdict=skip skipped=$((skipped + 1)) ;;
    *) verdict=FAIL failed=$((failed + 1)) ;;
  esac
  printf '%-5s %-10s %8s s\n' "$verdict" "$name" "$(seconds_since "$start")"
  case $verdict in
    ok) sed -n 's/^note: /    /p' "$log" ;;
    skip) tail -n 1 "$log" | sed 's/^/    skipped: /' ;;
    FAIL) sed 's/^/    /' "$log" ;;
  esac
done
give_back build
closing_line "$passed" "$failed" "$skipped"
