#include <algorithm>

#include "crash/crash.h"
#include "fmt/format.h"

namespace mediagen::crash {
namespace {

constexpr int64_t kClockSlackMs = 50;  // between the killer's clock reading and the kill

// pipeline.md "What it proves": an unknown is justified where an intent has no durable answer and the journal
// shows the request, or a kill fell between the commit of the intent and the moment at which somebody found
// it unanswered.
bool KilledDuring(const Fate::Attempt& attempt, const std::vector<int64_t>& kills) {
  return std::any_of(kills.begin(), kills.end(), [&](int64_t at) {
    return at >= attempt.created_ms - kClockSlackMs && at <= attempt.updated_ms + kClockSlackMs;
  });
}

}  // namespace

Verdict Judge(const Evidence& evidence) {
  Verdict verdict;
  verdict.complaints = evidence.troubles;
  verdict.generations = static_cast<int>(evidence.accepted.size());
  std::map<std::string, const Fate*> by_prompt;
  for (const Fate& fate : evidence.fates) {
    if (!by_prompt.emplace(fate.prompt, &fate).second)
      verdict.complaints.push_back(fmt::format("\"{}\" stands twice in the store", fate.prompt));
  }
  for (const std::string& prompt : evidence.accepted) {
    auto it = by_prompt.find(prompt);
    if (it == by_prompt.end()) {
      ++verdict.lost;
      verdict.complaints.push_back(fmt::format("\"{}\" was accepted and is not in the store", prompt));
      continue;
    }
    const Fate& fate = *it->second;
    auto paid = evidence.paid.find(prompt);
    if (fate.status == "completed") {
      ++verdict.completed;
      if (fate.outputs < 1 || !fate.served) {
        ++verdict.lost;
        verdict.complaints.push_back(fmt::format("\"{}\" is completed without its picture", prompt));
      }
    } else if (fate.status == "unknown") {
      ++verdict.unknown;
      const bool in_journal = paid != evidence.paid.end();
      const bool by_kill =
          std::any_of(fate.attempts.begin(), fate.attempts.end(), [&](const Fate::Attempt& attempt) {
            return attempt.state == "unknown" && KilledDuring(attempt, evidence.kills_ms);
          });
      verdict.unknown_by_journal += in_journal ? 1 : 0;
      verdict.unknown_by_kill += !in_journal && by_kill ? 1 : 0;
      if (!in_journal && !by_kill)
        verdict.complaints.push_back(fmt::format("\"{}\" is unknown without a reason", prompt));
    } else {
      ++verdict.lost;
      verdict.complaints.push_back(fmt::format("\"{}\" ended as {}", prompt, fate.status));
    }
  }
  for (const auto& [prompt, count] : evidence.paid) {
    if (count <= 1) continue;
    ++verdict.paid_twice;
    verdict.complaints.push_back(fmt::format("\"{}\" was paid for {} times", prompt, count));
  }
  return verdict;
}

}  // namespace mediagen::crash
