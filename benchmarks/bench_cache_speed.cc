// cache-speed: what a hit costs, beside moka, quick_cache, otter and Caffeine. A million keys of 16 bytes
// with values of 32, asked for by Zipf 0.99: all of them in the cache (read), and a tenth of them (get, else
// put). Ours is what a host does, through the C ABI: get, look at the bytes, free; and once more by the C++
// interface below it. What an entry takes beyond its key and value is the growth of resident memory of a
// fresh process.
#include <mediagen/mediagen.h>

#include <cstring>
#include <map>
#include <memory>

#include "cache/memory/memory.h"
#include "fmt/format.h"
#include "support/key_work.h"
#include "support/peer.h"
#include "support/report.h"
#include "support/rounds.h"

namespace {

using namespace mediagen::bench;

constexpr uint32_t kKeys = 1'000'000, kTenth = kKeys / 10;
constexpr size_t kValueBytes = 32, kReads = 1'000'000;
constexpr double kOverheadBound = 100;
// Room for all: peers that split their capacity in shards need some to spare.
constexpr uint32_t kRoomForAll = 1'250'000;

[[noreturn]] void Die(const std::string& what) {
  fmt::print(stderr, "bench cache-speed: {}\n", what);
  std::exit(1);
}

mediagen_str Str(std::string_view text) { return {text.data(), text.size()}; }

std::string ValueOf(uint32_t index) {
  std::string value(kValueBytes, '\0');
  std::memcpy(value.data(), &index, sizeof index);
  return value;
}

// The cache as a host has it.
class Host {
 public:
  explicit Host(uint64_t bytes) {
    const std::string config = fmt::format(R"({{"bytes": {}}})", bytes);
    if (mediagen_cache_open(MEDIAGEN_ABI, Str(config), &cache_, nullptr) != MEDIAGEN_OK)
      Die("the cache did not open");
  }
  ~Host() { mediagen_cache_free(cache_); }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  bool Get(std::string_view key) const {
    mediagen_buffer* value = nullptr;
    if (mediagen_cache_get(cache_, Str(key), &value) != MEDIAGEN_OK) return false;
    const bool whole = mediagen_buffer_view(value).size == kValueBytes;
    mediagen_buffer_free(value);
    return whole;
  }
  void Put(std::string_view key, uint32_t index) const {
    const std::string value = ValueOf(index);
    if (mediagen_cache_put(cache_, Str(key), Str(value), nullptr, {nullptr, 0}, nullptr, nullptr) !=
        MEDIAGEN_OK)
      Die("a put failed");
  }
  void Fill(const Keys& keys, uint32_t count) const {
    for (uint32_t i = 0; i < count; ++i) Put(keys[i], i);
  }
  nlohmann::json Stats() const {
    mediagen_buffer* document = nullptr;
    if (mediagen_cache_stats(cache_, &document) != MEDIAGEN_OK) Die("there are no statistics");
    const mediagen_str text = mediagen_buffer_view(document);
    nlohmann::json stats = nlohmann::json::parse(std::string_view(text.data, text.size));
    mediagen_buffer_free(document);
    return stats;
  }

 private:
  mediagen_cache* cache_ = nullptr;
};

constexpr uint64_t kRoomy = uint64_t{1} << 30;
constexpr int kSpeedRounds = 9;  // of some tenths of a second each

// What an entry is charged: the budget of a tenth is a tenth of that of all.
uint64_t BudgetOfATenth(const Host& all) {
  const nlohmann::json stats = all.Stats();
  if (stats["entries"] != kKeys) Die("not all entries are in the cache: " + stats.dump());
  return stats["bytes"].get<uint64_t>() / 10;
}

// ---- what an entry takes --------------------------------------------------------------------------------

// This program as a peer of its own: fills a cache and answers what an entry took.
int AnswerOverhead() {
  const Keys keys(kKeys);
  const Host host(kRoomy);
  const double before = ResidentBytes();
  host.Fill(keys, kKeys);
  const double grown = (ResidentBytes() - before) / kKeys - static_cast<double>(kValueBytes + Keys::kBytes);
  fmt::print("{}\n", nlohmann::json({{"overheadBytes", grown}, {"entries", host.Stats()["entries"]}}).dump());
  return 0;
}

nlohmann::json Question(const std::string& cache, bool mixed, const std::string& indexes, int threads) {
  return {{"work", "cache"},    {"cache", cache},
          {"keys", kKeys},      {"kind", mixed ? "mixed" : "read"},
          {"threads", threads}, {"capacity", mixed ? kTenth : kRoomForAll},
          {"indexes", indexes}, {"valueBytes", kValueBytes}};
}

void AddOverhead(Report* report, const std::string& indexes) {
  const auto fresh = [](std::vector<std::string> command, const nlohmann::json& question) {
    return [=] { return Peer(command).Ask(question)["overheadBytes"].get<double>(); };
  };
  std::vector<Contender> contenders = {
      {"mediagen", fresh({"/proc/self/exe", "--overhead"}, {{"work", "fill"}})}};
  const bool rust = !RustPeer().empty();
  for (const char* cache : {"moka", "quick_cache"}) {
    if (rust) contenders.push_back({cache, fresh(RustPeer(), Question(cache, false, indexes, 1))});
  }
  const std::vector<Samples> samples = RunInterleaved(contenders);
  const std::string work = "1 M entries of 16 + 32 B";
  report->Add({work,
               "overhead B",
               "bound",
               "",
               CompareWithBound(samples[0], kOverheadBound, Better::kLess),
               1.0,
               {}});
  for (size_t i = 1; i < samples.size(); ++i) {
    report->Add(
        {work, "overhead B", samples[i].name, "", Compare(samples[0], samples[i], Better::kLess), {}, {}});
  }
}

// ---- what a hit costs ------------------------------------------------------------------------------------

struct Rival {
  std::string name;
  Peer* peer;
  std::optional<double> floor, goal;  // of reads
};

class Speed {
 public:
  Speed(const Keys& keys, const std::vector<uint32_t>& indexes, std::string file)
      : keys_(keys), indexes_(indexes), file_(std::move(file)) {
    host_.Fill(keys_, kKeys);
    tenth_ = std::make_unique<Host>(BudgetOfATenth(host_));
    tenth_->Fill(keys_, kTenth);
    cache_ = mediagen::NewMemoryCache(mediagen::SystemClock(), {.budget_bytes = kRoomy});
    for (uint32_t i = 0; i < kKeys; ++i) cache_->Put(keys_[i], mediagen::BufferRef::Copy(ValueOf(i)), {});
    const auto start = [](std::vector<std::string> command) {
      return command.empty() ? nullptr : std::make_unique<Peer>(std::move(command));
    };
    rust_ = start(RustPeer());
    go_ = start(GoPeer());
    java_ = start(JavaPeer("CacheSpeed"));
    for (const Rival& rival :
         {Rival{"moka", rust_.get(), 1.5, {}}, Rival{"moka-foldhash", rust_.get(), {}, {}},
          Rival{"quick_cache", rust_.get(), 0.8, 1.2}, Rival{"otter", go_.get(), {}, {}},
          Rival{"caffeine", java_.get(), {}, {}}}) {
      if (rival.peer != nullptr) rivals_.push_back(rival);
    }
  }

