// Tables of EventLog and Collections.

namespace mediagen {

extern const char kSchemaEvents[];

// AUTOINCREMENT: a sequence number is never given twice, even after the newest events were pruned.
// A collection has a table of its own, record_<name>, made by Define.
const char kSchemaEvents[] = R"sql(
CREATE TABLE event (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, type TEXT NOT NULL, object TEXT NOT NULL,
  user TEXT NOT NULL, visibility TEXT NOT NULL, data TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;

CREATE TABLE collection (name TEXT NOT NULL PRIMARY KEY, definition TEXT NOT NULL) STRICT, WITHOUT ROWID;
)sql";

}  // namespace mediagen
