// Requests and answers of the tests, as the header blocks that go over the wire.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "api/http.h"

namespace mediagen::testing {

// `block` is "name: value\n"…, parsed as a client's would be.
inline ApiRequest RequestOf(std::string method, std::string_view block) {
  ApiRequest request;
  request.method = std::move(method);
  auto headers = ParseHeaderBlock(block);
  REQUIRE(headers.ok());
  request.headers = *std::move(headers);
  return request;
}

// "-" when the answer has no such field.
inline std::string HeaderOf(const Response& response, std::string_view name) {
  for (const auto& [known, value] : response.headers) {
    if (known == name) return value;
  }
  return "-";
}

inline std::string BodyOf(const Response& response) {
  const auto* bytes = std::get_if<BytesBody>(&response.body);
  return bytes == nullptr ? "" : std::string(bytes->buffer.view().substr(bytes->offset, bytes->length));
}

}  // namespace mediagen::testing
