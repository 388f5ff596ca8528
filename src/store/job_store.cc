#include "store/job_store.h"

#include <array>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr std::array<std::string_view, 8> kJobStateNames = {"scheduled", "ready", "waiting", "running",
                                                            "parked",    "done",  "dead",    "canceled"};

}  // namespace

std::string_view JobStateName(JobState state) { return kJobStateNames[static_cast<size_t>(state)]; }

StatusOr<JobState> JobStateByName(std::string_view name) {
  for (size_t i = 0; i < kJobStateNames.size(); ++i) {
    if (kJobStateNames[i] == name) return static_cast<JobState>(i);
  }
  return Error(Code::kInvalid, fmt::format("\"{}\" is not the state of a job; they are {}.",
                                           Shorten(name, 60), fmt::join(kJobStateNames, ", ")));
}

}  // namespace mediagen
