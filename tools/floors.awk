# The include graph of the modules and its breaches. Input: tools/floors.txt, then every source file. mawk is enough.

FILENAME == ARGV[1] {
  if ($1 ~ /^[0-9]+$/) for (i = 2; i <= NF; i++) { floor[$i] = $1; order[++modules] = $i }
  next
}

FNR == 1 {
  split(FILENAME, part, "/")
  place = part[1]
  module = place == "src" ? part[2] : place == "capi" ? "capi" : ""
  if (place == "src" && part[3] != "" && !(module in floor)) breach(FILENAME, "module " module " has no floor in tools/floors.txt")
  if (module != "") files[module]++
}

# From here on only a quoted include, or one of ours in angle brackets.
!/^[ \t]*#[ \t]*include[ \t]*["<]/ { next }
{
  header = $0
  sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", header)
  sub(/[">].*$/, "", header)
  depth = split(header, step, "/")
  target = step[1]
  where = FILENAME ":" FNR
}

place != "include" && header ~ /(^|\/)\.\.\// && module != "" { breach(where, "includes " header ": write the path from src/"); next }

# Outside: the public headers, examples and bindings see nothing but mediagen/*.h.
module == "" {
  if (header ~ /^(src|capi)\// || header ~ /\.\.\/(src|capi)\// || (target in floor && depth > 1 && exists("src/" header)))
    breach(where, "includes " header ": only include/mediagen/ may be included here")
  else if (place == "include" && depth > 1 && target != "mediagen" && /"/)
    breach(where, "includes " header ": a public header includes its siblings only")
  next
}

target == "mediagen" && depth > 1 {
  if (module != "capi") breach(where, "includes " header ": the public headers stand above every module but capi")
  next
}

!(target in floor) || depth < 2 { next }

{
  if (target != module) {
    edge[module, target]++
    if (floor[target] > floor[module]) breach(where, module " (floor " floor[module] ") includes upward: " header " (floor " floor[target] ")")
    else if (floor[target] == floor[module]) breach(where, module " includes sideways: " header " (both on floor " floor[module] ")")
    if (depth > 2 && FILENAME != "src/engine/wiring.cc")
      breach(where, "includes " header ": only src/engine/wiring.cc names the inside of another module")
  }
}

function breach(where, what) { breaches[++count] = where ": " what }

function exists(path,   line, found) {
  if (path in known) return known[path]
  found = (getline line < path) >= 0
  if (found) close(path)
  return known[path] = found
}

END {
  printf "%-6s %-10s %6s  %s\n", "floor", "module", "files", "includes"
  for (m = 1; m <= modules; m++) {
    name = order[m]
    if (!files[name]) continue
    below = ""
    for (t = 1; t <= modules; t++) if ((name, order[t]) in edge) below = below " " order[t]
    printf "%-6d %-10s %6d %s\n", floor[name], name, files[name], below == "" ? " -" : below
  }
  for (i = 1; i <= count; i++) print breaches[i]
  print count ? count (count == 1 ? " breach" : " breaches") : "no include goes up, sideways or into a backend"
  exit count > 0
}
