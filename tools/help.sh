# ./run help: what the commands are.
cat <<'TEXT'
./run setup [GROUP]...             install the Debian packages that are missing: build, test, check, bench (default: all)
./run build [PRESET] [TARGET]...   compile into build/PRESET: release (default), dev, asan, tsan, fuzz
./run demo [ARGUMENT]...           generate and serve pictures on this machine, without a key
./run test [FILTER] [--full]       every suite, or those whose name has FILTER (else the test cases that have it);
                                   --full adds ThreadSanitizer, the fuzzers (MEDIAGEN_FUZZ_SECONDS each, 30) and the crash loop
./run check [NAME]...              format, clang-tidy, floors, file lengths, headers, symbols, ABI report and more
./run floors                       the include graph, module by module; fails on a breach
./run bench NAME                   one benchmark: a table, benchmarks/results/NAME.json, benchmarks/RESULTS.md
./run crash [N]                    N rounds of the crash harness (default 100)
./run fuzz [SECONDS] [TARGET]      every fuzz target, or one, for that long each (default 30)
./run simulate [ARGUMENT]...       the five providers' wires on loopback, for trying out: no key, no bill
./run bare [--worktree] [COMMAND]  as root: the commands (default: demo test) in a bare Debian 12, from a clean clone
./run help                         this text

Each installs what it needs, asks nothing, and can be repeated. MEDIAGEN_SKIP_SETUP=1 never installs; MEDIAGEN_JOBS=N sets
the number of compilers at once; MEDIAGEN_SUITE_SECONDS=N the time that one suite may take (default 900).
TEXT
