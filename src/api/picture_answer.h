// What every answer with a picture or video in it has in common: validators, caching, ranges (http.md
// "Rules").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/http.h"
#include "media/media.h"

namespace mediagen {

// Who may keep an answer, and for how long.
struct Keeping {
  bool is_public = false;     // shared caches, too
  bool is_versioned = false;  // the URL names its own version: what it answers never changes
  int64_t at_most_s = -1;     // a signed URL's rest of life, a share link's minute; -1: no bound
};
std::string CacheControl(const Keeping& keeping);

// What a picture answer says besides its bytes.
struct Representation {
  std::string_view sha256;  // hex, of the whole representation
  std::string_view media_type;
  Keeping keeping;
  bool negotiated = false;  // the URL names no format: the answer depends on Accept
  uint64_t size = 0;
};

// Status, headers and slice for one picture by RFC 9110 §13 and §14. The body is set by the caller, which
// knows where the bytes are; false: there is none (304, 412, 416).
struct ByteRange;
bool DescribePicture(const ApiRequest& request, const Representation& picture, Response* response,
                     ByteRange* range);

// A variant whose bytes are at hand. `x_cache` is "HIT" or "MISS".
Response PictureResponse(const ApiRequest& request, const Picture& picture, const Keeping& keeping,
                         bool negotiated, std::string_view x_cache);

// An original, image or video, as a range of its file.
Response OriginalResponse(const ApiRequest& request, const Output& output, BlobStore* blobs,
                          const Keeping& keeping, bool negotiated);

// 307 to the current URL of what was asked for by an older version.
Response CurrentUrl(std::string location);

// A picture that could not be made. What is the picture's own fault is 422, never the request's.
Response PictureProblem(const Status& status);

}  // namespace mediagen
