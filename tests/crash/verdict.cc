#include <algorithm>
#include <utility>

#include "crash/crash.h"
#include "fmt/format.h"

namespace mediagen::crash {
namespace {

constexpr int64_t kClockSlackMs = 50;  // between the killer's clock reading and the kill

// pipeline.md "What it proves": an unknown is justified where an intent has no durable answer and the journal
// shows the request, or a kill or a freeze fell between the commit of the intent and the moment at which
// somebody found it unanswered.
bool CutDuring(const Fate::Attempt& attempt, const std::vector<int64_t>& cuts) {
  return std::any_of(cuts.begin(), cuts.end(), [&](int64_t at) {
    return at >= attempt.created_ms - kClockSlackMs && at <= attempt.updated_ms + kClockSlackMs;
  });
}

class Judgement {
 public:
  explicit Judgement(const Evidence& evidence) : evidence_(evidence) {}

  Verdict Pass() {
    verdict_.complaints = evidence_.troubles;
    verdict_.generations = static_cast<int>(evidence_.accepted.size());
    verdict_.taken_over = CountTakenOver(evidence_.passed);
    for (const Fate& fate : evidence_.fates) {
      if (!by_prompt_.emplace(fate.prompt, &fate).second)
        verdict_.complaints.push_back(fmt::format("\"{}\" stands twice in the store", fate.prompt));
      for (const Fate::Attempt& attempt : fate.attempts) attempts_[attempt.id] = {&fate, &attempt};
    }
    CountPaid();
    for (const std::string& prompt : evidence_.accepted) JudgeOne(prompt);
    JudgeLedger();
    JudgeLeases();
    return std::move(verdict_);
  }

 private:
  // Per part: one request, and one more for every time that somebody said "retry" of it.
  void CountPaid() {
    std::map<std::pair<const Fate*, int64_t>, int> paid;
    for (const PaidRequest& request : evidence_.paid) {
      auto it = attempts_.find(request.attempt);
      if (it == attempts_.end()) {
        Complain("\"{}\" was asked for by attempt {}, which is not in the store", request.prompt,
                 request.attempt);
        continue;
      }
      requested_.insert(request.attempt);
      ++paid[{it->second.first, it->second.second->part}];
    }
    for (const auto& [part, count] : paid) {
      const Fate& fate = *part.first;
      const bool again = fate.decision == "retry" && fate.undecided_parts.count(part.second) > 0;
      if (count <= (again ? 2 : 1)) continue;
      ++verdict_.paid_twice;
      Complain("part {} of \"{}\" was paid for {} times", part.second, fate.prompt, count);
    }
  }

  void JudgeOne(const std::string& prompt) {
    auto it = by_prompt_.find(prompt);
    if (it == by_prompt_.end()) {
      ++verdict_.lost;
      return Complain("\"{}\" was accepted and is not in the store", prompt);
    }
    const Fate& fate = *it->second;
    std::string last = fate.status;
    if (fate.status == "unknown") {
      JudgeUnknown(fate);
      last = fate.then;
      if (fate.decision == "abandon") {
        ++verdict_.abandoned;
        // The parts that did come are kept.
        if (last != "failed" && last != "completed") Complain("\"{}\" was abandoned and is {}", prompt, last);
        return;
      }
      ++verdict_.retried;
    }
    if (last == "completed") {
      ++verdict_.completed;
      if (fate.outputs == fate.wanted && fate.served) return;
      ++verdict_.lost;
      return Complain("\"{}\" is completed with {} of {} pictures{}", prompt, fate.outputs, fate.wanted,
                      fate.served ? "" : ", and not all of their bytes");
    }
    ++verdict_.lost;
    Complain("\"{}\" ended as {}", prompt, last);
  }

  void JudgeUnknown(const Fate& fate) {
    ++verdict_.unknown;
    bool in_journal = false, by_cut = false, any = false;
    for (const Fate::Attempt& attempt : fate.attempts) {
      if (attempt.state != "unknown") continue;
      any = true;
      const bool paid = requested_.count(attempt.id) > 0, cut = CutDuring(attempt, evidence_.cuts_ms);
      in_journal = in_journal || paid;
      by_cut = by_cut || (!paid && cut);
      if (!paid && !cut) Complain("\"{}\" is unknown without a reason: attempt {}", fate.prompt, attempt.id);
    }
    if (!any) Complain("\"{}\" is unknown, and none of its attempts is", fate.prompt);
    verdict_.unknown_by_journal += in_journal ? 1 : 0;
    verdict_.unknown_by_kill += by_cut && !in_journal ? 1 : 0;
  }

  // What was asked for is spent. What was not is spent only where nobody can know: in an attempt that rested
  // as unknown.
  void JudgeLedger() {
    for (const auto& [id, found] : attempts_) {
      const auto& [fate, attempt] = found;
      const bool requested = requested_.count(id) > 0, billed = evidence_.billed.count(id) > 0;
      if (requested && !billed) Complain("attempt {} of \"{}\" was paid for and not spent", id, fate->prompt);
      if (billed && !requested && attempt->state != "unknown")
        Complain("attempt {} of \"{}\" was spent and never asked for", id, fate->prompt);
    }
  }

  // Two live leases never exist: each claim of a job has a fence of its own, and what another claim has
  // followed commits nothing any more, except the answer to what it paid for.
  void JudgeLeases() {
    std::map<std::string, int64_t> newest;
    for (const Passing& passing : evidence_.passed) {
      int64_t& fence = newest[passing.job];
      if (passing.point == "claim") {
        if (passing.fence <= fence)
          Complain("job {} was claimed with fence {} after fence {}", passing.job, passing.fence, fence);
        fence = std::max(fence, passing.fence);
      } else if (passing.fence < fence && passing.point != "submitted" && passing.point != "received") {
        Complain("the claim of job {} with fence {} committed \"{}\" after that with fence {}", passing.job,
                 passing.fence, passing.point, fence);
      }
    }
  }

  template <typename... Values>
  void Complain(fmt::format_string<const Values&...> sentence, const Values&... values) {
    verdict_.complaints.push_back(fmt::format(sentence, values...));
  }

  const Evidence& evidence_;
  std::map<std::string, const Fate*> by_prompt_;
  std::map<std::string, std::pair<const Fate*, const Fate::Attempt*>> attempts_;
  std::set<std::string> requested_;  // attempts that the journal has
  Verdict verdict_;
};

}  // namespace

int CountTakenOver(const std::vector<Passing>& passed) {
  std::map<std::string, int64_t> holder;
  int taken = 0;
  for (const Passing& passing : passed) {
    if (passing.point != "claim") continue;
    auto [it, first] = holder.emplace(passing.job, passing.process);
    taken += !first && it->second != passing.process ? 1 : 0;
    it->second = passing.process;
  }
  return taken;
}

Verdict Judge(const Evidence& evidence) { return Judgement(evidence).Pass(); }

}  // namespace mediagen::crash
