// fork(2) and SQLite. Three things of SQLite's belong to the process and would be wrong in a child:
// - its mutexes: one that another thread held at the fork stays locked for ever;
// - what it remembers of file locks: the child would take a write lock of the parent's for its own process's,
//   find the database locked for ever, and take no lock where it believes to have one;
// - its connections, whose files and shared memory that memory hangs on.
// So a fork waits until nobody is inside SQLite, and a child closes the connections that it inherited before
// it opens its own.
#pragma once

namespace mediagen {

// Held around every use of a connection, from BEGIN to COMMIT, and around opening and closing. Short: a fork
// waits for it. May be nested. Thread-safe.
class InsideSqlite {
 public:
  InsideSqlite();
  ~InsideSqlite();
  InsideSqlite(const InsideSqlite&) = delete;
  InsideSqlite& operator=(const InsideSqlite&) = delete;
};

// A connection that a forked child has to close before it opens another. Made and destroyed inside SQLite.
class Inherited {
 public:
  Inherited();
  virtual ~Inherited();
  Inherited(const Inherited&) = delete;
  Inherited& operator=(const Inherited&) = delete;
  virtual void CloseInherited() = 0;

 protected:
  // Before the connection goes, in one InsideSqlite with its closing.
  void Forget();
};

// Closes what this process inherited by a fork. Inside SQLite, before a connection is opened.
void CloseInherited();

}  // namespace mediagen
