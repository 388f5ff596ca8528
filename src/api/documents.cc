#include "api/documents.h"

#include <algorithm>

#include "api/cursor.h"
#include "api/usage.h"
#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

Status NoResource(std::string_view resource, std::string_view known) {
  return Error(Code::kInvalid, fmt::format("There is no resource \"{}\".", Shorten(resource, 40)),
               {.hint = fmt::format("The resources are: {}.", known)});
}

// What a cursor is bound to.
std::string BindingOf(const Viewer& viewer, const GenerationFilter& filter) {
  std::string binding =
      fmt::format("generations|createdAt desc|{}|{}|{}|{}|", viewer.all, viewer.user,
                  filter.session ? filter.session->text() : "", filter.project ? filter.project->text() : "");
  std::vector<GenerationStatus> statuses = filter.statuses;
  std::sort(statuses.begin(), statuses.end());
  for (GenerationStatus status : statuses) binding.append(StatusName(status)).push_back(',');
  if (filter.user) binding.append("|").append(*filter.user);
  return binding;
}

Status ReadFilter(const Json& json, const Viewer& viewer, GenerationFilter* filter) {
  FieldReader fields(json, "filter");
  std::optional<std::string> user, session, project;
  fields.OptionalString("user", &user, {.max_bytes = 128});
  fields.OptionalString("session", &session, {.max_bytes = 36});
  fields.OptionalString("project", &project, {.max_bytes = 36});
  if (const Json* status = fields.Take("status"); status != nullptr) {
    for (const Json& item : status->is_array() ? *status : Json::array({*status})) {
      auto parsed = StatusByName(item.is_string() ? item.get<std::string>() : "");
      if (!parsed.ok()) {
        fields.Fail(parsed.status());
        break;
      }
      filter->statuses.push_back(*parsed);
    }
  }
  RETURN_IF_ERROR(fields.Finish());
  if (session) {
    ASSIGN_OR_RETURN(filter->session, Id::Parse(*session));
  }
  if (project) {
    ASSIGN_OR_RETURN(filter->project, Id::Parse(*project));
  }
  if (user && viewer.all) filter->user = *user;
  if (user && !viewer.all && *user != viewer.user) return Error(Code::kNotFound, "There is no such user.");
  return OkStatus();
}

}  // namespace

Viewer ViewerOf(const Principal& principal) {
  const bool admin =
      std::find(principal.roles.begin(), principal.roles.end(), "admin") != principal.roles.end();
  return {principal.host || admin, principal.user};
}

StatusOr<std::string> GetDocument(Pipeline& pipeline, const Principal& principal, std::string_view resource,
                                  std::string_view id, std::string_view mount) {
  if (resource == "generations") {
    ASSIGN_OR_RETURN(BufferRef record, pipeline.Get(ViewerOf(principal), id, mount));
    return std::string(record.view());
  }
  if (resource != "outputs") return NoResource(resource, "generations, outputs");
  ASSIGN_OR_RETURN(Id output, Id::Parse(id));
  ASSIGN_OR_RETURN(Output row, pipeline.FindOutput(ViewerOf(principal), output));
  return pipeline.OutputRecord(row, mount);
}

StatusOr<std::string> PageDocument(Pipeline& pipeline, const Viewer& viewer, const GenerationFilter& filter,
                                   int limit, const std::optional<std::string>& cursor,
                                   std::string_view mount, std::string_view secret) {
  const std::string binding = BindingOf(viewer, filter);
  std::optional<PageKey> after;
  if (cursor) {
    ASSIGN_OR_RETURN(after, DecodeCursor(*cursor, binding, secret));
  }
  ASSIGN_OR_RETURN(GenerationPage page, pipeline.List(viewer, filter, after, limit));
  std::string json;
  json.reserve(2560 * (page.rows.size() + 1));  // a record with one output has about 2 KB
  json += R"({"data":[)";
  pipeline.AppendRecords(page, mount, &json);
  std::string next = "null";
  if (page.has_more)
    next = fmt::format("\"{}\"",
                       EncodeCursor({page.rows.back().created_ms, page.rows.back().id}, binding, secret));
  json += fmt::format(R"(],"pagination":{{"hasMore":{},"nextCursor":{},"limit":{}}},"asOf":"{}"}})",
                      page.has_more, next, limit, page.as_of);
  return json;
}

StatusOr<std::string> ListDocument(Pipeline& pipeline, const Principal& principal, std::string_view resource,
                                   std::string_view query_json, std::string_view mount,
                                   std::string_view secret) {
  if (resource != "generations" && resource != "usage") return NoResource(resource, "generations, usage");
  Json json = Json::object();
  if (!Trim(query_json).empty()) {
    ASSIGN_OR_RETURN(json, ParseJson(query_json, "list query", {.max_bytes = 64 << 10}));
  }
  FieldReader fields(json, "list query");
  Json filter_json = Json::object();
  fields.Object("filter", &filter_json);
  std::string sort = "createdAt desc";
  fields.String("sort", &sort, {.one_of = {"createdAt desc"}});
  int64_t limit = kDefaultPage;
  fields.Int("limit", &limit, 1, kLargestPage);
  std::optional<std::string> cursor;
  fields.OptionalString("cursor", &cursor, {.max_bytes = 256});
  RETURN_IF_ERROR(fields.Finish());
  const Viewer viewer = ViewerOf(principal);
  if (resource == "usage") {
    std::optional<std::string> user;
    FieldReader whose(filter_json, "filter");
    whose.OptionalString("user", &user, {.max_bytes = 128});
    RETURN_IF_ERROR(whose.Finish());
    return UsageDocument(pipeline, viewer, user, static_cast<int>(limit), cursor, secret);
  }
  GenerationFilter filter;
  RETURN_IF_ERROR(ReadFilter(filter_json, viewer, &filter));
  return PageDocument(pipeline, viewer, filter, static_cast<int>(limit), cursor, mount, secret);
}

}  // namespace mediagen
