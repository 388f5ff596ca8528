// What the processes of a round have left on the disk.
#include <fstream>
#include <sstream>

#include "crash/crash.h"

namespace mediagen::crash {
namespace {

// Where each wire's paid request has the prompt.
std::string PromptIn(const Json& input) {
  for (const char* path : {"/prompt", "/contents/0/parts/0/text", "/instances/0/prompt"}) {
    const Json::json_pointer pointer(path);
    if (input.contains(pointer) && input[pointer].is_string()) return input[pointer].get<std::string>();
  }
  return "a paid request without a prompt: " + input.dump();
}

}  // namespace

std::vector<PaidRequest> ReadJournal(const std::string& path) {
  std::vector<PaidRequest> paid;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object() || entry.value("definitelyRejected", false)) continue;
    paid.push_back({entry["headers"].value("idempotency-key", ""), PromptIn(entry["input"])});
  }
  return paid;
}

std::vector<Passing> ReadLandmarks(const std::string& path) {
  std::vector<Passing> passed;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Passing passing;
    if (words >> passing.point >> passing.process >> passing.job >> passing.fence) passed.push_back(passing);
  }
  return passed;
}

}  // namespace mediagen::crash
