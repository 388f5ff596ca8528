#include "jobs/provider_jobs.h"

#include <doctest/doctest.h>

#include "jobs/transition.h"

namespace mediagen {
namespace {

TEST_CASE("what may have been paid for is never ready again by itself") {
  struct Row {
    const char* queue;
    std::string_view kind;
    JobState from;
    JobState crashed, left;
  };
  using enum JobState;
  const Row rows[] = {
      {"provider:hired", kPaidKind, kRunning, kDead, kDead},
      {"provider:hired", kPaidKind, kParked, kDead, kReady},
      {"provider:mine", kFreeKind, kRunning, kReady, kReady},
      {"email", kPaidKind, kRunning, kReady, kReady},
  };
  const Status why = Error(Code::kTimeout, "It was silent.");
  for (const Row& row : rows) {
    CAPTURE(row.queue);
    Job job{.queue = row.queue, .kind = std::string(row.kind), .state = row.from};
    Job crashed = job, left = job;
    CHECK(ApplyCrash(why, {}, {}, &crashed) == row.crashed);
    ApplyLeft({}, &left);
    CHECK(left.state == row.left);
    for (const Job& after : {crashed, left}) {
      if (after.state == kDead) CHECK(after.error_json.find("unknown_outcome") != std::string::npos);
      CHECK(after.worker.empty());
    }
    CHECK(crashed.tries == (row.crashed == kReady ? 1 : 0));
  }
}

TEST_CASE("somebody waits for the end of a provider's job, and of no other") {
  CHECK(IsAwaited(Job{.queue = "provider:mine"}));
  CHECK_FALSE(IsAwaited(Job{.queue = "email"}));
  CHECK_FALSE(IsAwaited(Job{.queue = "my-provider:mine"}));
}

}  // namespace
}  // namespace mediagen
