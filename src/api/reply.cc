#include "api/reply.h"

#include <optional>

#include "api/compress.h"
#include "api/conditional.h"
#include "api/negotiate.h"
#include "api/problem.h"
#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kCompressFrom = 1024;  // below it the frame saves less than the header costs

bool Reads(const ApiRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

// Puts `json` into `coding` where that is worth it, or asked for. Which it is in then.
Coding Encode(const CodingChoice& choice, std::string* json) {
  if (choice.coding == Coding::kIdentity) return Coding::kIdentity;
  if (choice.identity && json->size() <= kCompressFrom) return Coding::kIdentity;
  std::string compressed = Compress(choice.coding, *json);
  if (compressed.empty() || (choice.identity && compressed.size() >= json->size())) return Coding::kIdentity;
  *json = std::move(compressed);
  return choice.coding;
}

Response NotAcceptable() {
  Response response = ProblemResponse(
      Error(Code::kUnsupported, "Accept-Encoding refuses every coding that this answer is to be had in.",
            {.hint = "Accept zstd, gzip or identity."}),
      406);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  return response;
}

// §15.4.5: a 304 repeats what a cache keeps by, and describes no content.
void BecomeNotModified(Response* response) {
  response->status = 304;
  std::erase_if(response->headers, [](const auto& header) {
    return header.first == "Content-Type" || header.first == "Content-Encoding";
  });
}

Response Reply(const ApiRequest& request, int status, std::optional<int64_t> version, std::string json,
               HeaderList headers) {
  const CodingChoice choice = NegotiateCoding(request.Find("accept-encoding"));
  // What a write did must be told in any case (§12.4.1 allows it); what is only read may be asked for again.
  if (choice.coding == Coding::kIdentity && !choice.identity && Reads(request)) return NotAcceptable();
  const Coding coding = Encode(choice, &json);
  Response response;
  response.status = status;
  response.headers = std::move(headers);
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Vary", "Accept-Encoding");
  response.headers.emplace_back("Cache-Control", Reads(request) ? "private, no-cache" : "no-store");
  if (coding != Coding::kIdentity) response.headers.emplace_back("Content-Encoding", CodingName(coding));
  if (Reads(request) && status == 200) {
    const std::string etag = version ? RecordEtag(*version, json) : fmt::format("\"{:016x}\"", Xxh3(json));
    response.headers.emplace_back("ETag", etag);
    switch (version ? CheckRecordPreconditions(request, etag) : CheckPreconditions(request, etag)) {
      case Precondition::kNotModified:
        BecomeNotModified(&response);
        return response;
      case Precondition::kFailed:
        return ProblemResponse(Error(Code::kConflict, "The document is not the one that If-Match names."),
                               412);
      case Precondition::kProceed:
        break;
    }
  }
  BufferRef body = BufferRef::Own(std::move(json));
  response.body = BytesBody{body, 0, body.size()};
  return response;
}

}  // namespace

Response JsonResponse(const ApiRequest& request, int status, std::string json, HeaderList headers) {
  return Reply(request, status, std::nullopt, std::move(json), std::move(headers));
}

Response RecordResponse(const ApiRequest& request, int status, int64_t version, std::string json,
                        HeaderList headers) {
  return Reply(request, status, version, std::move(json), std::move(headers));
}

void Finalise(const ApiRequest& request, Response* response) {
  bool has_length = false;
  for (const auto& [name, value] : response->headers) has_length = has_length || name == "Content-Length";
  if (!has_length) {
    if (auto* bytes = std::get_if<BytesBody>(&response->body)) {
      response->headers.emplace_back("Content-Length", std::to_string(bytes->length));
    } else if (auto* file = std::get_if<FileBody>(&response->body)) {
      response->headers.emplace_back("Content-Length", std::to_string(file->length));
    }
  }
  if (request.method != "HEAD") return;
  if (auto* stream = std::get_if<std::shared_ptr<BodyStream>>(&response->body)) (*stream)->Close();
  response->body = std::monostate{};
}

}  // namespace mediagen
