#include "provider/fal/target.h"

#include <algorithm>
#include <vector>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "net/http_client.h"
#include "provider/wire_adapter.h"

namespace mediagen::fal {
namespace {

constexpr size_t kMaxSegments = 9;

std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (true) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool IsNamespace(std::string_view segment) { return segment == "workflows" || segment == "comfy"; }

// "requests" is where requests live, "stream" answers at once and leaves no id: neither is a model's path.
bool IsModelPath(const std::vector<std::string_view>& segments) {
  const size_t least = IsNamespace(segments[0]) ? 3 : 2;
  return segments.size() >= least && segments.size() <= kMaxSegments &&
         std::all_of(segments.begin(), segments.end(), IsPathSegment) &&
         std::find(segments.begin(), segments.end(), "requests") == segments.end() &&
         segments.back() != "stream";
}

}  // namespace

StatusOr<Target> ParseTarget(std::string_view model) {
  std::vector<std::string_view> segments = Split(model);
  if (model.size() > 300 || !IsModelPath(segments)) {
    return Error(
        Code::kInvalid,
        fmt::format("\"model\" is \"{}\", which names nothing in fal's queue.", Shorten(model, 120)),
        {.hint = "Write \"owner/app\" or \"owner/app/path\", with \"workflows/\" or \"comfy/\" before "
                 "it where it is one."});
  }
  segments.resize(IsNamespace(segments[0]) ? 3 : 2);
  return Target{.path = std::string(model), .app = fmt::format("{}", fmt::join(segments, "/"))};
}

std::string AppInUrl(std::string_view url, std::string_view id) {
  StatusOr<Url> parsed = ParseUrl(url);
  if (!parsed.ok()) return "";
  std::string_view path = parsed->path_and_query;
  path = path.substr(0, path.find_first_of("?#"));
  const std::vector<std::string_view> segments = Split(path);
  for (size_t i = segments.size(); i-- > 2;) {
    if (segments[i] != "requests" || i + 1 >= segments.size() || segments[i + 1] != id) continue;
    const size_t from = i >= 3 && IsNamespace(segments[i - 3]) ? i - 3 : i - 2;
    StatusOr<Target> target =
        ParseTarget(fmt::format("{}", fmt::join(segments.begin() + static_cast<ptrdiff_t>(from),
                                                segments.begin() + static_cast<ptrdiff_t>(i), "/")));
    return target.ok() ? target->app : "";
  }
  return "";
}

}  // namespace mediagen::fal
