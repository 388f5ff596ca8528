// What the targets of conditional, range and negotiated requests share.
#pragma once

#include <string>
#include <string_view>

#include "api/http.h"
#include "fuzz/input.h"

namespace mediagen::fuzz {

constexpr std::string_view kEtag = "\"0123456789abcdef\"";

inline ApiRequest With(std::string method, HeaderList headers) {
  ApiRequest request;
  request.method = std::move(method);
  request.path = "/";
  request.headers = std::move(headers);
  return request;
}

// Takes up to `size` bytes off the front of `rest` as a number, the lowest first.
inline uint64_t TakeNumber(size_t size, std::string_view* rest) {
  uint64_t value = 0;
  const std::string_view taken = rest->substr(0, size);
  for (size_t i = 0; i < taken.size(); ++i) value |= uint64_t{static_cast<uint8_t>(taken[i])} << 8 * i;
  rest->remove_prefix(taken.size());
  return value;
}

}  // namespace mediagen::fuzz
