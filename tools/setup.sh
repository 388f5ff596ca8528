# ./run setup [GROUP]...: installs the Debian packages that are missing.
. tools/common.sh
. tools/packages.sh

[ $# -gt 0 ] || set -- build test check bench
ensure_packages "$@"
say "setup: everything of $* is there"
