#include "provider/host/host.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "provider/host_options.h"

namespace mediagen {
namespace {

constexpr size_t kMaxName = 48;  // a queue's name has 64 characters at most

class HostAdapter final : public Adapter {
 public:
  HostAdapter(ProviderConfig config, HostOptions options)
      : config_(std::move(config)), options_(std::move(options)) {}

  const ProviderConfig& config() const override { return config_; }
  bool billed() const override { return options_.paid; }
  std::string host_queue() const override { return HostQueueOf(config_.name); }
  Capabilities CapabilitiesOf(std::string_view) const override { return options_.capabilities; }

 private:
  const ProviderConfig config_;
  const HostOptions options_;
};

}  // namespace

StatusOr<std::unique_ptr<Adapter>> NewHostAdapter(ProviderConfig config) {
  const bool fits =
      config.name.size() <= kMaxName && std::all_of(config.name.begin(), config.name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
      });
  if (!fits || config.name.empty()) {
    return Error(Code::kInvalid,
                 fmt::format("\"{}\" cannot name a provider of type \"host\".", Shorten(config.name, 60)),
                 {.hint = fmt::format("Its name is part of its queue's: 1 to {} of a-z 0-9 _ - .", kMaxName),
                  .object = config.name});
  }
  HostOptions options = config.host ? *config.host : DefaultHostOptions();
  return std::unique_ptr<Adapter>(std::make_unique<HostAdapter>(std::move(config), std::move(options)));
}

}  // namespace mediagen
