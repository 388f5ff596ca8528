// Answers in JSON: codings, validators and what stands beside them.
#include "api/reply.h"

#include <doctest/doctest.h>
#include <libdeflate.h>
#include <zstd.h>

#include <set>

#include "api/exchange.h"
#include "api/problem.h"
#include "base/json.h"
#include "fmt/format.h"

using namespace mediagen;
using mediagen::testing::BodyOf;
using mediagen::testing::HeaderOf;
using mediagen::testing::RequestOf;

namespace {

// Compresses well, and is over 1 KB.
std::string LargeJson() {
  std::string json = "[";
  for (int i = 0; i < 400; ++i) json += std::to_string(i) + ", ";
  return json + "400]";
}

Response Ask(std::string_view headers, const std::string& json, const std::string& method = "GET",
             int status = 200) {
  const ApiRequest request = RequestOf(method, headers);
  Response response = JsonResponse(request, status, json);
  Finalise(request, &response);
  return response;
}

std::string Decoded(const Response& response, size_t size) {
  const std::string body = BodyOf(response), coding = HeaderOf(response, "Content-Encoding");
  std::string out(size, '\0');
  if (coding == "zstd") {
    out.resize(ZSTD_decompress(out.data(), out.size(), body.data(), body.size()));
  } else if (coding == "gzip") {
    libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
    CHECK(libdeflate_gzip_decompress(decompressor, body.data(), body.size(), out.data(), out.size(),
                                     nullptr) == LIBDEFLATE_SUCCESS);
    libdeflate_free_decompressor(decompressor);
  } else {
    out = body;
  }
  return out;
}

}  // namespace

