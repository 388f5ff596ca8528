// The shape of a request and of its answer, as the router and the C ABI share it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/buffer.h"
#include "base/file.h"
#include "base/status.h"

namespace mediagen {

using HeaderList = std::vector<std::pair<std::string, std::string>>;  // names as they are to be sent

// Who asks. `host` is the embedding program itself, which sees all.
struct Principal {
  bool host = false;
  std::string user;
  std::vector<std::string> groups, roles;
  std::string ip;
  std::string auth = "token";  // token | cookie
};
// "" and "null" are the host; anything else the documents.md principal. kInvalid for a bad document.
StatusOr<Principal> ParsePrincipal(std::string_view json);

struct ApiRequest {
  std::string method;  // upper case
  std::string path;    // percent-encoding kept, the mount prefix cut
  std::string query;   // behind '?', percent-encoding kept
  HeaderList headers;  // names in lower case
  Principal principal;
  std::string mount;  // "" or "/api": put before URLs in answers
  BufferRef body;     // null for GET and HEAD

  const std::string* Find(std::string_view lower_name) const;  // null: the field is absent
  std::string_view Header(std::string_view lower_name) const;  // "" also when it is absent
};

// A body that is pulled piece by piece (SSE). Thread-safe.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  enum class Pull { kData, kEmpty, kEnd };
  virtual Pull Next(BufferRef* piece) = 0;
  // Called (quickly, from any thread) when there is something after a kEmpty. Set once, before the first
  // Next.
  virtual void OnReadable(std::function<void()> readable) = 0;
  // The client is gone.
  virtual void Close() = 0;
};

struct BytesBody {
  BufferRef buffer;
  uint64_t offset = 0, length = 0;
};
struct FileBody {
  Fd fd;
  uint64_t offset = 0, length = 0;
};

struct Response {
  int status = 200;
  HeaderList headers;
  std::variant<std::monostate, BytesBody, FileBody, std::shared_ptr<BodyStream>> body;
};

// Called exactly once, inline or later from any thread.
using ResponseDone = std::function<void(Response)>;

// "name: value\r\n"… → a list with lower-case names, each once: several lines of one name are one value,
// joined by commas in their order (RFC 9110 §5.3). Refuses control characters, obs-fold, names that are not
// tokens, more than 100 lines or 64 KiB.
StatusOr<HeaderList> ParseHeaderBlock(std::string_view block);
std::string FormatHeaderBlock(const HeaderList& headers);

}  // namespace mediagen
