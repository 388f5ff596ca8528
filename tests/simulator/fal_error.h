// The errors of fal's wire, in its two families.
//
// Thread-safe: pure functions.
#pragma once

#include <string>

#include "simulator/wire.h"

namespace mediagen::simulator::fal {

Reply Detail(int status, const std::string& detail);
// A platform error where the fault names a type of one, with the hint in the form that was asked for.
Reply PlatformError(const Json& fault);
// Whether fal documents that error as not billed ("5xx are not billed"), of the types that tell how a request
// ended.
bool IsUnbilled(const Json& fault);
// The model's own.
Json ModelError(const Json& fault);

}  // namespace mediagen::simulator::fal
