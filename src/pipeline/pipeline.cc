#include "pipeline/pipeline.h"

#include "fmt/format.h"
#include "pipeline/run.h"
#include "pipeline/transition.h"
#include "pipeline/webhook_keys.h"

namespace mediagen {
namespace {

constexpr char kGenerate[] = "generate";

}  // namespace

Pipeline::Pipeline(PipelineParts parts) : parts_(std::move(parts)), gate_(parts_.clock, parts_.metrics) {
  for (const auto& [name, adapter] : parts_.providers) {
    if (!adapter->local()) gate_.Add(name, adapter->config().concurrency);
  }
  Metrics* metrics = parts_.metrics;
  submitted_ = metrics->AddCounter("mediagen_generations_submitted_total", "Generations accepted.");
  auto ended = [&](const char* status) {
    return metrics->AddCounter("mediagen_generations_ended_total",
                               "Generations that came to rest, by status.", {{"status", status}});
  };
  completed_ = ended("completed");
  failed_ = ended("failed");
  unknown_ = ended("unknown");
  auto webhooks = [&](const char* outcome) {
    return metrics->AddCounter("mediagen_webhooks_total", "Webhooks of providers, by what became of them.",
                               {{"outcome", outcome}});
  };
  webhooks_taken_ = webhooks("taken");
  webhooks_refused_ = webhooks("refused");
  webhook_keys_ = std::make_unique<WebhookKeys>(parts_.http, parts_.clock);
  fell_back_ = metrics->AddCounter("mediagen_fallbacks_total",
                                   "Times that another provider was asked, after one had certainly refused.");
}

Pipeline::~Pipeline() { Stop(); }

void Pipeline::Serve() {
  parts_.queues->OnLateEnd(
      [this](Transaction& transaction, const Job& job) { return HostEndedLate(transaction, job); });
  parts_.queues->Serve(
      kGenerate, [this](Claim claim) { StartRun(std::move(claim)); }, [this](Id job) { CancelRun(job); });
  parts_.queues->Serve(
      kMediaQueue, [this](Claim claim) { DeriveJob(std::move(claim)); },
      [](Id) {});  // a thumbnail is made in less than it takes to cancel it
}

StatusOr<std::shared_ptr<const Adapter>> Pipeline::Provider(std::string_view name) const {
  auto it = parts_.providers.find(std::string(name));
  if (it != parts_.providers.end()) return it->second;
  std::vector<std::string_view> names;
  for (const auto& [known, adapter] : parts_.providers) names.push_back(known);
  return Error(Code::kNotFound, fmt::format("There is no provider \"{}\".", Shorten(name, 60)),
               {.hint = fmt::format("Configured are: {}. A provider is added under \"providers\" of the "
                                    "configuration; its key must be set.",
                                    fmt::join(names, ", ")),
                .object = std::string(name)});
}

void Pipeline::StartRun(Claim claim) {
  Id job = claim.id();
  std::shared_ptr<Run> run;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;  // handed back by the queues
    run = std::make_shared<Run>(this, std::move(claim));
    runs_[job] = run;
  }
  run->Begin();
}

void Pipeline::EndRun(const Id& job) {
  std::shared_ptr<Run> ended;  // destroyed outside the lock
  {
    std::lock_guard lock(mutex_);
    auto it = runs_.find(job);
    if (it == runs_.end()) return;
    ended = std::move(it->second);
    runs_.erase(it);
  }
  parts_.queues->Released(job);
}

void Pipeline::CancelRun(const Id& job) {
  std::shared_ptr<Run> run;
  {
    std::lock_guard lock(mutex_);
    auto it = runs_.find(job);
    if (it == runs_.end()) return;
    run = it->second;
  }
  run->Cancel();
}

void Pipeline::QueuesWoke() {
  if (!hosting_) return;
  std::lock_guard lock(mutex_);
  for (auto& [job, run] : runs_) run->LookAtHosts();
}

void Pipeline::Stop() {
  std::map<Id, std::shared_ptr<Run>> runs;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    runs.swap(runs_);
  }
  for (auto& [job, run] : runs) run->Abandon();
}

}  // namespace mediagen
