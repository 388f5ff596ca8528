// The contract suites of floor 2's stores, run against SQLite.
#include "sqlite_backend.h"

namespace mediagen {
using ContractBackend = SqliteBackend;
}  // namespace mediagen

TEST_SUITE_BEGIN("sqlite");
#include "contract/collections_contract.h"
#include "contract/event_log_contract.h"
#include "contract/job_scope_contract.h"
#include "contract/job_store_contract.h"
#include "contract/ledger_contract.h"
#include "contract/outputs_contract.h"
#include "contract/records_contract.h"
#include "contract/store_contract.h"
#include "contract/uploads_contract.h"
TEST_SUITE_END();
