# The shell scripts pass shellcheck.
. tools/common.sh

mapfile -t scripts < <(tree_files | grep -E '(\.sh|^run|^\.ci/run)$')
exec shellcheck "${scripts[@]}"
