// Submit, get, list, cancel, await: what a host asks of generations.
#include <algorithm>

#include "base/hash.h"
#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/fallback.h"
#include "pipeline/pipeline.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

UrlBase UrlsFor(const PipelineParts& parts, std::string_view mount) {
  return {parts.public_base_url.empty() ? std::string(mount) : parts.public_base_url};
}

Status NoSuch(std::string_view what, std::string_view id) {
  return Error(Code::kNotFound, fmt::format("There is no {} {}.", what, Shorten(id, 80)),
               {.object = Shorten(id, 80)});
}

// Counting a place in the queue takes time with its length: a submit, which holds up the writer, counts only
// in a short one.
constexpr int64_t kCountedByRead = 10'000, kCountedByWrite = 32;

// The record from one snapshot: row, outputs, place in the queue and event position fit together.
template <typename View>
StatusOr<BufferRef> RecordOf(View& view, const Generation& generation, std::string_view epoch, int64_t as_of,
                             const UrlBase& urls) {
  constexpr bool kWrites = std::is_same_v<View, Transaction>;
  RecordExtras extras;
  std::vector<Output> outputs;
  if (generation.status == GenerationStatus::kPending) {
    ASSIGN_OR_RETURN(int64_t position,
                     view.jobs().PositionOf(generation.job, kWrites ? kCountedByWrite : kCountedByRead));
    if (position >= 0) extras.queue_position = position;
  } else {
    ASSIGN_OR_RETURN(outputs, view.records().OutputsOf(std::span(&generation.id, 1)));
  }
  extras.as_of = EventId(epoch, as_of);
  std::string json;
  AppendGenerationJson(generation, outputs, urls, extras, &json);
  return BufferRef::Own(std::move(json));
}

// What a submit needs inside its transaction, made once: an operation may run twice.
struct Submission {
  GenerationRequest request;
  Generation generation;
  std::vector<Part> parts;
  std::vector<Price> prices;  // of the parts; empty: nobody bills them
  std::string body_hash;
  BufferRef record;       // the answer
  bool repeated = false;  // it is that of an earlier request
};

StatusOr<std::shared_ptr<Submission>> PrepareSubmission(const Pipeline& pipeline,
                                                        const GenerationRequest& request) {
  const PipelineParts& parts = pipeline.parts();
  auto submission = std::make_shared<Submission>();
  submission->request = request;
  ASSIGN_OR_RETURN(int per_request, CheckChoices(pipeline, &submission->request));
  ASSIGN_OR_RETURN(auto own, pipeline.Provider(request.provider));
  const Adapter& adapter = *own;
  PartRequest whole = PartOf(submission->request, 0, std::min(request.n, per_request));
  submission->body_hash = request.BodyHash();

  Generation& row = submission->generation;
  row.id = parts.ids->Next();
  row.user = request.user;
  row.provider = request.provider;
  row.model = submission->request.model;
  row.kind = request.kind;
  row.prompt = request.prompt;
  row.n = request.n;
  if (auto seed = request.seed ? request.seed : adapter.DefaultSeed(whole)) row.seed = std::to_string(*seed);
  row.request_json = RequestJson(submission->request);
  row.visibility = request.visibility;
  row.project = request.project;
  row.session = request.session;
  row.external_id = request.external_id;
  row.metadata_json = Dump(request.metadata);
  row.created_ms = parts.clock->WallMs();
  row.deadline_ms = row.created_ms + request.deadline_ms;
  row.job = parts.ids->Next();
  Price cost{0, PriceSource::kReported};
  for (int first = 0, part = 0; first < request.n; first += per_request, ++part) {
    submission->parts.push_back({row.id, part, std::min(per_request, request.n - first)});
    if (!adapter.billed()) continue;
    whole.n = submission->parts.back().n;
    submission->prices.push_back(PriceOf(adapter, whole));
    cost = Sum(cost, submission->prices.back());
  }
  row.cost_micros = cost.micros;
  row.cost_source = PriceSourceName(cost.source);
  return submission;
}

// A stored output that a request starts from has to be its user's own.
Status CheckReferences(const Records& records, const GenerationRequest& request) {
  for (const Json& reference : request.references) {
    auto id = Id::Parse(reference.value("output", ""));
    if (!id.ok()) continue;  // a URL
    ASSIGN_OR_RETURN(auto output, records.FindOutput(*id));
    if (!output || output->user != request.user) return NoSuch("output", id->text());
  }
  return OkStatus();
}

