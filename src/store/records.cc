#include "store/records.h"

#include <array>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr std::array<std::string_view, 6> kStatusNames = {"pending", "processing", "completed",
                                                          "failed",  "canceled",   "unknown"};
constexpr std::array<std::string_view, 10> kAttemptStateNames = {
    "intent",  "unsent",    "rejected", "submitted", "received",
    "unknown", "succeeded", "failed",   "canceled",  "abandoned"};

}  // namespace

std::string_view StatusName(GenerationStatus status) { return kStatusNames[static_cast<size_t>(status)]; }

StatusOr<GenerationStatus> StatusByName(std::string_view name) {
  for (size_t i = 0; i < kStatusNames.size(); ++i) {
    if (kStatusNames[i] == name) return static_cast<GenerationStatus>(i);
  }
  return Error(Code::kInvalid, fmt::format("\"{}\" is not the status of a generation; they are {}.",
                                           Shorten(name, 60), fmt::join(kStatusNames, ", ")));
}

std::string_view AttemptStateName(AttemptState state) {
  return kAttemptStateNames[static_cast<size_t>(state)];
}

StatusOr<AttemptState> AttemptStateByName(std::string_view name) {
  for (size_t i = 0; i < kAttemptStateNames.size(); ++i) {
    if (kAttemptStateNames[i] == name) return static_cast<AttemptState>(i);
  }
  return Error(Code::kInvalid, fmt::format("\"{}\" is not the state of an attempt; they are {}.",
                                           Shorten(name, 60), fmt::join(kAttemptStateNames, ", ")));
}

}  // namespace mediagen
