# ./run bare [--worktree] [COMMAND]...: as root, makes a bare Debian 12 in a temporary folder, puts a clean clone there and runs each command with ./run in it.
#
# Nothing is installed there before: no compiler, no Python, no git. --worktree takes the files as they are now instead of the last commit.
# MEDIAGEN_KEEP=1 leaves the folder. Debian's mirrors and the proxy are those of this machine's apt; about 5 GB are needed below TMPDIR.
. tools/common.sh
. tools/packages.sh

worktree=
if [ "${1:-}" = --worktree ]; then worktree=1 && shift; fi
[ $# -gt 0 ] || set -- demo test
[ "$(id -u)" = 0 ] || fail "a bare machine is made with debootstrap and chroot, which only root may: sudo ./run bare"
command -v debootstrap >/dev/null || apt_get install -y --no-install-recommends debootstrap >/dev/null ||
  fail "debootstrap could not be installed. Try: apt-get install debootstrap"

# Debian's own repositories as apt knows them here: "uri suite component".
repositories=$(apt-get indextargets --format "\$(ORIGIN) \$(CODENAME) \$(REPO_URI) \$(SUITE) \$(COMPONENT)" 'Created-By: Packages' |
  awk '$1 == "Debian" && $2 ~ /^bookworm/ { sub(/\/$/, "", $3); print $3, $2, $5 }' | sort -u)
mirror=$(awk '$2 == "bookworm" { print $1; exit }' <<<"$repositories")
mirror=${mirror:-http://deb.debian.org/debian}
if [ -z "${http_proxy:-}" ]; then
  eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
  [ -z "${http_proxy:-}" ] || export http_proxy
fi

root=$(mktemp -d "${TMPDIR:-/tmp}/mediagen-bare.XXXXXX")
remove() { if [ -n "${MEDIAGEN_KEEP:-}" ]; then say "bare: kept $root"; else rm -rf --one-file-system "$root"; fi; }
trap remove EXIT
chmod 755 "$root"

say "bare: making Debian 12 from $mirror"
start=$(now_ms)
unshare --mount --propagation private debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; fail "debootstrap failed; its log is $root.log"; }
rm -f "$root.log"
[ -z "$repositories" ] || awk '{ print "deb", $1, $2, $3 }' <<<"$repositories" >"$root/etc/apt/sources.list"
grep -lis proxy /etc/apt/apt.conf /etc/apt/apt.conf.d/* | while IFS= read -r file; do cp "$file" "$root/etc/apt/apt.conf.d/"; done || true
cp /etc/resolv.conf /etc/hosts "$root/etc/"

mkdir -p "$root/src/mediagen"
if [ -n "$worktree" ]; then
  tree_files | tar -cf - -T - | tar -xf - -C "$root/src/mediagen"
else
  tree_git clone -q --no-hardlinks "file://$PWD" "$root/src/mediagen"
fi
say "bare: ready in $(seconds_since "$start") s"

# The mounts live in a namespace of their own, so they end with it whatever happens.
in_root() {
  # shellcheck disable=SC2016  # the inner shell expands them
  unshare --mount --propagation private bash -c '
    root=$1
    mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t sysfs -o ro sysfs "$root/sys" || exit 1
    shift
    exec chroot "$root" "$@"' in_root "$root" \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
    ${MEDIAGEN_JOBS:+MEDIAGEN_JOBS="$MEDIAGEN_JOBS"} \
    bash -c "cd /src/mediagen && $1" </dev/null
}

failed=0
for command in "$@"; do
  start=$(now_ms) verdict=ok
  in_root "./run $command" || { verdict="FAILED with code $?" && failed=$((failed + 1)); }
  say "bare: ./run $command: $verdict after $(seconds_since "$start") s"
done
closing_line $(($# - failed)) "$failed"
