#include "api/reply.h"

#include <zstd.h>

#include "api/conditional.h"
#include "api/negotiate.h"
#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kCompressFrom = 1024;  // below it the frame saves less than the header costs
constexpr int kLevel = 3;

}  // namespace

std::string ZstdCompress(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  out.resize(ZSTD_isError(size) ? 0 : size);
  return out;
}

Response JsonResponse(const ApiRequest& request, int status, std::string json, HeaderList headers) {
  Response response;
  response.status = status;
  response.headers = std::move(headers);
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Vary", "Accept-Encoding");
  response.headers.emplace_back("Cache-Control", request.method == "GET" || request.method == "HEAD"
                                                     ? "private, no-cache"
                                                     : "no-store");
  if (json.size() > kCompressFrom && AcceptsCoding(request.Header("accept-encoding"), "zstd")) {
    std::string compressed = ZstdCompress(json);
    if (!compressed.empty() && compressed.size() < json.size()) {
      json = std::move(compressed);
      response.headers.emplace_back("Content-Encoding", "zstd");
    }
  }
  if ((request.method == "GET" || request.method == "HEAD") && status == 200) {
    std::string etag = fmt::format("\"{:016x}\"", Xxh3(json));
    response.headers.emplace_back("ETag", etag);
    if (CheckPreconditions(request, etag) == Precondition::kNotModified) {
      response.status = 304;
      std::erase_if(response.headers, [](const auto& header) {
        return header.first == "Content-Type" || header.first == "Content-Encoding";
      });
      return response;
    }
  }
  BufferRef body = BufferRef::Own(std::move(json));
  response.body = BytesBody{body, 0, body.size()};
  return response;
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
