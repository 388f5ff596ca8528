// Share links: a public name for one output, until its owner takes it back.
#include <algorithm>

#include "base/base64.h"
#include "base/json_writer.h"
#include "fmt/format.h"
#include "pipeline/pipeline.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr size_t kTokenBytes = 16;  // 128 bits that nobody guesses

Status NoOutput(const Id& id) {
  return Error(Code::kNotFound, fmt::format("There is no output {}.", id.text()), {.object = id.text()});
}

std::string ShareJson(const ShareLink& share, std::string_view mount) {
  std::string out;
  {
    JsonWriter json(&out);
    json.BeginObject();
    json.Text("token", share.token);
    json.Text("url", fmt::format("{}/s/{}", mount, share.token));
    json.IdOrNull("output", share.output);
    json.Time("createdAt", share.created_ms);
    json.EndObject();
  }
  return out;
}

// The generation counts the links to its outputs.
Status CountShare(Transaction& transaction, const Output& output, int64_t change) {
  if (output.generation.empty()) return OkStatus();
  ASSIGN_OR_RETURN(auto generation, transaction.records().FindGeneration(output.generation));
  if (!generation) return OkStatus();
  generation->shares = std::max<int64_t>(0, generation->shares + change);
  return transaction.records().UpdateGeneration(*generation);
}

// The output, if it is the viewer's to share. Seen but not theirs is told as unknown.
StatusOr<Output> OwnOutput(const Records& records, const Viewer& viewer, const Id& id) {
  ASSIGN_OR_RETURN(auto output, records.FindOutput(id));
  if (!output || (!viewer.all && output->user != viewer.user)) return NoOutput(id);
  return *output;
}

}  // namespace

void Pipeline::Share(const Viewer& viewer, const Id& output, std::string_view mount, RecordDone done) {
  char random[kTokenBytes];
  parts_.random->Fill(random, sizeof random);
  auto share = std::make_shared<ShareLink>();
  const std::string token = Base64UrlEncode({random, sizeof random});
  parts_.store->CommitAsync(
      [this, viewer, output, token, share](Transaction& transaction) -> Status {
        ASSIGN_OR_RETURN(const Output row, OwnOutput(transaction.records(), viewer, output));
        ASSIGN_OR_RETURN(auto known, transaction.records().ShareOf(output));
        *share = known ? *known : ShareLink{token, output, row.user, parts_.clock->WallMs()};
        if (known) return OkStatus();
        RETURN_IF_ERROR(transaction.records().InsertShare(*share));
        return CountShare(transaction, row, 1);
      },
      [share, mount = std::string(mount), done = std::move(done)](Status committed) {
        if (!committed.ok()) return done(committed);
        done(BufferRef::Own(ShareJson(*share, mount)));
      });
}

void Pipeline::Unshare(const Viewer& viewer, const Id& output, std::function<void(Status)> done) {
  parts_.store->CommitAsync(
      [viewer, output](Transaction& transaction) -> Status {
        ASSIGN_OR_RETURN(const Output row, OwnOutput(transaction.records(), viewer, output));
        ASSIGN_OR_RETURN(const bool was_shared, transaction.records().RemoveShare(output));
        return was_shared ? CountShare(transaction, row, -1) : OkStatus();
      },
      std::move(done));
}

StatusOr<Id> Pipeline::FindShared(std::string_view token) {
  std::optional<ShareLink> share;
  RETURN_IF_ERROR(parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(share, snapshot.records().FindShare(token));
    return OkStatus();
  }));
  if (!share) {
    return Error(Code::kNotFound, "There is nothing behind this link.",
                 {.hint = "Its owner may have taken it back."});
  }
  return share->output;
}

}  // namespace mediagen