TEST_CASE("JSON over 1 KB is sent in the coding that was asked for") {
  const std::string large = LargeJson(), small = R"({"a":1})";
  struct Row {
    std::string_view why;
    std::string_view headers;
    const std::string& json;
    std::string_view coding;
  };
  const Row rows[] = {
      {"nobody asked", "", large, "-"},
      {"zstd", "Accept-Encoding: zstd", large, "zstd"},
      {"gzip for who has no zstd", "Accept-Encoding: gzip, deflate, br", large, "gzip"},
      {"zstd before gzip", "Accept-Encoding: gzip, deflate, br, zstd", large, "zstd"},
      {"lines are one list", "Accept-Encoding: br\nAccept-Encoding: gzip", large, "gzip"},
      {"a small one is not worth it", "Accept-Encoding: zstd", small, "-"},
      {"unless it must not go as it is", "Accept-Encoding: gzip, identity;q=0", small, "gzip"},
      {"by *;q=0 as well", "Accept-Encoding: zstd, *;q=0", small, "zstd"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const Response response = Ask(row.headers, row.json);
    CHECK(response.status == 200);
    CHECK(HeaderOf(response, "Content-Encoding") == row.coding);
    CHECK(HeaderOf(response, "Content-Length") == std::to_string(BodyOf(response).size()));
    CHECK(HeaderOf(response, "Vary") == "Accept-Encoding");  // §12.5.5: also where nothing was compressed
    CHECK(Decoded(response, row.json.size()) == row.json);
    if (row.json.size() > 1024 && row.coding != "-") CHECK(BodyOf(response).size() < row.json.size());
  }
}

TEST_CASE("bytes that do not get smaller go as they are") {
  std::string noise = "\"";
  for (uint32_t i = 0, x = 1; i < 2000; ++i)
    noise += static_cast<char>('0' + ((x = x * 1664525 + 1013904223) >> 25) % 75);
  for (char& c : noise) c = c == '\\' ? '!' : c;
  const Response response = Ask("Accept-Encoding: zstd", noise.substr(0, 1025));
  CHECK(BodyOf(response).size() <= 1025);
}

TEST_CASE("each coding has a strong ETag of its own (RFC 9110 §8.8.3.3)") {
  const std::string json = LargeJson();
  std::set<std::string> tags;
  for (const char* coding : {"identity", "gzip", "zstd"}) {
    const std::string accept = std::string("Accept-Encoding: ") + coding;
    const std::string tag = HeaderOf(Ask(accept, json), "ETag");
    CHECK(tag.front() == '"');
    CHECK(tag == HeaderOf(Ask(accept, json), "ETag"));
    CHECK(Ask(fmt::format("{}\nIf-None-Match: {}", accept, tag), json).status == 304);
    tags.insert(tag);
  }
  CHECK(tags.size() == 3);
}

TEST_CASE("where no coding is acceptable a read is 406, and a write is told all the same") {
  const std::string json = LargeJson();
  const Response read = Ask("Accept-Encoding: identity;q=0", json);
  CHECK(read.status == 406);
  CHECK(HeaderOf(read, "Content-Type") == "application/problem+json");
  CHECK(HeaderOf(read, "Vary") == "Accept-Encoding");
  CHECK(HeaderOf(read, "Cache-Control") == "no-store");
  CHECK(BodyOf(Ask("Accept-Encoding: identity;q=0", json, "POST", 202)) == json);
}

TEST_CASE("a 304 has what a cache keeps by, and nothing of the content (RFC 9110 §15.4.5)") {
  const std::string json = LargeJson();
  const std::string accept = "Accept-Encoding: zstd";
  const Response full = Ask(accept, json);
  const Response not_modified = Ask(accept + "\nIf-None-Match: " + HeaderOf(full, "ETag"), json);
  CHECK(not_modified.status == 304);
  for (const char* name : {"ETag", "Vary", "Cache-Control"})
    CHECK(HeaderOf(not_modified, name) == HeaderOf(full, name));
  for (const char* name : {"Content-Type", "Content-Encoding", "Content-Length"})
    CHECK(HeaderOf(not_modified, name) == "-");
  CHECK(std::holds_alternative<std::monostate>(not_modified.body));
}

TEST_CASE("HEAD has GET's header fields and no content (RFC 9110 §9.3.2)") {
  const std::string json = LargeJson();
  for (const char* headers : {"", "Accept-Encoding: zstd", "Accept-Encoding: gzip", "If-None-Match: *",
                              "If-Match: \"x\"", "Accept-Encoding: identity;q=0"}) {
    CAPTURE(headers);
    const Response get = Ask(headers, json), head = Ask(headers, json, "HEAD");
    CHECK(head.status == get.status);
    CHECK(head.headers == get.headers);
    CHECK(std::holds_alternative<std::monostate>(head.body));
  }
}

TEST_CASE("conditions count for a GET that would be 200, and for nothing else (RFC 9110 §13.2.1)") {
  CHECK(Ask("If-Match: \"x\"", "{}").status == 412);
  CHECK(Ask("If-Match: *", "{}").status == 200);
  CHECK(Ask("If-None-Match: *", "{}").status == 304);
  CHECK(Ask("If-None-Match: *", "{}", "POST", 202).status == 202);
  const Response failed = Ask("If-Match: \"x\"", "{}");
  CHECK(HeaderOf(failed, "Cache-Control") == "no-store");
  CHECK(HeaderOf(failed, "ETag") == "-");
}

TEST_CASE("what was read may be kept with a question, what was done is kept nowhere (RFC 9111 §5.2.2)") {
  CHECK(HeaderOf(Ask("", "{}"), "Cache-Control") == "private, no-cache");
  CHECK(HeaderOf(Ask("", "{}", "POST", 202), "Cache-Control") == "no-store");
  CHECK(HeaderOf(Ask("", "{}", "POST", 200), "ETag") == "-");
}

TEST_CASE("a record's ETag is its version and a hash of the bytes served") {
  const std::string json = LargeJson();
  auto ask = [&](const std::string& headers) {
    return RecordResponse(RequestOf("GET", headers), 200, 12, json);
  };
  const std::string plain = HeaderOf(ask(""), "ETag"), zstd = HeaderOf(ask("Accept-Encoding: zstd"), "ETag");
  CHECK(plain.starts_with("\"12."));
  CHECK(zstd.starts_with("\"12."));
  CHECK(plain != zstd);
  CHECK(ask("If-None-Match: " + plain).status == 304);
  CHECK(ask("If-None-Match: " + zstd).status == 200);  // those bytes are not these
  CHECK(ask("If-Match: " + zstd).status == 200);       // but they say the same
  CHECK(ask("If-Match: \"11.0000000000000000\"").status == 412);
}

TEST_CASE("errors are problem documents (RFC 9457 §3)") {
  for (Code code : {Code::kInvalid, Code::kNotFound, Code::kUnauthorized, Code::kForbidden, Code::kConflict,
                    Code::kRateLimited, Code::kBudgetExceeded, Code::kOverloaded, Code::kUnsupported,
                    Code::kTooLarge, Code::kTimeout, Code::kStorageFull, Code::kCorrupt}) {
    const Response response = ProblemResponse(
        Error(code, "It is so.", {.hint = "Do that.", .retry_after_ms = 1500, .object = "x"}));
    CAPTURE(CodeName(code));
    const Json problem = Json::parse(BodyOf(response));
    CHECK(HeaderOf(response, "Content-Type") == "application/problem+json");
    CHECK(HeaderOf(response, "Cache-Control") == "no-store");
    CHECK(HeaderOf(response, "Retry-After") == "2");  // RFC 9110 §10.2.3: whole seconds, not before
    CHECK(problem["type"] == "urn:mediagen:problem:" + std::string(CodeName(code)));
    CHECK(problem["status"] == response.status);
    CHECK(response.status >= 400);
    CHECK(problem["title"].get<std::string>().size() > 5);
    CHECK(problem["detail"] == "It is so.");
    CHECK(problem["hint"] == "Do that.");
    CHECK(problem["object"] == "x");
  }
}
