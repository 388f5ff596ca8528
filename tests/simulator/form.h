// The multipart/form-data of a request, as a server reads it.
#pragma once

#include <optional>

#include "base/json.h"
#include "simulator/server.h"

namespace mediagen::simulator {

// The fields by name: a text; a file as {"file": name, "type": media type, "bytes": size}; several of one
// name as an array. The field "simulate" is JSON. nullopt when the body is no such form, to the last byte.
std::optional<Json> ReadForm(const Request& request);

}  // namespace mediagen::simulator
