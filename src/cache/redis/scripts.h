// The scripts that decide in Redis what of the second level is still true, and the names of its keys.
//
// Every invalidation gets the next sequence number, which becomes the generation of its key, tag or prefix
// or of everything. A value carries the number that was current when its load began, and is as good as absent
// once a generation of its own is later. All of this is in one hash, {namespace}g, so that Redis never
// evicts a part of it: without it there is another run, and no value of another run is seen. So it is after a
// restart or a failover of Redis, too, which may have lost the latest invalidations.
//
// What another process has to drop goes into a stream, {namespace}s, under the same number.
#pragma once

#include <string>
#include <string_view>

#include "redis/client.h"

namespace mediagen::tiered {

// What is invalidated; the letters stand in the stream.
enum class Kind : char { kKey = 'k', kTag = 't', kPrefix = 'p', kAll = 'a' };
// A key whose new value follows, in a batch of invalidations.
constexpr std::string_view kPut = "u";

struct Scripts {
  // KEYS g s x; ARGV a new run, the longest life of a value and its load in ms → {run, seq}.
  RedisScript hello;
  // KEYS g v; ARGV key → {run, seq} or, with a value, {run, seq, frame, ms that are left}.
  RedisScript read;
  // KEYS g v; ARGV run, seq when the load began, key, ttl ms, frame → {run, seq, 1 when it was stored}.
  RedisScript store;
  // KEYS g s x, then the value's key for every kKey and kPut; ARGV run, origin, then for each its letter and
  // name, and for kPut also seq, ttl ms and frame ("": none) → {run, seq, 1}; {run, seq} when the run is
  // another one and nothing was done.
  RedisScript publish;
};
const Scripts& AllScripts();

// The keys of one namespace; they share a hash tag, so that a cluster has them in one slot.
struct Names {
  explicit Names(std::string_view name);
  std::string Value(std::string_view key) const { return base + "v:" + std::string(key); }

  std::string base;            // "{mediagen:cache:NAME}"
  std::string g, stream, due;  // the hash, the stream, and when entries of the hash are of no use any more
};

}  // namespace mediagen::tiered
