// The query of a request target: decoded pairs, each asked for by name; what nobody asked for is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/status.h"

namespace mediagen {

// Percent-decodes; '+' is a space only when `plus`. kInvalid for a bad escape, NUL or invalid UTF-8.
StatusOr<std::string> PercentDecode(std::string_view text, bool plus);

class TargetQuery {
 public:
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  // kInvalid for bad escapes, a name that stands twice, and more than 64 pairs.
  static StatusOr<TargetQuery> Parse(std::string_view text);

  std::optional<std::string> Text(std::string_view name);
  // kInvalid outside [min, max]; `fallback` when absent.
  StatusOr<int64_t> Int(std::string_view name, int64_t fallback, int64_t min, int64_t max);
  // "true" or "false"; false when absent, kInvalid for anything else.
  StatusOr<bool> Flag(std::string_view name);
  StatusOr<Id> IdOrEmpty(std::string_view name);
  // The value, which then counts as never having been there.
  std::optional<std::string> Take(std::string_view name);
  bool Has(std::string_view name) const;
  // All that is there, decoded, in the order of the target.
  const Pairs& pairs() const { return pairs_; }
  // kInvalid names what was not asked for.
  Status Finish() const;

 private:
  Pairs pairs_;
  std::vector<std::string> asked_;
};

}  // namespace mediagen
