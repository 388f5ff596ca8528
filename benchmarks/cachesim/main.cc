// mediagen-cachesim: what share of a trace's requests a policy of the cache would answer. One line of JSON on
// stdout. Exit code 1: the trace cannot be read or is broken; 2: the command line is wrong.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cachesim/simulation.h"
#include "fmt/format.h"

namespace {

using namespace mediagen;

struct Settings {
  std::string format, policy = "tinylfu", file;
  uint64_t bytes = 0, entries = 0;
};

StatusOr<cachesim::Figures> Simulate(const Settings& settings) {
  auto input = cachesim::OpenInput(settings.file);
  if (!input.ok()) return input.status();
  memory_cache::Room room;
  if (settings.bytes > 0) room.bytes = settings.bytes;
  if (settings.entries > 0) room.entries = settings.entries;
  cachesim::TraceReader trace(std::move(*input), *cachesim::FormatOf(settings.format));
  return cachesim::Simulate(&trace, cachesim::PolicyOf(settings.policy), room);
}

int Run(const Settings& settings) {
  const auto figures = Simulate(settings);
  if (!figures.ok()) {
    fmt::print(stderr, "mediagen-cachesim: {}\n", InfoOf(figures.status()).message);
    return 1;
  }
  fmt::print(
      "{{\"requests\": {}, \"objectHitRatio\": {:.6f}, \"byteHitRatio\": {:.6f}, \"nsPerRequest\": {:.1f}, "
      "\"peakBytes\": {}}}\n",
      figures->requests, figures->object_hit_ratio(), figures->byte_hit_ratio(), figures->ns_per_request(),
      figures->peak_bytes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What share of a trace's requests a policy of mediagen's cache would answer.");
  Settings settings;
  app.add_option("--format", settings.format, "what the trace's records are")
      ->required()
      ->check(CLI::IsMember({"keys", "arc", "sized", "int32be", "int64be", "oracle"}));
  app.add_option("--policy", settings.policy, "tinylfu unless said otherwise")
      ->check(CLI::IsMember({"tinylfu", "lru", "s3fifo"}));
  auto* size = app.add_option_group("size", "of the cache");
  size->add_option("--bytes", settings.bytes, "how much it holds: 1000000, 64MiB, 2GB")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::PositiveNumber);
  size->add_option("--entries", settings.entries, "how many objects it holds, whatever their sizes")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::PositiveNumber);
  size->require_option(1);
  app.add_option("FILE", settings.file, "the trace, as it is or as gzip, xz or zstd; - is stdin")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return Run(settings);
}
