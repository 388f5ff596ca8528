// Pictures and videos that an answer names or holds.
//
// Thread-safe as far as one Gathered is one thread's. What comes from a provider is hostile input.
#pragma once

#include <string_view>
#include <vector>

#include "provider/endpoint.h"
#include "provider/provider.h"

namespace mediagen::openrouter {

// What an answer gave, and what of it was refused.
struct Gathered {
  std::vector<RemoteOutput> outputs;
  int active = 0;      // SVG and other markup, which may hold scripts
  int unreadable = 0;  // no base64, no acceptable URL
};

// A base64 field.
void GatherInline(std::string_view base64, std::string_view media_type, Gathered* gathered);
// An absolute URL, a path on the configured origin, or a data URI.
void GatherUri(std::string_view uri, const Endpoint& endpoint, Gathered* gathered);

// `url` made absolute; "" unless it may be asked for.
std::string ResolveUrl(std::string_view url, const Endpoint& endpoint);

// "2 of 3 pictures were refused: …"; "" when none was.
std::string RefusalOf(const Gathered& gathered);

}  // namespace mediagen::openrouter
