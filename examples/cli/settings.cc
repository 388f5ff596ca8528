#include "settings.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include "fmt/format.h"

namespace cli {
namespace {

mediagen::error Invalid(std::string message, std::string hint) {
  Json document = {{"code", "invalid"},
                   {"message", message},
                   {"hint", hint},
                   {"retryAfterMs", nullptr},
                   {"object", nullptr}};
  return {MEDIAGEN_INVALID, std::move(message), std::move(hint),
          document.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

}  // namespace

mediagen::result<mediagen::engine> OpenEngine(const Settings& settings) {
  Json config = Json::object();
  if (!settings.config_file.empty()) {
    std::ifstream file(settings.config_file);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file)
      return Invalid(fmt::format("{} could not be read.", settings.config_file),
                     "Pass the path of a JSON file to --config.");
    config = Json::parse(text.str(), nullptr, false);
    if (!config.is_object())
      return mediagen::engine::open(text.str());  // which says what is wrong, and where
  }
  if (!settings.data_dir.empty()) config["dataDir"] = settings.data_dir;
  return mediagen::engine::open(config.dump(-1, ' ', false, Json::error_handler_t::replace));
}

int Fail(const Settings& settings, const mediagen::error& error) {
  if (settings.json && !error.json.empty()) {
    PrintLine(error.json);
  } else {
    fmt::print(stderr, "mediagen: {}{}{}\n", error.message, error.hint.empty() ? "" : " ", error.hint);
  }
  return kFailed;
}

int Fail(const Settings& settings, const std::string& message, const std::string& hint) {
  return Fail(settings, Invalid(message, hint));
}

void PrintLine(std::string_view text) {
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

Json Parse(const mediagen::bytes& document) {
  std::string_view text = document.view();
  return Json::parse(text.begin(), text.end(), nullptr, false);
}

std::string TextAt(const Json& document, const char* name) {
  auto at = document.is_object() ? document.find(name) : document.end();
  return at == document.end() || !at->is_string() ? std::string() : at->get<std::string>();
}

}  // namespace cli
