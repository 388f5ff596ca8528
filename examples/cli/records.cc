#include <poll.h>

#include "commands.h"
#include "fmt/format.h"
#include "follow.h"

namespace cli {
namespace {

void PrintRow(const Json& record) {
  PrintLine(fmt::format("{}  {:<10}  {:<24}  {:<20}  {}", TextAt(record, "id"), TextAt(record, "status"),
                        TextAt(record, "createdAt"), TextAt(record, "provider"), TextAt(record, "prompt")));
}

}  // namespace

int List(const Settings& settings, const ListOptions& options) {
  mediagen::result<mediagen::engine> engine = OpenEngine(settings);
  if (!engine) return Fail(settings, engine.error());
  Json query = {{"limit", options.limit}};
  if (!options.cursor.empty()) query["cursor"] = options.cursor;
  if (!options.status.empty()) query["filter"] = {{"status", Json::array({options.status})}};
  mediagen::result<mediagen::bytes> page = engine->list("generations", query.dump()).wait();
  if (!page) return Fail(settings, page.error());
  if (settings.json) {
    PrintLine(page->view());
    return kOk;
  }
  Json document = Parse(*page);
  for (const Json& record : document["data"]) PrintRow(record);
  if (std::string next = TextAt(document["pagination"], "nextCursor"); !next.empty())
    PrintLine("more: --cursor " + next);
  return kOk;
}

int Show(const Settings& settings, const std::string& id) {
  mediagen::result<mediagen::engine> engine = OpenEngine(settings);
  if (!engine) return Fail(settings, engine.error());
  mediagen::result<mediagen::bytes> record = engine->record("generations", id).wait();
  if (!record) return Fail(settings, record.error());
  PrintLine(settings.json ? record->string() : Parse(*record).dump(2));
  return kOk;
}

int Events(const Settings& settings, const EventsOptions& options) {
  mediagen::result<mediagen::engine> engine = OpenEngine(settings);
  if (!engine) return Fail(settings, engine.error());
  mediagen::result<mediagen::inbox> inbox = mediagen::inbox::make();
  if (!inbox) return Fail(settings, inbox.error());
  Json filter = Json::object();
  if (!options.topics.empty()) filter["topics"] = options.topics;
  if (options.after) filter["after"] = *options.after;
  mediagen::call call = engine->subscribe(filter.dump(), "", {*inbox, 1});
  if (!call.begun()) return Fail(settings, call.refusal());
  Interrupt interrupt;
  while (true) {
    while (mediagen::inbox::notice notice = inbox->next()) {
      if (notice.kind == MEDIAGEN_KIND_DONE) return Fail(settings, call.document().error());
      Json event = Parse(notice.event);
      PrintLine(settings.json ? notice.event.string()
                              : fmt::format("{}  {:<24}  {}  {}", TextAt(event, "id"), TextAt(event, "type"),
                                            TextAt(event, "object"), TextAt(event, "at")));
    }
    pollfd entries[2] = {{inbox->fd(), POLLIN, 0}, {interrupt.fd(), POLLIN, 0}};
    (void)poll(entries, 2, -1);
    if (entries[1].revents != 0) return kOk;
  }
}

}  // namespace cli
