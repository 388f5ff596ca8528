# What the commands share; sourced, with the working directory at the root of the tree.
set -euo pipefail
export LC_ALL=C.UTF-8

# A line about what is being done. To stderr: stdout is for results.
say() { printf '%s\n' "$*" >&2; }

# Ends the command with a sentence that says what to do.
fail() {
  local command=${0##*/}
  printf 'run %s: %s\n' "${command%.sh}" "$*" >&2
  exit 1
}

now_ms() { date +%s%3N; }

# "12.3" for the milliseconds since $1.
seconds_since() {
  local ms=$(($(now_ms) - $1))
  printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# Under sudo, hands what was made as root back to the person who called: the next run may come without sudo.
give_back() {
  [ "$(id -u)" = 0 ] && [ -n "${SUDO_UID:-}" ] && [ "$(stat -c %u .)" = "$SUDO_UID" ] || return 0
  find "$@" -xdev -user root -exec chown -h "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" {} + 2>/dev/null || true
}

# git, also where the tree belongs to somebody else than the caller (sudo, containers).
tree_git() { git -c safe.directory='*' "$@"; }

# The project's own files, one a line: what git tracks or would track; without git, what stands outside build folders.
tree_files() {
  if command -v git >/dev/null && tree_git rev-parse --git-dir >/dev/null 2>&1; then
    tree_git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
      [ ! -f "$file" ] || printf '%s\n' "$file"
    done
  else
    find . \( -name .git -o -path ./build -o -name node_modules -o -name __pycache__ \) -prune -o -type f -printf '%P\n'
  fi | sort -u
}

# The last words of a command: $1 passed, $2 failed, $3 skipped. Fails when something failed.
closing_line() {
  local skipped=
  [ "${3:-0}" -eq 0 ] || skipped=", $3 skipped"
  printf '%d passed, %d failed%s\n' "$1" "$2" "$skipped"
  [ "$2" -eq 0 ]
}
