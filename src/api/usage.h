// /v1/usage and the resource "usage": what was spent and is held back, against the budgets, and the entries
// of the ledger behind it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pipeline/pipeline.h"

namespace mediagen {

// `user`: whose, which only those who see everything may choose; absent: the viewer's own, or, for who has no
// user, everybody's. kNotFound for another's. `secret` signs cursors.
StatusOr<std::string> UsageDocument(const Pipeline& pipeline, const Viewer& viewer,
                                    const std::optional<std::string>& user, int limit,
                                    const std::optional<std::string>& cursor, std::string_view secret);

}  // namespace mediagen
