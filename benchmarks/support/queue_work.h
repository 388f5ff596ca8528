// The work that queues are compared by: jobs of 200 bytes are enqueued a hundred at a time, then claimed and
// finished, and every one must come exactly once. A wrong count, or a job that comes twice, ends the program.
#pragma once

#include <string>

namespace mediagen::bench {

// Jobs a second of one run.
struct QueueRates {
  double enqueue = 0;  // the first half
  double process = 0;  // claim and finish
  double cycle = 0;    // both together
  std::string version;
};

enum class Durability { kFull, kRelaxed };

// mediagen through its C ABI, as a host does it: one inbox, every finish a call of its own.
QueueRates RunMediagen(int jobs, Durability durability);

// A queue written by hand on SQLite: one table, one partial index, transactions of a hundred rows.
QueueRates RunSqlite(int jobs, Durability durability);

// A peer of benchmarks/peers/node/queue.mjs; it brings its own server and stops it.
QueueRates RunNodePeer(const std::string& peer, int jobs);

// huey on SQLite: benchmarks/peers/python/queue_huey.py. It has no leases: what a killed worker held is lost.
QueueRates RunHuey(int jobs, Durability durability);

}  // namespace mediagen::bench
