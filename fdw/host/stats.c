/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  What all connections did, counted in shared memory (rvbbit.stats).
 *
 * Only numbers are kept, for the whole server: nothing that a statement said.
 * Without shared_preload_libraries there is no shared memory, and nothing is
 * counted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "rvbbit.h"

PG_FUNCTION_INFO_V1(rvbbit_fdw_stats);
PG_FUNCTION_INFO_V1(rvbbit_fdw_stats_reset);

typedef struct Stats
{
	pg_atomic_uint64 since;		/* a TimestampTz */
	pg_atomic_uint64 counts[STAT_COUNT];
} Stats;

static Stats *stats = NULL;
static shmem_request_hook_type previous_request = NULL;
static shmem_startup_hook_type previous_startup = NULL;

static void
request_memory(void)
{
	if (previous_request)
		previous_request();
	RequestAddinShmemSpace(MAXALIGN(sizeof(Stats)));
}

static void
start_counting(void)
{
	bool		found;

	if (previous_startup)
		previous_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	stats = ShmemInitStruct("rvbbit_fdw stats", sizeof(Stats), &found);
	if (!found)
	{
		pg_atomic_init_u64(&stats->since, (uint64) GetCurrentTimestamp());
		for (int i = 0; i < STAT_COUNT; i++)
			pg_atomic_init_u64(&stats->counts[i], 0);
	}
	LWLockRelease(AddinShmemInitLock);
}

/* In the postmaster only. */
void
stats_install_hooks(void)
{
	previous_request = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = start_counting;
}

/* Never fails, so that it may stand anywhere. */
void
stats_add(RvbbitStat stat, uint64 amount)
{
	if (stats != NULL && amount > 0)
		pg_atomic_fetch_add_u64(&stats->counts[stat], (int64) amount);
}

/* One row: since when, and the counts in the order of RvbbitStat; null without shared memory. */
Datum
rvbbit_fdw_stats(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	Datum		values[STAT_COUNT + 1];
	bool		nulls[STAT_COUNT + 1] = {0};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (tupdesc->natts != STAT_COUNT + 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the extension rvbbit_fdw and its library do not have the same version"),
				 errhint("ALTER EXTENSION rvbbit_fdw UPDATE.")));
	if (stats == NULL)
		PG_RETURN_NULL();
	values[0] = TimestampTzGetDatum((TimestampTz) pg_atomic_read_u64(&stats->since));
	for (int i = 0; i < STAT_COUNT; i++)
		values[i + 1] = Int64GetDatum((int64) pg_atomic_read_u64(&stats->counts[i]));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}

/* What others count at the same moment may be lost. */
Datum
rvbbit_fdw_stats_reset(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	if (stats != NULL)
	{
		for (int i = 0; i < STAT_COUNT; i++)
			pg_atomic_write_u64(&stats->counts[i], 0);
		pg_atomic_write_u64(&stats->since, (uint64) GetCurrentTimestamp());
	}
	PG_RETURN_VOID();
}
