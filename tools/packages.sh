# ensure_packages GROUP...: installs those Debian packages of tools/packages/GROUP.txt that are missing. Sourced after common.sh.
# One question to dpkg when nothing is missing; apt is asked only when something is.

# The packages that the groups name, one a line.
wanted_packages() {
  local group
  for group in "$@"; do
    sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "tools/packages/$group.txt"
    [ "$group" != test ] || language_packages
  done | sort -u
}

# Node and Go are Debian's unless the machine has its own. A foreign node without headers is left alone: Debian's would not fit it.
language_packages() {
  local node
  if ! node=$(readlink -e "$(command -v node)"); then
    printf '%s\n' nodejs libnode-dev
  elif [ ! -f "${node%/*}/../include/node/node_api.h" ] && [ ! -f /usr/include/node/node_api.h ] &&
    dpkg-query -S "$node" >/dev/null 2>&1; then
    echo libnode-dev
  fi
  command -v go >/dev/null || [ -x /usr/local/go/bin/go ] || echo golang-go
}

missing_packages() {
  local wanted
  mapfile -t wanted < <(wanted_packages "$@")
  dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
    awk 'FNR == NR { if ($2 == "installed") have[$1] = 1; next } !($1 in have)' - <(printf '%s\n' "${wanted[@]}")
}

# apt-get as root, without a question, waiting for whoever else holds dpkg's lock.
apt_get() {
  local as_root=(env)
  [ "$(id -u)" = 0 ] || as_root=(sudo -n env)
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=900 -o Acquire::Retries=3 "$@"
}

# apt-get update has no lock timeout of its own, and one broken third-party source must not stop us: the installation decides.
update_lists() {
  local log=$1 try
  for try in 1 2 3 4 5 6 7 8 9 10 11 12; do
    apt_get update >>"$log" 2>&1 && return 0
    tail -n 5 "$log" | grep -q 'Could not get lock' || return 0
    [ "$try" = 1 ] && say "setup: waiting for another apt to finish"
    sleep 10
  done
}

ensure_packages() {
  local group
  for group in "$@"; do
    [ -f "tools/packages/$group.txt" ] || fail "there is no package group \"$group\"; the groups are build, test, check and bench."
  done
  [ -z "${MEDIAGEN_SKIP_SETUP:-}" ] || return 0
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "setup: this is not Debian or a relative of it. mediagen needs what these Debian 12 packages hold:"
    wanted_packages "$@" | paste -sd' ' >&2
    fail "install them by hand, then run again with MEDIAGEN_SKIP_SETUP=1."
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  local by_hand="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" != 0 ] && ! { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; then
    fail "packages are missing and this user may not install them without a password. As root: $by_hand"
  fi

  local log start
  log=$(mktemp "${TMPDIR:-/tmp}/mediagen-setup.XXXXXX")
  start=$(now_ms)
  say "setup: installing ${#missing[@]} package(s): ${missing[*]}"
  update_lists "$log"
  if ! apt_get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    tail -n 25 "$log" >&2
    fail "apt-get could not install them (whole log: $log). Try by hand: $by_hand"
  fi
  rm -f "$log"
  say "setup: done in $(seconds_since "$start") s"
}
