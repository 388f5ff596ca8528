// Gate: where paid requests of this process wait for room at their provider. A request holds its place from
// before its intent until the provider has nothing more to do for it; who finds no room is told when to come
// back, so a claimed job is deferred and burns no try.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "pipeline/window.h"

namespace mediagen {

class Gate {
 public:
  // A place at a provider; dropping the last reference leaves it. May outlive the gate, not the metrics.
  using Place = std::shared_ptr<void>;

  Gate(Clock* clock, Metrics* metrics)
      : clock_(clock), metrics_(metrics), doors_(std::make_shared<Doors>()) {}

  // A provider with room for `most` requests at once. Before anything is entered.
  void Add(const std::string& provider, int most);

  // A place, or null and in *wait_ms when to ask again. Providers that were not added have room for all.
  Place Enter(const std::string& provider, int64_t* wait_ms);
  // A place for a request that is at its provider already, whether or not there is room.
  Place Occupy(const std::string& provider);

  // What became of a request that left at monotonic `sent`.
  void Accepted(const std::string& provider);
  void Overloaded(const std::string& provider, int64_t sent, int64_t retry_after_ms);

 private:
  struct Door {
    explicit Door(int most) : window(most) {}
    Window window;
    int inside = 0;
    Gauge limit, requests;
  };
  struct Doors {
    std::mutex mutex;
    std::map<std::string, Door> by_provider;
  };
  // Both with the mutex held.
  Door* Find(const std::string& provider);
  Place Take(Door* door);

  Clock* const clock_;
  Metrics* const metrics_;
  const std::shared_ptr<Doors> doors_;
};

}  // namespace mediagen
