# ./run bench NAME: builds and runs one benchmark; prints its table and rewrites benchmarks/RESULTS.md and the charts.
. tools/common.sh
. tools/packages.sh
. tools/compile.sh

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
results=$PWD/benchmarks/results
mkdir -p "$results"
MEDIAGEN_RESULTS=$results "build/release/benchmarks/bench_$name" "$@"
python=/usr/bin/python3
[ -x "$python" ] || python=python3
"$python" tools/bench_results.py benchmarks
give_back build benchmarks
