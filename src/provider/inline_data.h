// Pictures inside of documents: base64 fields and data URIs, both ways.
//
// Thread-safe: pure functions. What comes from a provider is hostile input.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "provider/provider.h"

namespace mediagen {

// The output that a base64 field holds; nullopt when it is empty or no base64. `media_type` is its claim.
std::optional<RemoteOutput> InlineOutput(std::string_view base64, std::string_view media_type);

// The same of "data:image/png;base64,…". Other encodings carry no pictures.
std::optional<RemoteOutput> DataUriOutput(std::string_view text);

// Where a reference can be had: its URL, or its bytes as a data URI.
std::string ReferenceUri(const Reference& reference);

}  // namespace mediagen
