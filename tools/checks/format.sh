# clang-format finds nothing to change; MEDIAGEN_FORMAT=write lets it change what it finds.
. tools/common.sh

mapfile -t sources < <(tree_files | grep -E '\.(cc|c|h|hpp|inc)$' || true)
if [ "${MEDIAGEN_FORMAT:-}" = write ]; then
  printf '%s\0' "${sources[@]}" | xargs -0 -n 20 -P "$(nproc)" clang-format-14 -i
  exit 0
fi
warnings=$(printf '%s\0' "${sources[@]}" | xargs -0 -n 20 -P "$(nproc)" clang-format-14 --dry-run 2>&1 | grep -E '^[^ ]+:[0-9]+:[0-9]+: ' || true)
[ -n "$warnings" ] || exit 0
mapfile -t untidy < <(cut -d: -f1 <<<"$warnings" | sort -u)
printf '%s\n' "${untidy[@]}" | head -n 40
echo "${#untidy[@]} files are not formatted; MEDIAGEN_FORMAT=write ./run check format formats them."
exit 1
