// A LimitLease is the receipt for what a limiter charged, by which exactly that can be given back later:
// after a restart and, where the limiter's keys are shared, by another process. A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace mediagen {

struct LimitLease {
  struct Part {
    std::string rule;      // by name: rules may be reordered between charge and refund
    std::string key;       // as the backend that took it writes keys
    int64_t cost = 0;      // > 0
    int64_t until_us = 0;  // in the backend's own time: from then on the charge counts no more
    bool operator==(const Part&) const = default;
  };

  uint64_t origin = 0;  // whose keys were charged: those of one limiter in memory, or of one remote database
  uint64_t id = 0;      // which of its leases
  std::vector<Part> parts;  // empty: nothing was charged
  bool operator==(const LimitLease&) const = default;

  // Base64url text of some 40 bytes and 20 a part; "" when there are no parts. It is not signed: who can
  // write one can give back what others were charged, so it stays with the host.
  std::string Encode() const;
  // kInvalid: not what Encode wrote, or of a later version.
  static StatusOr<LimitLease> Parse(std::string_view text);
};

}  // namespace mediagen
