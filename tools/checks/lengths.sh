# No source file is longer than 500 lines; those over 250 are named.
. tools/common.sh

tree_files | grep -E '\.(cc|c|h|hpp|py|js|mjs|ts|go|sh|awk|cmake)$|^run$' | while IFS= read -r file; do
  printf '%d %s\n' "$(wc -l <"$file")" "$file"
done | sort -rn | awk '
  $1 > 500 { print $2 " has " $1 " lines; past 500 it is two files"; long++ }
  $1 > 250 && $1 <= 500 { print "note: " $2 " has " $1 " lines" }
  END { exit long > 0 }'
