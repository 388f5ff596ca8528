// Signed URLs: a capability to do one thing until a moment, without signing in. Whoever has the URL may do
// what it says and nothing else: another method, path or parameter breaks the signature.
//
// The parameters are `expires` (seconds since 1970) and `signature`. HMAC-SHA256 covers a version tag, the
// method (HEAD counts as GET), the path without the mount prefix and all other decoded parameters, sorted,
// each with its length in front.
//
// Thread-safe: no state.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/query.h"
#include "base/status.h"

namespace mediagen {

constexpr int64_t kSignedUrlStepMs = 3'600'000;
constexpr int64_t kLongestSignedUrlMs = 400LL * 24 * 3'600'000;

// The moment at which a URL ends that is to live `ttl_ms` from `now_ms`: rounded up to the hour, so that a
// list that is asked for twice names identical URLs and browsers keep what they have. kInvalid unless ttl_ms
// is from 1 to kLongestSignedUrlMs.
StatusOr<int64_t> SignedUrlExpiry(int64_t now_ms, int64_t ttl_ms);

// `path` with `query`, `expires` and `signature` behind it, all percent-encoded. `query` is what stands
// behind '?', percent-encoded. kInvalid for a broken query, or one that names either parameter already.
StatusOr<std::string> SignUrl(std::string_view secret, std::string_view method, std::string_view path,
                              std::string_view query, int64_t expires_ms);

// Takes `expires` and `signature` off `query`. Absent: 0, the request is not signed. Else the moment (wall
// ms) until which it holds, or kForbidden with the reason: any of `secrets` may have made it.
StatusOr<int64_t> VerifySignedUrl(std::span<const std::string> secrets, std::string_view method,
                                  std::string_view path, TargetQuery* query, int64_t now_ms);

}  // namespace mediagen
