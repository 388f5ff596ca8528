// Cursors: opaque, signed, bound to the listing they came from. "c1." + base64url(document) + "." +
// base64url(MAC).
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "store/records.h"

namespace mediagen {

// `binding` names the listing: resource, filters, sort and the viewer. A cursor is good for the same binding
// only.
std::string EncodeCursor(const PageKey& key, std::string_view binding, std::string_view secret);
// kInvalid for one that was changed, cut, made by another secret, or belongs to another listing.
StatusOr<PageKey> DecodeCursor(std::string_view cursor, std::string_view binding, std::string_view secret);

}  // namespace mediagen
