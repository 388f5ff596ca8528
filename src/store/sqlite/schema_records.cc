// Tables of Records. Text that is optional is '' and a time (ms) that is absent is -1, as in records.h; an
// empty id is NULL.

namespace mediagen {

extern const char kSchemaRecords[];

// generation_active and generation_troubled hold the rows of listings by status that the wide indexes would
// have to search for: completed rows are dense in every index, the others are few. OR and not IN: from three
// values on, IN makes a temporary table in every INSERT and UPDATE that looks at the index.
const char kSchemaRecords[] = R"sql(
CREATE TABLE generation (
  id BLOB NOT NULL PRIMARY KEY, user TEXT NOT NULL, external_id TEXT NOT NULL, created_ms INTEGER NOT NULL,
  project BLOB, session BLOB, status TEXT NOT NULL, stage TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  kind TEXT NOT NULL, prompt TEXT NOT NULL, n INTEGER NOT NULL, seed TEXT NOT NULL, request TEXT NOT NULL,
  progress TEXT NOT NULL, error TEXT NOT NULL, cost_micros INTEGER NOT NULL, cost_source TEXT NOT NULL,
  attempts INTEGER NOT NULL, visibility TEXT NOT NULL, metadata TEXT NOT NULL, likes INTEGER NOT NULL,
  shares INTEGER NOT NULL, started_ms INTEGER NOT NULL, completed_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL, job BLOB, version INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX generation_external ON generation (user, external_id) WHERE external_id <> '';
CREATE INDEX generation_all ON generation (created_ms DESC, id DESC);
CREATE INDEX generation_user ON generation (user, created_ms DESC, id DESC);
CREATE INDEX generation_session ON generation (session, created_ms DESC, id DESC) WHERE session IS NOT NULL;
CREATE INDEX generation_project ON generation (project, created_ms DESC, id DESC) WHERE project IS NOT NULL;
CREATE INDEX generation_active ON generation (created_ms DESC, id DESC) WHERE status IN ('pending', 'processing');
CREATE INDEX generation_active_user ON generation (user, created_ms DESC, id DESC)
  WHERE status IN ('pending', 'processing');
CREATE INDEX generation_troubled ON generation (created_ms DESC, id DESC)
  WHERE (status = 'failed' OR status = 'canceled' OR status = 'unknown');
CREATE INDEX generation_troubled_user ON generation (user, created_ms DESC, id DESC)
  WHERE (status = 'failed' OR status = 'canceled' OR status = 'unknown');

CREATE TABLE idempotency (
  user TEXT NOT NULL, key TEXT NOT NULL, body_sha256 TEXT NOT NULL, generation BLOB NOT NULL,
  created_ms INTEGER NOT NULL, PRIMARY KEY (user, key)) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_ms);

CREATE TABLE part (
  generation BLOB NOT NULL REFERENCES generation (id) ON DELETE CASCADE, part INTEGER NOT NULL, n INTEGER NOT NULL,
  state TEXT NOT NULL, error TEXT NOT NULL, PRIMARY KEY (generation, part)) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
  id BLOB NOT NULL PRIMARY KEY, generation BLOB NOT NULL REFERENCES generation (id) ON DELETE CASCADE,
  part INTEGER NOT NULL, try INTEGER NOT NULL, nonce TEXT NOT NULL, created_ms INTEGER NOT NULL, provider TEXT NOT NULL,
  model TEXT NOT NULL, state TEXT NOT NULL, remote_id TEXT NOT NULL, status_url TEXT NOT NULL, result_url TEXT NOT NULL,
  cancel_url TEXT NOT NULL, spool_key TEXT NOT NULL, outputs TEXT NOT NULL, error TEXT NOT NULL,
  cost_micros INTEGER NOT NULL, updated_ms INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX attempt_order ON attempt (generation, part, try);
CREATE UNIQUE INDEX attempt_remote ON attempt (provider, remote_id) WHERE remote_id <> '';
CREATE INDEX attempt_unanswered ON attempt (provider, created_ms) WHERE state IN ('intent', 'unknown');
CREATE INDEX attempt_state ON attempt (state);

CREATE TABLE output (
  id BLOB NOT NULL PRIMARY KEY, generation BLOB REFERENCES generation (id) ON DELETE CASCADE, user TEXT NOT NULL,
  number INTEGER NOT NULL, part INTEGER NOT NULL, try INTEGER NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL,
  media_type TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL, blob_key TEXT NOT NULL, thumb_hash TEXT NOT NULL, safety TEXT NOT NULL, c2pa INTEGER NOT NULL,
  embedded_prompt TEXT NOT NULL, visibility TEXT NOT NULL, likes INTEGER NOT NULL, created_ms INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX output_place ON output (generation, part, try, number) WHERE generation IS NOT NULL;
CREATE INDEX output_user ON output (user, created_ms DESC, id DESC);

CREATE TABLE variant (
  output BLOB NOT NULL REFERENCES output (id) ON DELETE CASCADE ON UPDATE CASCADE, recipe TEXT NOT NULL,
  version INTEGER NOT NULL, blob_key TEXT NOT NULL, media_type TEXT NOT NULL, sha256 TEXT NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (output, recipe)) STRICT, WITHOUT ROWID;

CREATE TABLE blob_tombstone (blob_key TEXT NOT NULL PRIMARY KEY, created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX blob_tombstone_age ON blob_tombstone (created_ms);
)sql";

}  // namespace mediagen
