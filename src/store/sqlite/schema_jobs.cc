// Tables of JobStore.

namespace mediagen {

extern const char kSchemaJobs[];

// Finished rows stand in no index that a claim, a promotion or a renewal reads. No index mentions
// `state`: SQLite looks at every index that mentions a changed column, and every move of a job changes it.
//
// A lane is what one user has in one queue for one provider and model key at one priority; its row is kept in
// the transaction that moves a job. `turn` is the user's place in the round, the same in all lanes of the
// user; queue_turn counts the turns.
const char kSchemaJobs[] = R"sql(
CREATE TABLE job (
  id BLOB NOT NULL PRIMARY KEY, queue TEXT NOT NULL, kind TEXT NOT NULL, user TEXT NOT NULL, parent BLOB,
  created_ms INTEGER NOT NULL, cost INTEGER NOT NULL DEFAULT 1, max_tries INTEGER NOT NULL DEFAULT -1,
  units INTEGER NOT NULL DEFAULT 1, unique_states INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL, provider_key TEXT NOT NULL, model_key TEXT NOT NULL DEFAULT '', payload TEXT NOT NULL,
  priority INTEGER NOT NULL, run_at_ms INTEGER NOT NULL, due_mono INTEGER NOT NULL, fence INTEGER NOT NULL,
  tries INTEGER NOT NULL, timeout_ms INTEGER NOT NULL,
  -- NULL where there is none: SQLite allocates for every text of a row that it updates, an empty one too.
  progress TEXT, result TEXT, result_blob TEXT, error TEXT, checkpoint TEXT, unique_key TEXT,
  units_done INTEGER NOT NULL DEFAULT 0, worker BLOB, alive_mono INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL, finished_ms INTEGER NOT NULL,
  -- What the indexes hold, each NULL where its index has nothing of the job (BindDerived in jobs.cc):
  sort_ms INTEGER,  -- ready: the job's time in the order of claims, run_at_ms, else created_ms
  due_boot TEXT,    -- scheduled by due_mono: the boot of it
  due_ms INTEGER,   -- scheduled by the wall clock: when; -1 at once
  rest TEXT,        -- the state, unless it is ready, running or parked
  unique_held TEXT  -- unique_key, in the states of its scope
) STRICT;
CREATE UNIQUE INDEX job_unique ON job (queue, unique_held) WHERE unique_held IS NOT NULL;
CREATE INDEX job_ready ON job (queue, user, provider_key, model_key, priority, sort_ms, id) WHERE sort_ms IS NOT NULL;
CREATE INDEX job_child ON job (parent, id) WHERE parent IS NOT NULL;
CREATE INDEX job_due ON job (due_boot, due_mono) WHERE due_boot IS NOT NULL;
CREATE INDEX job_run_at ON job (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX job_held ON job (worker, cancel_requested) WHERE worker IS NOT NULL;
CREATE INDEX job_rest ON job (queue, rest, id, finished_ms) WHERE rest IS NOT NULL;

CREATE TABLE lane (
  queue TEXT NOT NULL, user TEXT NOT NULL, provider_key TEXT NOT NULL, model_key TEXT NOT NULL,
  priority INTEGER NOT NULL, ready INTEGER NOT NULL, running INTEGER NOT NULL, turn INTEGER NOT NULL,
  PRIMARY KEY (queue, user, provider_key, model_key, priority)) STRICT, WITHOUT ROWID;
CREATE INDEX lane_next ON lane (queue, provider_key, model_key, priority DESC, turn, user) WHERE ready > 0;
CREATE INDEX lane_priority ON lane (queue, priority, user, turn, ready) WHERE ready > 0;
CREATE INDEX lane_held ON lane (queue, provider_key, model_key, user, running) WHERE running > 0;
CREATE TABLE queue_turn (queue TEXT NOT NULL PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE queue_state (
  queue TEXT NOT NULL, state TEXT NOT NULL, jobs INTEGER NOT NULL,
  PRIMARY KEY (queue, state)) STRICT, WITHOUT ROWID;

CREATE TABLE job_family (
  parent BLOB NOT NULL PRIMARY KEY, children INTEGER NOT NULL, pending INTEGER NOT NULL, failed INTEGER NOT NULL,
  canceled INTEGER NOT NULL, units INTEGER NOT NULL, units_done INTEGER NOT NULL, fail_fast INTEGER NOT NULL,
  run_after INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE job_log (
  job BLOB NOT NULL, sequence INTEGER NOT NULL, at_ms INTEGER NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL,
  PRIMARY KEY (job, sequence)) STRICT, WITHOUT ROWID;
CREATE TABLE queue_pace (
  queue TEXT NOT NULL PRIMARY KEY, boot TEXT NOT NULL, claims TEXT NOT NULL, retry_us INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE queue_setting (
  queue TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX queue_setting_version ON queue_setting (version);

CREATE TABLE worker (
  id BLOB NOT NULL PRIMARY KEY, boot_id TEXT NOT NULL, lease_until_mono INTEGER NOT NULL, started_ms INTEGER NOT NULL,
  host TEXT NOT NULL) STRICT, WITHOUT ROWID;
)sql";

}  // namespace mediagen
