// A request as a client may send it: method, mount and target in a line each, then header lines.
#include <algorithm>
#include <string>

#include "api/router.h"
#include "base/text.h"
#include "fuzz/input.h"
#include "net/http_client.h"
#include "net/http_date.h"

namespace mediagen::fuzz {
namespace {

void CheckHeaders(const HeaderList& headers) {
  Require(headers.size() <= 100, "the bound of fields");
  for (const auto& [name, value] : headers) {
    Require(!name.empty() && ToLower(name) == name, "names are in lower case");
    Require(name.find_first_of(" \t:\r\n\"(),/;<=>?@[\\]{}") == name.npos, "a name is a token");
    Require(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos, "one line a field");
    Require(value.empty() || (value[0] != ' ' && value[0] != '\t'), "no white space before a value");
  }
  const StatusOr<HeaderList> again = ParseHeaderBlock(FormatHeaderBlock(headers));
  Require(again.ok() || FormatHeaderBlock(headers).size() > 60'000, "what is written can be read");
  if (!again.ok()) return;
  Require(again->size() == headers.size(), "each name once");
  for (size_t i = 0; i < headers.size(); ++i) {
    // A value that ends with an empty element of a list ends with a space.
    Require((*again)[i].first == headers[i].first, "the same name");
    Require((*again)[i].second == Trim(headers[i].second), "and the same value");
  }
}

void CheckRequest(const ApiRequest& request, std::string_view target) {
  Require(!request.method.empty() && request.method.size() <= 16, "a method");
  Require(request.path.empty() || request.path[0] == '/', "a path begins with a slash");
  Require(request.path.find_first_of("?#") == std::string::npos, "a path is no more than that");
  Require(request.query.find('#') == std::string::npos, "a query has no fragment");
  const std::string rebuilt =
      request.mount + request.path + (request.query.empty() ? "" : "?") + request.query;
  Require(target.starts_with(rebuilt), "nothing of the target is lost");
  CheckHeaders(request.headers);
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  std::string_view rest = fuzz::Text(data, size);
  ParseUrl(rest).IgnoreError();
  const StatusOr<HeaderList> block = ParseHeaderBlock(rest);
  if (block.ok()) fuzz::CheckHeaders(*block);
  const std::string_view method = fuzz::TakeTo('\n', &rest), mount = fuzz::TakeTo('\n', &rest),
                         target = fuzz::TakeTo('\n', &rest);
  ParseUrl(target).IgnoreError();
  ParseHttpDate(target).IgnoreError();
  const StatusOr<ApiRequest> request = ParseRequest(method, target, rest, "", mount);
  if (request.ok())
    fuzz::CheckRequest(*request, target);
  else
    fuzz::Require(!InfoOf(request.status()).message.empty(), "a refusal says why");
  return 0;
}
