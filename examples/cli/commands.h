// The commands; each answers the program's exit code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "settings.h"

namespace cli {

struct GenerateOptions {
  std::vector<std::string> prompts;
  std::string provider = "sketch", model, size, seed, user = "local", output_dir;
  int n = 1;
  std::vector<std::string> options;  // "key=value"
};
int Generate(const Settings& settings, const GenerateOptions& options);

struct ListOptions {
  int limit = 20;
  std::string cursor, status;
};
int List(const Settings& settings, const ListOptions& options);

int Show(const Settings& settings, const std::string& id);

struct EventsOptions {
  std::optional<std::string> after;  // absent: from now on; "": the oldest that is kept
  std::vector<std::string> topics;
};
int Events(const Settings& settings, const EventsOptions& options);

}  // namespace cli
