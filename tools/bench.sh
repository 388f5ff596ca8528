# ./run bench NAME: builds and runs one benchmark; prints its table and rewrites benchmarks/RESULTS.md and the charts.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh
. tools/compiled_peers.sh

ensure_packages build bench
compile release build.ninja
mapfile -t names < <(targets release '^bench_[a-z0-9_]+$' | sed 's/^bench_//')
name=${1:-}
name=${name//-/_}
if [ -z "$name" ] || [[ " ${names[*]} " != *" $name "* ]]; then
  fail "${name:+there is no benchmark \"$name\"; }the benchmarks are: ${names[*]:-none yet}."
fi
shift
compile release "bench_$name"

# The peers are installed once, away from the tree; whoever has no npm gets the benchmarks that need none.
node_peers() {
  local peers=build/peers/node
  mkdir -p "$peers"
  cp benchmarks/peers/node/*.mjs benchmarks/peers/node/*.json benchmarks/peers/node/.npmrc "$peers"
  if ! cmp -s "$peers/package-lock.json" "$peers/node_modules/.installed"; then
    command -v npm >/dev/null || fail "this benchmark's peers are npm packages; it needs Node 20.9 or newer with its npm (Debian 12 has Node 18)."
    say "bench: installing the peers from npm"
    # Not "ci": some npm versions refuse a lock that leaves out the optional packages of other machines.
    npm --prefix "$peers" install --no-save --no-audit --no-fund >"$peers/install.log" 2>&1 || { tail -n 20 "$peers/install.log" >&2; fail "npm could not install the peers; see $peers/install.log."; }
    cp "$peers/package-lock.json" "$peers/node_modules/.installed"
  fi
  export MEDIAGEN_NODE_PEERS=$PWD/$peers
}

python_peers() {
  local peers=build/peers/python
  if ! cmp -s benchmarks/peers/python/requirements.txt "$peers/.installed"; then
    say "bench: installing the peers from PyPI"
    mkdir -p "$peers"
    { python3 -m venv "$peers" && "$peers/bin/pip" install --disable-pip-version-check -r benchmarks/peers/python/requirements.txt; } >"$peers/install.log" 2>&1 ||
      { tail -n 20 "$peers/install.log" >&2; fail "pip could not install the peers; see $peers/install.log."; }
    cp benchmarks/peers/python/requirements.txt "$peers/.installed"
  fi
  cp benchmarks/peers/python/*.py "$peers"
  export MEDIAGEN_PYTHON_PEERS=$PWD/$peers
}

case $name in
  queue | queue_relaxed | thumbs | resize | webp | base64)
    node_peers
    python_peers
    ;;
  limiter_redis)
    node_peers
    ;;
  limiter)
    rust_peers
    go_peers
    ;;
  cache_hits)
    java_peers
    ;;
  cache_speed)
    rust_peers
    go_peers
    java_peers
    ;;
esac
results=$PWD/benchmarks/results
mkdir -p "$results"
MEDIAGEN_RESULTS=$results "build/release/benchmarks/bench_$name" "$@"
python=/usr/bin/python3
[ -x "$python" ] || python=python3
"$python" tools/bench_results.py benchmarks
give_back build benchmarks