// Holds back what the parts will cost.
Status ReserveSubmission(const Submission& submission, Transaction& transaction) {
  const Generation& row = submission.generation;
  for (size_t i = 0; i < submission.prices.size(); ++i) {
    RETURN_IF_ERROR(transaction.ledger().Reserve({row.id, submission.parts[i].part, row.user, row.provider,
                                                  row.model, submission.prices[i], row.created_ms}));
  }
  return OkStatus();
}

Status CommitSubmission(const PipelineParts& parts, Submission& submission, const UrlBase& urls,
                        Transaction& transaction) {
  submission.repeated = false;  // a commit may be tried again
  const GenerationRequest& request = submission.request;
  Generation row = submission.generation;
  if (!request.idempotency_key.empty()) {
    ASSIGN_OR_RETURN(auto holder,
                     transaction.records().TakeIdempotencyKey(request.user, request.idempotency_key,
                                                              submission.body_hash, row.id, row.created_ms));
    if (holder) {
      if (holder->body_sha256 != submission.body_hash) {
        return Error(Code::kInvalid, "This idempotencyKey was used for another request.",
                     {.hint = "Repeat the same request, or use a new key for a new one.",
                      .object = holder->generation.text()});
      }
      ASSIGN_OR_RETURN(auto first, transaction.records().FindGeneration(holder->generation));
      if (!first) return NoSuch("generation", holder->generation.text());
      ASSIGN_OR_RETURN(int64_t newest, transaction.events().Newest());
      submission.repeated = true;
      ASSIGN_OR_RETURN(submission.record, RecordOf(transaction, *first, parts.store->epoch(), newest, urls));
      return OkStatus();
    }
  }
  RETURN_IF_ERROR(CheckReferences(transaction.records(), request));
  if (!submission.prices.empty()) {
    const Price cost{row.cost_micros, PriceSourceByName(row.cost_source)};
    RETURN_IF_ERROR(
        CheckBudgets(parts.budgets, transaction.ledger(), row.user, row.provider, cost, row.created_ms));
  }
  RETURN_IF_ERROR(transaction.records().InsertGeneration(row));
  for (const Part& part : submission.parts) RETURN_IF_ERROR(transaction.records().InsertPart(part));
  RETURN_IF_ERROR(ReserveSubmission(submission, transaction));
  RETURN_IF_ERROR(EnqueueGeneration(parts, transaction, row, request.priority));
  ASSIGN_OR_RETURN(int64_t sequence,
                   AppendGenerationEvent(parts, transaction, "generation.created", row, {}));
  ASSIGN_OR_RETURN(submission.record, RecordOf(transaction, row, parts.store->epoch(), sequence, urls));
  transaction.Mark({"submit", row.user, row.job});
  return OkStatus();
}

}  // namespace

void Pipeline::Submit(const GenerationRequest& request, std::string_view mount, RecordDone done,
                      bool* repeated) {
  auto submission = PrepareSubmission(*this, request);
  if (!submission.ok()) return done(submission.status());
  std::shared_ptr<Submission> prepared = *submission;
  parts_.store->CommitAsync(
      [this, prepared, urls = UrlsFor(parts_, mount)](Transaction& transaction) {
        return CommitSubmission(parts_, *prepared, urls, transaction);
      },
      [this, prepared, repeated, done = std::move(done)](Status committed) {
        if (!committed.ok()) return done(committed);
        if (repeated != nullptr) *repeated = prepared->repeated;
        submitted_.Add();
        done(prepared->record);
      },
      Purpose::kSubmit);
}

StatusOr<Generation> Pipeline::FindVisible(const Records& records, const Viewer& viewer,
                                           std::string_view id) const {
  std::optional<Generation> found;
  if (id.substr(0, 4) == "ext:") {
    ASSIGN_OR_RETURN(found, records.FindGenerationByExternalId(viewer.user, id.substr(4)));
  } else {
    auto parsed = Id::Parse(id);
    if (!parsed.ok())
      return NoSuch("generation", id);  // an id that cannot exist is as absent as one that does not
    ASSIGN_OR_RETURN(found, records.FindGeneration(*parsed));
  }
  bool visible = found && (viewer.all || found->user == viewer.user || found->visibility == "public");
  if (!visible) return NoSuch("generation", id);
  return *found;
}

