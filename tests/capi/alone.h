// A store and its queues in a directory of their own, as OpenStoreAlone and OpenQueueAlone give them.
#pragma once

#include <string_view>

#include "engine/engine.h"

namespace mediagen::testing {

// `config` is "", "manual" (no threads: the drive does the work) or "fail".
StatusOr<Backend> OpenAlone(std::string_view config);

}  // namespace mediagen::testing
