module mediagen/benchmarks/peers

go 1.24.0

require (
	github.com/maypok86/otter/v2 v2.4.0
	github.com/throttled/throttled/v2 v2.15.0
)

require github.com/hashicorp/golang-lru v0.5.4 // indirect
