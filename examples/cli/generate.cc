#include <iostream>
#include <iterator>
#include <optional>

#include "commands.h"
#include "fmt/format.h"
#include "follow.h"
#include "pictures.h"

namespace cli {
namespace {

// "key=value" → a field of "options"; the value is JSON where it reads as such, else a string.
bool AddOption(const std::string& option, Json* options) {
  size_t equals = option.find('=');
  if (equals == 0 || equals == std::string::npos) return false;
  std::string value = option.substr(equals + 1);
  Json parsed = Json::parse(value, nullptr, false);
  (*options)[option.substr(0, equals)] = parsed.is_discarded() ? Json(value) : parsed;
  return true;
}

// nullopt when a text is not valid UTF-8: it must be refused and not mended.
std::optional<std::string> Request(const GenerateOptions& options, const std::string& prompt,
                                   const Json& provider_options) {
  Json request = {
      {"user", options.user}, {"provider", options.provider}, {"prompt", prompt}, {"n", options.n}};
  if (!options.model.empty()) request["model"] = options.model;
  if (!options.size.empty()) request["size"] = options.size;
  if (!options.seed.empty()) request["seed"] = options.seed;
  if (!provider_options.empty()) request["options"] = provider_options;
  try {
    return request.dump();
  } catch (const Json::type_error&) {
    return std::nullopt;
  }
}

// "-" is what stands on the standard input: a prompt that is too long for a command line.
std::string PromptOf(const std::string& argument) {
  if (argument != "-") return argument;
  std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// Says how one generation ended, and copies its pictures out; an exit code.
int Report(const Settings& settings, const GenerateOptions& options, mediagen::engine& engine,
           const Followed& one) {
  if (one.error.code != MEDIAGEN_OK) return Fail(settings, one.error);
  if (settings.json) PrintLine(one.record.dump());
  if (TextAt(one.record, "status") != "completed") {
    const Json error = one.record.value("error", Json::object());
    if (settings.json) return kFailed;
    return Fail(
        settings,
        fmt::format("Generation {} {}: {}", one.id, TextAt(one.record, "status"), TextAt(error, "message")),
        TextAt(error, "hint"));
  }
  if (!settings.json) PrintLine(fmt::format("{}  {} picture(s)", one.id, one.record["outputs"].size()));
  if (options.output_dir.empty()) return kOk;
  for (const Json& output : one.record["outputs"]) {
    mediagen::result<std::string> path = CopyOut(engine, output, options.output_dir);
    if (!path) return Fail(settings, path.error());
    if (!settings.json) PrintLine("  " + *path);
  }
  return kOk;
}

}  // namespace

int Generate(const Settings& settings, const GenerateOptions& options) {
  Json provider_options = Json::object();
  for (const std::string& option : options.options) {
    if (!AddOption(option, &provider_options)) {
      Fail(settings, fmt::format("\"{}\" is no option.", option), "Write --option key=value.");
      return kUsage;
    }
  }
  mediagen::result<mediagen::engine> engine = OpenEngine(settings);
  if (!engine) return Fail(settings, engine.error());
  mediagen::result<Follower> follower = Follower::Make(&*engine);
  if (!follower) return Fail(settings, follower.error());
  Progress progress(settings.json);
  int code = kOk;
  for (const std::string& argument : options.prompts) {
    const std::string prompt = PromptOf(argument);
    std::optional<std::string> request = Request(options, prompt, provider_options);
    if (!request) {
      code = Fail(settings, "The request is not valid UTF-8.",
                  "Check the encoding of the prompt and of the options.");
      continue;
    }
    auto added = follower->Add(*request, prompt, &progress);
    if (!added) code = Fail(settings, added.error());
  }
  const bool rested = follower->Run(&progress);
  for (const Followed& one : follower->all()) {
    if (one.rested) {
      code = std::max(code, Report(settings, options, *engine, one));
    } else {
      fmt::print(stderr,
                 "mediagen: Generation {} stays in place and goes on when mediagen runs again. Look at it "
                 "with: mediagen{} show {}\n",
                 one.id, settings.data_dir.empty() ? "" : " --data " + settings.data_dir, one.id);
    }
  }
  return rested ? code : 130;  // as a shell says it: ended by SIGINT
}

}  // namespace cli
