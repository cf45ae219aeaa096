/*-------------------------------------------------------------------------
 *
 * module.c
 *	  The library's start, its settings, and the handler.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>
#include <limits.h>

#include "fmgr.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/plancache.h"

#include "python.h"
#include "query.h"
#include "rvbbit.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(rvbbit_fdw_handler);

static bool rvbbit_import_comments = true;

int			rvbbit_memory_limit = 256 * 1024;
int			rvbbit_process_limit = 1536 * 1024;
int			rvbbit_temp_limit = 1024 * 1024;
int			rvbbit_snapshot_limit = 2048;
int			rvbbit_threads = 1;
int			rvbbit_max_staleness = 0;
int			rvbbit_pushdown = RVBBIT_PUSHDOWN_FULL;
bool		rvbbit_verify = false;
bool		rvbbit_float_aggregates = true;

static const struct config_enum_entry pushdown_values[] = {
	{"off", RVBBIT_PUSHDOWN_OFF, false},
	{"scans", RVBBIT_PUSHDOWN_SCANS, false},
	{"full", RVBBIT_PUSHDOWN_FULL, false},
	{NULL, 0, false}
};

/* stands for the fallbacks of this backend, which a function shows */
static int	fallbacks = 0;

/* Plans that were made under another value are made anew. */
static void
plan_anew(int value, void *extra)
{
	(void) extra;
	if (value != rvbbit_pushdown)
		ResetPlanCache();
}

static void
plan_anew_without_floats(bool value, void *extra)
{
	(void) extra;
	if (value != rvbbit_float_aggregates)
		ResetPlanCache();
}

/* How a statement runs; anybody may change it at any time. */
static void
define_statement_settings(void)
{
	DefineCustomEnumVariable("rvbbit.pushdown",
							 "What DuckDB may do of a query.",
							 "Answers are the same: off reads whole tables, scans pushes conditions, "
							 "full pushes whole queries too.",
							 &rvbbit_pushdown, RVBBIT_PUSHDOWN_FULL, pushdown_values,
							 PGC_USERSET, 0, NULL, plan_anew, NULL);
	DefineCustomBoolVariable("rvbbit.float_aggregates",
							 "Let DuckDB add up floating-point numbers in an order of its own.",
							 "Sums and averages then differ in their last digits.",
							 &rvbbit_float_aggregates, true,
							 PGC_USERSET, 0, NULL, plan_anew_without_floats, NULL);
	DefineCustomBoolVariable("rvbbit.verify",
							 "Runs what DuckDB does a second time in PostgreSQL.",
							 "A difference is an error that shows both rows.",
							 &rvbbit_verify, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("rvbbit.fallbacks",
							"How often this connection did in PostgreSQL what DuckDB could not do as planned.",
							NULL, &fallbacks, 0, 0, INT_MAX, PGC_INTERNAL,
							GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							NULL, NULL, fallback_show_count);
}

/*
 * The limits of a backend's DuckDB instance, which is sealed once it is made:
 * so they are fixed when a connection starts.
 */
static void
define_settings(void)
{
	DefineCustomIntVariable("rvbbit.memory_limit",
							"Memory that DuckDB may use in one connection.",
							NULL, &rvbbit_memory_limit, 256 * 1024, 16 * 1024, INT_MAX,
							PGC_SU_BACKEND, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("rvbbit.process_limit",
							"Memory that a connection may take once it reads sessions.",
							"It bounds what DuckDB does not count, and leaves PostgreSQL room. "
							"Zero turns the limit off.",
							&rvbbit_process_limit, 1536 * 1024, 0, INT_MAX,
							PGC_SU_BACKEND, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("rvbbit.temp_limit",
							"Disk space that DuckDB may use for spilling in one connection.",
							NULL, &rvbbit_temp_limit, 1024 * 1024, 0, INT_MAX,
							PGC_SU_BACKEND, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("rvbbit.snapshot_limit",
							"Disk space that the snapshots of all sessions may use.",
							NULL, &rvbbit_snapshot_limit, 2048, 1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomIntVariable("rvbbit.threads",
							"Threads that DuckDB may use in one connection.",
							NULL, &rvbbit_threads, 1, 1, 64,
							PGC_SU_BACKEND, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("rvbbit.max_staleness",
							"How old a snapshot of a session may be that a statement reads.",
							"Zero makes every statement read the newest committed state.",
							&rvbbit_max_staleness, 0, 0, INT_MAX / 1000,
							PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomBoolVariable("rvbbit.import_comments",
							 "Whether the last import of this transaction was to carry comments.",
							 "Set by IMPORT FOREIGN SCHEMA alone.",
							 &rvbbit_import_comments, true, PGC_USERSET,
							 GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							 NULL, NULL, NULL);
	define_statement_settings();
	MarkGUCPrefixReserved("rvbbit");
}

/*
 * Start Python in the postmaster, so that backends inherit it with the brain
 * and an idle DuckDB instance.  It is only a matter of speed: a failure is
 * logged.  plpython3u must start Python itself where it was loaded first.
 */
static void
preload(void)
{
	char		error[256];

	if (dlsym(RTLD_DEFAULT, "PyInit_plpy") != NULL)
		ereport(LOG,
				(errmsg("rvbbit_fdw does not preload Python"),
				 errdetail("plpython3 stands before rvbbit_fdw in \"shared_preload_libraries\"."),
				 errhint("Name rvbbit_fdw first to make the first query of a connection faster.")));
	else if (!python_start(error, sizeof(error)) || !python_preload(error, sizeof(error)))
		ereport(LOG,
				(errmsg("rvbbit_fdw could not preload Python"),
				 errdetail_internal("%s", error)));
}

void
_PG_init(void)
{
	define_settings();
	query_install_hooks();
	if (process_shared_preload_libraries_in_progress)
	{
		stats_install_hooks();
		preload();
	}
}

Datum
rvbbit_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	(void) fcinfo;
	rvbbit_scan_routine(routine);
	routine->ExplainForeignScan = rvbbit_explain_scan;
	routine->ImportForeignSchema = rvbbit_import_schema;
	routine->AnalyzeForeignTable = rvbbit_analyze;
	PG_RETURN_POINTER(routine);
}
