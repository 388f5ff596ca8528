// Tables of Ledger, and which of its request's providers a part is at.

namespace mediagen {

extern const char kSchemaLedger[];

// Entries outlive their generation: nothing refers to it. `open` is 1 while a reservation holds, and NULL
// otherwise, so that the index of what is open stays small. ledger_total has a row for each scope, unit and
// start of a period in which something was reserved, for all units at once: a budget that is configured
// anew is true from its first moment.
const char kSchemaLedger[] = R"sql(
CREATE TABLE ledger (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, generation BLOB NOT NULL, part INTEGER NOT NULL,
  attempt BLOB, user TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, micros INTEGER NOT NULL,
  source TEXT NOT NULL, at_ms INTEGER NOT NULL, reserved_ms INTEGER NOT NULL, open INTEGER) STRICT;
CREATE UNIQUE INDEX ledger_attempt ON ledger (attempt, kind) WHERE attempt IS NOT NULL;
CREATE UNIQUE INDEX ledger_open ON ledger (generation, part) WHERE open IS NOT NULL;
CREATE INDEX ledger_generation ON ledger (generation, sequence);
CREATE INDEX ledger_user ON ledger (user, sequence);

CREATE TABLE ledger_total (
  scope TEXT NOT NULL, unit TEXT NOT NULL, start_ms INTEGER NOT NULL, spent INTEGER NOT NULL,
  reserved INTEGER NOT NULL, PRIMARY KEY (scope, unit, start_ms)) STRICT, WITHOUT ROWID;

ALTER TABLE part ADD COLUMN choice INTEGER NOT NULL DEFAULT 0;
)sql";

}  // namespace mediagen
