# Nothing in the tree names where it stands on this machine, unfinished work, or a package registry's host.
. tools/common.sh

# A path as a pattern that matches it only where a path begins.
path_pattern() { printf '(^|[^A-Za-z0-9_.)}/-])%s/' "$(sed 's/[^A-Za-z0-9_/-]/\\&/g' <<<"$1")"; }

# Each line: what is looked for, a tab, what it is. The brackets keep these lines from finding themselves.
patterns="$(path_pattern "$PWD")	this tree's own path
\b([T]ODO|[F]IXME|[X]XX)\b	unfinished work
([r]egistry\.npmjs\.org|[f]iles\.pythonhosted\.org|[p]ypi\.org/simple|[p]roxy\.golang\.org)	the host of a package registry"
[[ ${HOME:-/} == / ]] || patterns+=$'\n'"$(path_pattern "$HOME")	a home folder's path"

mapfile -t files < <(tree_files | grep -vE '^(LICENSE|.*\.(png|jpg|jpeg|webp|gif|avif|mp4|bin|abi|sum|lock))$' || true)
found=0
while IFS=$'\t' read -r pattern what; do
  if lines=$(grep -InE -e "$pattern" -- "${files[@]}"); then
    printf '%s:\n%s\n' "$what" "$(cut -c1-180 <<<"$lines" | head -n 20)"
    found=1
  fi
done <<<"$patterns"
exit "$found"
