# rust_peers, go_peers, java_peers: build the peers of benchmarks/peers/<language> into build/peers/<language>, again when their sources have
# changed, and export where they are. Without its toolchain a peer is left out: the benchmark then has no rows of it. Sourced after common.sh.

# Whether version $1 is at least version $2.
at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# compiled_peers LANGUAGE COMMAND...: copies the sources and runs COMMAND among them, unless what is there was built from the same.
compiled_peers() {
  local language=$1 peers=build/peers/$1 sources
  shift
  sources=$(cd "benchmarks/peers/$language" && find . -type f ! -path './target/*' -exec sha256sum {} + | sort)
  mkdir -p "$peers"
  if [ "$sources" != "$(cat "$peers/.built" 2>/dev/null)" ]; then
    say "bench: building the peers in $language"
    find "$peers" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
    cp -R "benchmarks/peers/$language/." "$peers"
    if ! (cd "$peers" && "$@") >"$peers/install.log" 2>&1; then
      tail -n 20 "$peers/install.log" >&2
      fail "the peers in $language could not be built; see $peers/install.log."
    fi
    printf '%s\n' "$sources" >"$peers/.built"
  fi
}

rust_peers() {
  local version
  version=$(cargo --version 2>/dev/null | awk '{ print $2 }') || true
  if ! at_least "${version:-0}" 1.85; then
    say "bench: no cargo 1.85 or newer (rustup.rs): no rows of the peers in Rust"
    return 0
  fi
  compiled_peers rust cargo build --release --locked --target-dir target
  export MEDIAGEN_RUST_PEERS=$PWD/build/peers/rust
}

go_peers() {
  local go version
  go=$(command -v go || echo /usr/local/go/bin/go)
  version=$("$go" env GOVERSION 2>/dev/null) || true
  if ! at_least "${version:-go0}" go1.24; then
    say "bench: no Go 1.24 or newer (go.dev/dl): no rows of the peers in Go"
    return 0
  fi
  compiled_peers go "$go" build -mod=readonly -o peers .
  export MEDIAGEN_GO_PEERS=$PWD/build/peers/go
}

java_peers() {
  local version
  version=$(javac -version 2>&1 | awk '{ print $2 }') || true
  if ! [[ $version =~ ^[0-9] ]] || ! at_least "$version" 17 || ! command -v mvn >/dev/null; then
    say "bench: no JDK 17 with Maven (Debian: default-jdk-headless, maven): no rows of the peers in Java"
    return 0
  fi
  compiled_peers java mvn -q -B compile
  export MEDIAGEN_JAVA_PEERS=$PWD/build/peers/java
}
