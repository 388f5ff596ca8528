// Jobs that a generation waits for: the work of a provider that is the host itself (documents.md "type
// host").
#pragma once

#include <string_view>

#include "store/job_store.h"

namespace mediagen {

// Their queues are "provider:" and the provider's name; only the pipeline enqueues in them.
inline constexpr std::string_view kProviderQueues = "provider:";
// Their kinds: what was claimed of the second may have cost money.
inline constexpr std::string_view kFreeKind = "generate", kPaidKind = "generate-paid";

// Whether somebody waits for the end of `job`: the commit that ends it wakes every process.
inline bool IsAwaited(const Job& job) { return std::string_view(job.queue).starts_with(kProviderQueues); }

// Whether `job`, once claimed, may have been paid for: it does not run again because its worker died, hung or
// left, but is dead with the code unknown_outcome.
inline bool IsPaid(const Job& job) { return IsAwaited(job) && job.kind == kPaidKind; }

}  // namespace mediagen
