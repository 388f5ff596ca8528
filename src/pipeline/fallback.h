// Fallback: the other providers that a request names, for when one has certainly refused it, unbilled.
//
// Never after an outcome that nobody knows, and never where another provider would refuse the same: what is
// wrong with the request, or unsafe, stays so.
#pragma once

#include "pipeline/pipeline.h"

namespace mediagen {

// Whether a provider refused because it has too much to do.
bool IsBusy(const Failure& failure);
// Whether this answer to a paid request, whatever became of the request, says that the provider is
// overloaded.
bool IsOverload(const HttpResponse& response, const Failure& failure);
// Whether another provider may do what this one refused.
bool MayHelpElsewhere(const Failure& failure);

// Checks the request against every provider that it names, before any money is spent: configured, ready, able
// to do what is asked. Fills in the models that it leaves to them. Returns how many pictures a part may have
// at all of them.
StatusOr<int> CheckChoices(const Pipeline& pipeline, GenerationRequest* request);

// Reserves anew for a part, at the provider that it is at. kBudgetExceeded when that does not fit.
Status ReservePart(const PipelineParts& parts, Transaction& transaction, const std::string& user,
                   const GenerationRequest& request, const Part& part);

}  // namespace mediagen