  // One row a rival for `threads` threads, and what the C ABI leaves of the C++ interface's speed.
  void AddRows(Report* report, bool mixed, int threads) {
    std::vector<Contender> contenders = {
        {"mediagen", [=, this] { return mixed ? Mixed(threads) : Read(threads); }}};
    for (const Rival& rival : rivals_) {
      contenders.push_back({rival.name, [=, this] { return Ask(rival, mixed, threads); }});
    }
    if (!mixed) contenders.push_back({"mediagen in C++", [=, this] { return ReadInCpp(threads); }});
    const std::vector<Samples> samples = RunInterleaved(contenders, kSpeedRounds);
    const std::string work =
        fmt::format("{}, {} thread{}", mixed ? "get, else put: a tenth fits" : "read: all in it", threads,
                    threads == 1 ? "" : "s");
    for (size_t i = 1; i < samples.size(); ++i) {
      const Rival* rival = i <= rivals_.size() ? &rivals_[i - 1] : nullptr;
      const bool bound = rival != nullptr && !mixed;
      report->Add({work, "ops/s", samples[i].name, versions_[samples[i].name],
                   Compare(samples[0], samples[i], Better::kMore), bound ? rival->floor : std::nullopt,
                   bound ? rival->goal : std::nullopt});
    }
    if (!mixed) return;
    for (const auto& [name, share] : hits_) fmt::print("{}: {}: {:.2f} % hits\n", work, name, 100 * share);
  }

 private:
  double Read(int threads) const {
    const KeyRun run = RunOver(indexes_, threads, [&](uint32_t index) { return host_.Get(keys_[index]); });
    if (run.yes < 1) Die("a value that was put is missing");
    return run.per_second;
  }
  double ReadInCpp(int threads) const {
    return RunOver(indexes_, threads,
                   [&](uint32_t index) { return cache_->Get(keys_[index]).size() == kValueBytes; })
        .per_second;
  }
  double Mixed(int threads) {
    const KeyRun run = RunOver(indexes_, threads, [&](uint32_t index) {
      const bool hit = tenth_->Get(keys_[index]);
      if (!hit) tenth_->Put(keys_[index], index);
      return hit;
    });
    hits_["mediagen"] = run.yes;
    return run.per_second;
  }
  double Ask(const Rival& rival, bool mixed, int threads) {
    const nlohmann::json said = rival.peer->Ask(Question(rival.name, mixed, file_, threads));
    versions_[rival.name] = said["version"];
    if (mixed) hits_[rival.name] = said["hitRatio"];
    if (!mixed && said["hitRatio"] < 1) Die(rival.name + " does not hold all that was put");
    return said["opsPerSecond"];
  }

  const Keys& keys_;
  const std::vector<uint32_t>& indexes_;
  const std::string file_;
  const Host host_{kRoomy};
  std::unique_ptr<Host> tenth_;
  std::unique_ptr<mediagen::Cache> cache_;
  std::unique_ptr<Peer> rust_, go_, java_;
  std::vector<Rival> rivals_;
  std::map<std::string, std::string> versions_;
  std::map<std::string, double> hits_;  // of the mixed work's last round
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--overhead") return AnswerOverhead();
  const Folder folder;
  const Keys keys(kKeys);
  const std::vector<uint32_t> indexes = ZipfIndexes(kKeys, kReads, 0.99, 1);
  const std::string file = StoreIndexes(folder, "indexes", indexes);
  Report report("cache-speed");
  Speed speed(keys, indexes, file);
  for (const bool mixed : {false, true}) {
    for (const int threads : {1, 2}) speed.AddRows(&report, mixed, threads);
  }
  AddOverhead(&report, file);
  return report.Finish();
}
