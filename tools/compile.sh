# compile PRESET [TARGET]...: configures once, then ninja, quietly; the log is build/PRESET/build.log. Sourced after common.sh and packages.sh.

# How many compilers at once: one a core, and 1.2 GiB for each of them.
compile_jobs() {
  local cores available limit
  cores=$(nproc)
  available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null || true)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || true)
  [[ $limit =~ ^[0-9]+$ ]] && [ $((limit / 1048576)) -lt "${available:-999999}" ] && available=$((limit / 1048576))
  local by_memory=$((${available:-2400} / 1200))
  [ "$by_memory" -ge 1 ] || by_memory=1
  echo "${MEDIAGEN_JOBS:-$((by_memory < cores ? by_memory : cores))}"
}

# One line that changes on a terminal; elsewhere a line at every quarter, so that a watching machine sees life.
show_progress() {
  local terminal=0
  [ ! -t 2 ] || terminal=1
  awk -v preset="$1" -v terminal="$terminal" '
    match($0, /^\[[0-9]+\/[0-9]+\]/) {
      split(substr($0, 2, RLENGTH - 2), step, "/")
      if (terminal) { printf "\r\033[Kbuild %s: %s of %s", preset, step[1], step[2]; fflush(); shown = 1 }
      else if (step[2] >= 40 && int(4 * step[1] / step[2]) > quarter) {
        quarter = int(4 * step[1] / step[2]); if (quarter < 4) { print "build " preset ": " step[1] " of " step[2]; fflush() }
      }
    }
    END { if (shown) printf "\r\033[K" }' >&2
}

# Drops a cache that was made in another place (a moved or copied tree), then configures when there is something to configure.
configure() {
  local preset=$1 folder=build/$1 home
  if [ -f "$folder/CMakeCache.txt" ]; then
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$folder/CMakeCache.txt")
    [ "$home" = "$(pwd -P)" ] || [ "$home" = "$PWD" ] || rm -rf "$folder/CMakeCache.txt" "$folder/CMakeFiles" "$folder/build.ninja"
  fi
  [ ! -f "$folder/build.ninja" ] || [ CMakePresets.json -nt "$folder/build.ninja" ] || return 0
  say "build $preset: configuring"
  cmake --preset "$preset" >"$folder/build.log" 2>&1
}

compile() {
  local preset=$1 folder=build/$1 start
  shift
  start=$(now_ms)
  mkdir -p "$folder" 2>/dev/null || true
  [ -w "$folder" ] || fail "$folder is not writable for $(id -un). If a build by another user left it, remove it (sudo rm -rf build)."
  exec {lock}>"$folder/.lock"
  flock -n "$lock" || { say "build $preset: waiting for another ./run in this tree"; flock "$lock"; }
  if ! configure "$preset"; then
    tail -n 40 "$folder/build.log" >&2
    give_back build
    fail "cmake could not configure $preset; see $folder/build.log (./run setup installs what is missing)."
  fi
  if ! ninja -C "$folder" -j "$(compile_jobs)" "$@" 2>&1 | tee "$folder/build.log" | show_progress "$preset"; then
    tail -n 40 "$folder/build.log" >&2
    give_back build
    fail "$preset does not compile; the whole log is $folder/build.log."
  fi
  exec {lock}>&-
  give_back build
  [ "$*" = build.ninja ] || grep -q '^ninja: no work to do' "$folder/build.log" || say "build $preset: done in $(seconds_since "$start") s"
}

# The targets of a configured preset whose name matches the awk pattern $2, one a line.
targets() { ninja -C "build/$1" -t targets all | awk -F: -v pattern="$2" '$1 ~ pattern { print $1 }' | sort -u; }
