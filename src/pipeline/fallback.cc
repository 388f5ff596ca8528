#include "pipeline/fallback.h"

#include <algorithm>

#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/run.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr AttemptState kIntentOnly[] = {AttemptState::kIntent};
constexpr int kTooManyRequests = 429, kServiceUnavailable = 503, kSiteOverloaded = 529;

Status CheckChoice(const Pipeline& pipeline, const GenerationRequest& request, int choice, std::string* model,
                   int* per_request) {
  const Choice at = request.ChoiceAt(choice);
  ASSIGN_OR_RETURN(auto adapter, pipeline.Provider(at.provider));
  const Capabilities capabilities = adapter->CapabilitiesOf(at.model);
  *per_request = std::min(*per_request, capabilities.max_n_per_request);
  PartRequest part = PartOf(request, 0, std::min(request.n, capabilities.max_n_per_request), choice);
  if (part.model.empty() && !capabilities.models.empty()) part.model = capabilities.models.front();
  *model = part.model;
  RETURN_IF_ERROR(CheckRequest(at.provider, capabilities, part, request.n));
  return adapter->CheckReady();
}

}  // namespace

bool IsBusy(const Failure& failure) {
  return failure.error_class == ErrorClass::kRateLimited || failure.error_class == ErrorClass::kOverloaded;
}

bool IsOverload(const HttpResponse& response, const Failure& failure) {
  if (IsBusy(failure)) return true;
  return response.progress == HttpProgress::kAnswered &&
         (response.status == kTooManyRequests || response.status == kServiceUnavailable ||
          response.status == kSiteOverloaded);
}

bool MayHelpElsewhere(const Failure& failure) {
  switch (failure.error_class) {
    case ErrorClass::kAuth:
    case ErrorClass::kBilling:
    case ErrorClass::kNotFound:
    case ErrorClass::kRateLimited:
    case ErrorClass::kOverloaded:
    case ErrorClass::kServer:
    case ErrorClass::kTimeout:
      return true;
    case ErrorClass::kInvalid:
    case ErrorClass::kSafety:
    case ErrorClass::kUnknownOutcome:
    case ErrorClass::kCanceled:
    case ErrorClass::kExpired:
      return false;
  }
  return false;
}

StatusOr<int> CheckChoices(const Pipeline& pipeline, GenerationRequest* request) {
  int per_request = request->n;
  RETURN_IF_ERROR(CheckChoice(pipeline, *request, 0, &request->model, &per_request));
  for (int choice = 1; choice < request->choices(); ++choice) {
    Choice& fallback = request->fallback[static_cast<size_t>(choice) - 1];
    Status fits = CheckChoice(pipeline, *request, choice, &fallback.model, &per_request);
    if (!fits.ok()) return Annotate(fits, fmt::format("\"fallback\" {}", choice));
  }
  return per_request;
}

Status ReservePart(const PipelineParts& parts, Transaction& transaction, const std::string& user,
                   const GenerationRequest& request, const Part& part) {
  const Choice at = request.ChoiceAt(part.choice);
  auto adapter = parts.providers.find(at.provider);
  // Of a provider that is not configured at present nothing is known; its job waits for it.
  if (adapter == parts.providers.end() || !adapter->second->billed()) return OkStatus();
  const Price price = PriceOf(*adapter->second, PartOf(request, 0, part.n, part.choice));
  const int64_t now = parts.clock->WallMs();
  RETURN_IF_ERROR(CheckBudgets(parts.budgets, transaction.ledger(), user, at.provider, price, now));
  return transaction.ledger().Reserve({part.generation, part.part, user, at.provider, at.model, price, now});
}

// Puts the part at the next of the request's providers that is configured and within the budgets.
// kBudgetExceeded or kNotFound when there is none: then nothing is written.
Status Run::MoveOn(Transaction& transaction, const PartRun& part, Generation& row, int* choice) {
  Attempt refused = *part.attempt;
  RETURN_IF_ERROR(transaction.records().MoveAttempt(refused, kIntentOnly).status());
  RETURN_IF_ERROR(transaction.ledger().Refund(refused.id, refused.updated_ms));
  Part moved = part.row;
  Status reserved = Error(Code::kNotFound, "The request names no other provider.");
  while (!reserved.ok() && ++moved.choice < request_.choices()) {
    reserved = pipeline_->Provider(request_.ChoiceAt(moved.choice).provider).status();
    if (reserved.ok()) reserved = ReservePart(parts_, transaction, row.user, request_, moved);
  }
  RETURN_IF_ERROR(reserved);
  *choice = moved.choice;
  RETURN_IF_ERROR(transaction.records().UpdatePart(moved));
  const Choice at = request_.ChoiceAt(moved.choice);
  row.provider = at.provider;
  row.model = at.model;
  row.stage = "queued";
  RETURN_IF_ERROR(TakeCost(transaction.ledger(), &row));
  RETURN_IF_ERROR(transaction.records().UpdateGeneration(row));
  // The job counts for the provider that it goes to.
  ASSIGN_OR_RETURN(auto job, transaction.jobs().Find(claim_.id()));
  if (!job) return Error(Code::kStaleFence, "The job of this claim is gone.");
  job->provider_key = at.provider;
  job->tries = 0;
  return transaction.jobs().Update(*job, claim_.fence());
}

void Run::FallBack(PartRun& part, const Failure& failure) {
  const bool alone = OnlyPending(part);
  part.attempt->state = AttemptState::kRejected;
  part.attempt->error_json = FailureJson(failure, false);
  part.attempt->updated_ms = parts_.clock->WallMs();
  int choice = 0;
  Status moved = Update([&](Transaction& transaction, Generation& row) -> Status {
    RETURN_IF_ERROR(MoveOn(transaction, part, row, &choice));
    // Claimed again when there is a place at that provider.
    return alone ? parts_.queues->Finish(transaction, claim_.id(), claim_.fence(), Outcome::Defer(0))
                 : OkStatus();
  });
  const Code code = CodeOf(moved);
  if (code == Code::kBudgetExceeded || code == Code::kNotFound)
    return FailPart(part, failure, false, AttemptState::kRejected);
  if (!moved.ok()) return Trouble(moved);
  pipeline_->fell_back_.Add();
  parts_.log->Write(LogLevel::kInfo, "pipeline", "a provider refused; another one is asked",
                    {{"generation", generation_.id.text()},
                     {"refused", part.at.provider},
                     {"asked", request_.ChoiceAt(choice).provider},
                     {"why", failure.message}});
  if (alone) return End();
  PutAt(part, choice);
  StartAttempt(part);
}

}  // namespace mediagen
