# clang-tidy on what changed since the upstream branch, or in the last commit where there is none; MEDIAGEN_TIDY=all takes every file.
# It stops after MEDIAGEN_TIDY_SECONDS (default 600) and names what it did not reach.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

# The commit to compare with, or nothing.
base_commit() {
  local branch base
  for branch in origin/HEAD origin/main origin/master; do
    base=$(tree_git merge-base HEAD "$branch" 2>/dev/null) || continue
    [ "$base" = "$(tree_git rev-parse HEAD)" ] || { echo "$base" && return; }
  done
  tree_git rev-parse --verify -q HEAD~1 || true
}

changed_files() {
  if [ "${MEDIAGEN_TIDY:-}" = all ]; then
    tree_files
  else
    [ -z "$base" ] || tree_git diff --name-only --diff-filter=d "$base"
    tree_git ls-files --others --exclude-standard
  fi | sort -u
}

base=$(base_commit 2>/dev/null || true)
[ -n "$base$(tree_git ls-files --others --exclude-standard 2>/dev/null)" ] || [ "${MEDIAGEN_TIDY:-}" = all ] ||
  { echo "there is no earlier commit to compare with; MEDIAGEN_TIDY=all takes every file"; exit 77; }

# The compile commands of the asan preset without what only g++ knows.
compile asan build.ninja
mkdir -p build/tidy
sed -E 's/ -(fno-gnu-unique|Wno-restrict|Wno-stringop-overflow|Wno-maybe-uninitialized|fsanitize=[a-z,-]+|fno-sanitize-recover=all)//g; s#"command": "[^"]*/ccache #"command": "#; s# -include [^ ]*cmake_pch.hxx##g; s# -(Winvalid-pch|fpch-preprocess)##g' \
  build/asan/compile_commands.json >build/tidy/compile_commands.json

# A changed header is seen through the source of its name.
mapfile -t sources < <(changed_files | sed -nE 's/\.(h|hpp)$/.cc/; /^(src|capi|tests|examples|benchmarks)\/.*\.(cc|c)$/p' | sort -u |
  while IFS= read -r file; do [ ! -f "$file" ] || ! grep -qF "/$file\"" build/tidy/compile_commands.json || echo "$file"; done)
[ ${#sources[@]} -gt 0 ] || { echo "note: no source file changed"; exit 0; }

until=$(($(date +%s) + ${MEDIAGEN_TIDY_SECONDS:-600}))
rm -rf build/tidy/said
mkdir -p build/tidy/said
tidy_one() {
  local said=build/tidy/said/${1//\//_}
  [ "$(date +%s)" -lt "$2" ] || { echo "$1" >"$said.late"; return 0; }
  clang-tidy-14 --quiet -p build/tidy --extra-arg=-Wno-unknown-warning-option "$1" >"$said" 2>/dev/null || mv "$said" "$said.bad"
}
export -f tidy_one
# shellcheck disable=SC2016  # the inner shell expands them
printf '%s\n' "${sources[@]}" | xargs -P "$(compile_jobs)" -I{} bash -c 'tidy_one "$1" "$2"' tidy {} "$until"

late=$(cat build/tidy/said/*.late 2>/dev/null | paste -sd' ' || true)
[ -z "$late" ] || echo "note: not reached in time: $late"
echo "note: ${#sources[@]} files since ${base:0:12}"
if compgen -G 'build/tidy/said/*.bad' >/dev/null; then
  cat build/tidy/said/*.bad
  exit 1
fi
