// Run: one claim of a generation's job, driving all parts of the generation to their ends.
//
// Everything inside happens on a strand (one task at a time, on the executor), so no step needs a lock. Every
// write but one shows the claim's fence; the one that does not is the answer to a paid request, which goes by
// attempt id and nonce: a handle that was paid for is never thrown away because a lease ran out.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "pipeline/pipeline.h"

namespace mediagen {

class Landing;

class Run : public std::enable_shared_from_this<Run> {
 public:
  Run(Pipeline* pipeline, Claim claim);

  void Begin();
  // Somebody asked to cancel the generation. Any thread.
  void Cancel();
  // Jobs that the host works may have ended. Any thread.
  void LookAtHosts();
  // The engine stops: nothing new is begun; an answer that is under way is still recorded. Any thread.
  void Abandon();
  // A webhook says that something happened to this attempt: it is asked about at once. Any thread.
  void Hint(const Id& attempt);

 private:
  // One part of the generation and where its latest attempt stands.
  struct PartRun {
    Part row;
    Choice at;                               // the provider that it is at, and the model there
    std::shared_ptr<const Adapter> adapter;  // null: not configured any more
    int refusals = 0;                        // for certain, there
    Gate::Place place;                       // among the requests of this process there
    int64_t sent_mono = 0;
    PartRequest request;
    int first_index = 0;             // of its pictures within the generation
    std::optional<Attempt> attempt;  // the one that is driven
    int tries = 0;                   // the largest of the part's attempts
    bool sent_here = false;          // its intent was committed by this run
    bool waiting = false;            // polled
    bool polling = false;            // a poll is under way
    bool hinted = false;             // and a webhook came meanwhile
    uint64_t poll_turn = 0;          // of the timer that may poll: a later one takes its place
    bool ready = false;              // the work is done: polls ask for its result
    bool resolved = false;           // its references are there
    bool cancel_sent = false;
    bool adopting = false;  // `stored` are uploads, which the settle makes the generation's
    int64_t poll_ms = 0, polls_failed = 0;
    int64_t waiting_mono = 0;  // since when this run polls it
    int reconcile_round = 0;
    Progress progress;
    std::vector<RemoteOutput> outputs;  // being downloaded
    std::vector<Output> stored;
    Failure download_failure;
    bool some_failed = false;
    int64_t download_tries = 0;
  };

  // run.cc: the strand, loading, ending
  void Do(Task task);
  void After(int64_t ms, Task task);
  void Load();
  void Advance(PartRun& part);
  void EndWith(const Outcome& outcome);
  void End();
  void Lost();
  // Reads the row, changes it, writes it, under the fence. The change may run twice; what it captures is only
  // assigned.
  using Change = std::function<Status(Transaction&, Generation&)>;
  Status Update(const Change& change);
  // What a failed Update means for the run: a lost lease ends it, anything else is tried again later from the
  // rows.
  void Trouble(const Status& status);
  void SetDeadline();
  bool DeadlinePassed() const;
  bool OnlyPending(const PartRun& part) const;
  // Whether nobody has told yet what became of the part's paid request.
  static bool Unanswered(const PartRun& part);
  // At which of the request's providers `part` stands, by its row, or by its attempt where that is not over.
  int ChoiceOf(const PartRun& part) const;
  void PutAt(PartRun& part, int choice);

  // references.cc: what the request refers to, in the form that the provider takes; then goes on with `next`
  using Resolved = std::function<void(Status)>;
  void Resolve(PartRun& part, size_t index, Resolved next);
  void FetchReference(PartRun& part, size_t index, Resolved next);
  Status ReadOutput(const Id& id, Reference* reference);
  // attempt.cc: intent, send once, answer
  void StartAttempt(PartRun& part);
  void Unsend(PartRun& part, const Outcome& outcome);
  void Send(PartRun& part);
  void Answer(PartRun& part, HttpResponse response);
  void Submitted(PartRun& part, const RemoteHandle& remote);
  void Received(PartRun& part, const HttpResponse& response);
  void Rejected(PartRun& part, const Failure& failure);
  void Adopt(PartRun& part);
  // fallback.cc: the next provider of the request, or the end of the part
  void FallBack(PartRun& part, const Failure& failure);
  Status MoveOn(Transaction& transaction, const PartRun& part, Generation& row, int* choice);
  // unknown.cc: no durable answer
  void ResolveUnknown(PartRun& part, std::string why);
  void ListPage(PartRun& part, std::string next_url, std::shared_ptr<std::vector<RemoteHandle>> found,
                int pages);
  void Match(PartRun& part, const std::vector<RemoteHandle>& found);
  void ReconcileLater(PartRun& part, const std::string& why);
  void RestUnknown(PartRun& part, const std::string& why);
  // poll.cc: parked
  void Wait(PartRun& part, int64_t delay_ms);
  void PollAfter(PartRun& part, int64_t delay_ms);
  void Poll(PartRun& part);
  void Polled(PartRun& part, const HttpResponse& response);
  bool GaveUp(PartRun& part);
  void CancelRemote(PartRun& part);
  void Report(PartRun& part, const Progress& progress);
  // download.cc
  void ReadSpool(PartRun& part);
  void Ended(PartRun& part, const PollAnswer& answer);
  void Download(PartRun& part);
  void DownloadNext(PartRun& part, size_t index);
  std::string KeyOf(const PartRun& part, size_t index, Format format) const;
  void Land(PartRun& part, size_t index, Landing& landing);
  void Store(PartRun& part, size_t index, std::string_view bytes, const std::string& safety);
  void Note(PartRun& part, size_t index, const Inspected& inspected, uint64_t bytes, const std::string& key,
            const std::string& safety);
  void DownloadLater(PartRun& part, const std::string& why, int64_t after_ms);
  // host.cc: a worker of the host's does it
  static bool hosted(const PartRun& part) {
    return part.adapter != nullptr && !part.adapter->host_queue().empty();
  }
  Status Enlist(Transaction& transaction, const PartRun& part, const Attempt& attempt) const;
  void PollHost(PartRun& part);
  void LookAtHost(PartRun& part);
  void CancelHost(PartRun& part);
  void HostFailed(PartRun& part, const Job& job);
  void Adopt(PartRun& part, const Job& job);
  // kConflict: this output cannot become the generation's.
  Status MayAdopt(const Records& records, const Output& adopted) const;
  // local.cc
  void Draw(PartRun& part);
  // settle.cc
  void SettlePart(PartRun& part);
  void FailPart(PartRun& part, const Failure& failure, bool charged, AttemptState attempt_state);

  Pipeline* const pipeline_;
  const PipelineParts& parts_;
  const Claim claim_;
  Generation generation_;
  GenerationRequest request_;
  std::vector<PartRun> runs_;
  bool parked_ = false, ended_ = false;
  int64_t last_report_mono_ = 0;
  int64_t deadline_mono_ = INT64_MAX;
  std::string last_progress_;
  std::atomic<bool> cancel_{false}, abandoned_{false};
  std::atomic<bool> hosting_{false}, looking_{false};  // parts wait for the host; a look at them is to come

  std::mutex strand_mutex_;
  std::deque<Task> strand_;
  bool strand_running_ = false;
};

}  // namespace mediagen
