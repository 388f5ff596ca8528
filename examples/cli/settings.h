// What every command shares: where the data is, how to print, how to fail.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mediagen/mediagen.hpp"
#include "nlohmann/json.hpp"

namespace cli {

using Json = nlohmann::ordered_json;

struct Settings {
  std::string data_dir;     // "": the configuration's
  std::string config_file;  // "": none
  bool json = false;        // one JSON document a line instead of prose
};

constexpr int kOk = 0, kFailed = 1, kUsage = 2;  // exit codes

// The engine of `settings`.
mediagen::result<mediagen::engine> OpenEngine(const Settings& settings);

// Says on stderr what went wrong (with --json: prints the error document); always kFailed.
int Fail(const Settings& settings, const mediagen::error& error);
int Fail(const Settings& settings, const std::string& message, const std::string& hint = "");

// One document as one line on stdout.
void PrintLine(std::string_view text);

// A document that the library made; discarded (is_discarded()) when it is none.
Json Parse(const mediagen::bytes& document);

// A string field of a document, "" when it is absent, null or no string.
std::string TextAt(const Json& document, const char* name);

}  // namespace cli