StatusOr<BufferRef> Pipeline::Get(const Viewer& viewer, std::string_view id, std::string_view mount,
                                  int64_t* version) {
  BufferRef record;
  RETURN_IF_ERROR(parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(Generation generation, FindVisible(snapshot.records(), viewer, id));
    if (version != nullptr) *version = generation.version;
    ASSIGN_OR_RETURN(int64_t as_of, snapshot.AsOf());
    ASSIGN_OR_RETURN(record,
                     RecordOf(snapshot, generation, parts_.store->epoch(), as_of, UrlsFor(parts_, mount)));
    return OkStatus();
  }));
  return record;
}

StatusOr<Generation> Pipeline::Find(const Viewer& viewer, std::string_view id) const {
  Generation generation;
  RETURN_IF_ERROR(parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(generation, FindVisible(snapshot.records(), viewer, id));
    return OkStatus();
  }));
  return generation;
}

StatusOr<GenerationPage> Pipeline::List(const Viewer& viewer, GenerationFilter filter,
                                        const std::optional<PageKey>& after, int limit) {
  if (!viewer.all) filter.user = viewer.user;
  GenerationPage page;
  RETURN_IF_ERROR(parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(page.rows, snapshot.records().ListGenerations(filter, after, limit + 1));
    page.has_more = page.rows.size() > static_cast<size_t>(limit);
    if (page.has_more) page.rows.resize(static_cast<size_t>(limit));
    std::vector<Id> ids;
    for (const Generation& row : page.rows) {
      if (IsResting(row.status))
        ids.push_back(
            row.id);  // outputs are written when a generation comes to rest, or part by part just before
    }
    ASSIGN_OR_RETURN(page.outputs, snapshot.records().OutputsOf(ids));
    ASSIGN_OR_RETURN(int64_t as_of, snapshot.AsOf());
    page.as_of = EventId(parts_.store->epoch(), as_of);
    return OkStatus();
  }));
  return page;
}

void Pipeline::AppendRecords(const GenerationPage& page, std::string_view mount, std::string* out) const {
  UrlBase urls = UrlsFor(parts_, mount);
  std::span<const Output> left = page.outputs;
  for (size_t i = 0; i < page.rows.size(); ++i) {
    if (i > 0) out->push_back(',');
    // Outputs are grouped in the order that was asked for: those of this row stand in front.
    size_t count = 0;
    while (count < left.size() && left[count].generation == page.rows[i].id) ++count;
    AppendGenerationJson(page.rows[i], left.first(count), urls, {}, out);
    left = left.subspan(count);
  }
}

void Pipeline::Amend(const Viewer& viewer, std::string_view id, std::string_view mount, Amendment amendment,
                     RecordDone done) {
  auto record = std::make_shared<BufferRef>();
  parts_.store->CommitAsync(
      [this, viewer, id = std::string(id), urls = UrlsFor(parts_, mount), amendment = std::move(amendment),
       record](Transaction& transaction) -> Status {
        ASSIGN_OR_RETURN(Generation generation, FindVisible(transaction.records(), viewer, id));
        if (!viewer.all && generation.user != viewer.user)
          return NoSuch("generation", id);  // seen, but not theirs to change
        RETURN_IF_ERROR(amendment(transaction, generation));
        ASSIGN_OR_RETURN(int64_t newest, transaction.events().Newest());
        ASSIGN_OR_RETURN(auto now, transaction.records().FindGeneration(generation.id));
        ASSIGN_OR_RETURN(*record, RecordOf(transaction, *now, parts_.store->epoch(), newest, urls));
        return OkStatus();
      },
      [record, done = std::move(done)](Status committed) {
        if (!committed.ok()) return done(committed);
        done(*record);
      });
}

bool MayView(const Viewer& viewer, const Output& output) {
  return viewer.all || output.visibility == "public" || (!viewer.user.empty() && output.user == viewer.user);
}

StatusOr<Output> Pipeline::FindOutput(const Viewer& viewer, const Id& id) {
  std::optional<Output> found;
  RETURN_IF_ERROR(parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(found, snapshot.records().FindOutput(id));
    return OkStatus();
  }));
  if (!found || !MayView(viewer, *found)) return NoSuch("output", id.text());
  return *found;
}

std::string Pipeline::OutputRecord(const Output& output, std::string_view mount) const {
  std::string json;
  AppendOutputJson(output, UrlsFor(parts_, mount), &json);
  return json;
}

}  // namespace mediagen
