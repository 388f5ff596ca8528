// What every change of a generation's state shares: the row and its event are written in one transaction.
#pragma once

#include <span>
#include <string_view>

#include "pipeline/pipeline.h"

namespace mediagen {

// The queue of the jobs that make variants.
inline constexpr char kMediaQueue[] = "media";

// Where an attempt may stand whose answer comes: those that somebody gave up are answered, too.
inline constexpr AttemptState kAnswerable[] = {AttemptState::kIntent, AttemptState::kUnknown,
                                               AttemptState::kAbandoned};

// The point `point` of the work that `claim` is for.
Landmark LandmarkOf(std::string_view point, const Claim& claim);

// Enqueues the job `generation.job` that drives it.
Status EnqueueGeneration(const PipelineParts& parts, Transaction& transaction, const Generation& generation,
                         int priority);
// A generation that rests goes on with a new job: processing, without an end.
Status Rise(const PipelineParts& parts, Transaction& transaction, Generation* generation);

// Opens the part of a paid request again whose answer came after its generation had come to rest: what was
// paid for is kept. While the generation is driven it does not rise: who ends the last of its other parts
// looks at the rows again. Nothing happens when the part has its pictures.
Status Reopen(const PipelineParts& parts, Transaction& transaction, const Attempt& attempt,
              Generation* generation);

// Appends "generation.<something>" with the state of `generation`; returns its sequence.
StatusOr<int64_t> AppendGenerationEvent(const PipelineParts& parts, Transaction& transaction,
                                        std::string_view type, const Generation& generation,
                                        std::span<const Output> outputs);
// Asks for the preview and thumbnails of an output that belongs to no generation.
Status EnqueueDerive(const PipelineParts& parts, Transaction& transaction, const Output& output);
Status AppendOutputEvent(const PipelineParts& parts, Transaction& transaction, const Output& output);

// Brings the generation to rest in `status`: row, time, event. Returns the event's sequence.
StatusOr<int64_t> Rest(const PipelineParts& parts, Transaction& transaction, Generation* generation,
                       GenerationStatus status, std::span<const Output> outputs);

// When no part is pending any more: decides what the generation has become, writes it, and asks for the
// derived pictures. False while parts are pending.
StatusOr<bool> Conclude(const PipelineParts& parts, Transaction& transaction, Generation* generation);

// The attempt was billed, or may have been: at the price that its provider told, else at the one reserved.
Status Spend(const PipelineParts& parts, Transaction& transaction, const Attempt& attempt);
// Gives back what is held for parts of which nothing was sent, or everything certainly refused.
Status ReleaseAll(const PipelineParts& parts, Transaction& transaction, const Id& generation);
// The generation is gone while it ran, and with it all knowledge of its attempts: what one of them held
// counts as billed, the rest is given back.
Status SettleErased(const PipelineParts& parts, Transaction& transaction, const Id& generation);

// Whether some attempt may have been, or was, accepted by a provider and is not over.
bool HasPaidWork(std::span<const Attempt> attempts);

bool IsResting(GenerationStatus status);

}  // namespace mediagen
