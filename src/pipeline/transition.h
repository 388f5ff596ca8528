// What every change of a generation's state shares: the row and its event are written in one transaction.
#pragma once

#include <span>
#include <string_view>

#include "pipeline/pipeline.h"

namespace mediagen {

// Enqueues the job `generation.job` that drives it.
Status EnqueueGeneration(const PipelineParts& parts, Transaction& transaction, const Generation& generation,
                         int priority);
// A generation that rests goes on with a new job: processing, without an end.
Status Rise(const PipelineParts& parts, Transaction& transaction, Generation* generation);

// Appends "generation.<something>" with the state of `generation`; returns its sequence.
StatusOr<int64_t> AppendGenerationEvent(const PipelineParts& parts, Transaction& transaction,
                                        std::string_view type, const Generation& generation,
                                        std::span<const Output> outputs);
Status AppendOutputEvent(const PipelineParts& parts, Transaction& transaction, const Output& output);

// Brings the generation to rest in `status`: row, time, event. Returns the event's sequence.
StatusOr<int64_t> Rest(const PipelineParts& parts, Transaction& transaction, Generation* generation,
                       GenerationStatus status, std::span<const Output> outputs);

// When no part is pending any more: decides what the generation has become, writes it, and asks for the
// derived pictures. False while parts are pending.
StatusOr<bool> Conclude(const PipelineParts& parts, Transaction& transaction, Generation* generation);

// Whether some attempt may have been, or was, accepted by a provider and is not over.
bool HasPaidWork(std::span<const Attempt> attempts);

bool IsResting(GenerationStatus status);

}  // namespace mediagen
