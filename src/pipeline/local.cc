// Work that is done in this process: free, so an interrupted attempt simply runs again.
#include "pipeline/run.h"
#include "pipeline/transition.h"

namespace mediagen {

void Run::Draw(PartRun& part) {
  auto outputs = part.adapter->Run(
      part.request, [&](const Progress& progress) { Report(part, progress); },
      [&] { return cancel_.load() || ended_; });
  if (ended_ || abandoned_) return;
  if (!outputs.ok()) {
    ErrorInfo info = InfoOf(outputs.status());
    Failure failure{
        .error_class = info.code == Code::kCanceled ? ErrorClass::kCanceled : ErrorClass::kInvalid,
        .message = info.message};
    return FailPart(part, failure, false,
                    info.code == Code::kCanceled ? AttemptState::kCanceled : AttemptState::kFailed);
  }
  part.outputs = std::move(*outputs);
  DownloadNext(part, 0);
}

}  // namespace mediagen
