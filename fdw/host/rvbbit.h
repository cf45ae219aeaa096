/*-------------------------------------------------------------------------
 *
 * rvbbit.h
 *	  What the parts of the C host share.
 *
 * The host knows PostgreSQL and nothing of sessions; the brain (Python) knows
 * sessions and nothing of PostgreSQL.  PROTOCOL.md says how they talk.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVBBIT_H
#define RVBBIT_H

#include "postgres.h"

#include "commands/explain.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "utils/jsonb.h"

/* Settings (module.c); sizes in kB, snapshot_limit in MB. */
extern int	rvbbit_memory_limit;
extern int	rvbbit_process_limit;
extern int	rvbbit_temp_limit;
extern int	rvbbit_snapshot_limit;
extern int	rvbbit_threads;
extern int	rvbbit_max_staleness;

/* What DuckDB computes, for rvbbit.pushdown. */
typedef enum RvbbitPushdown
{
	RVBBIT_PUSHDOWN_OFF,
	RVBBIT_PUSHDOWN_SCANS,		/* conditions of scans */
	RVBBIT_PUSHDOWN_FULL		/* whole queries too */
} RvbbitPushdown;

extern int	rvbbit_pushdown;
extern bool rvbbit_verify;
extern bool rvbbit_float_aggregates;

/*
 * A scan that the brain has open: its Arrow stream and the batch that is being
 * decoded.  malloc'ed, because a helper thread may have to free it.
 */
typedef struct RvbbitStream RvbbitStream;

/* An error of the brain or of DuckDB that is not raised yet; texts may be NULL. */
typedef struct RvbbitFailure
{
	bool		failed;
	int			code;
	char	   *message;
	char	   *detail;
	char	   *hint;
	char	   *context;
} RvbbitFailure;

/*
 * interrupt.c: run something in the brain, acting on interrupts meanwhile.
 * The stream is the caller's from rvbbit_try_open() to rvbbit_close(); an error may
 * take it away, which sets the pointer to NULL.
 */
extern Jsonb *rvbbit_call(const char *operation, const char *request);
extern Jsonb *rvbbit_try_open(RvbbitStream **stream, const char *request, RvbbitFailure *failure);
extern bool rvbbit_try_again(RvbbitStream **stream, const char *parameters, RvbbitFailure *failure);
extern bool rvbbit_try_next(RvbbitStream **stream, RvbbitFailure *failure);
extern void rvbbit_raise(const RvbbitFailure *failure) pg_attribute_noreturn();
extern void rvbbit_close(RvbbitStream **stream);

/* lifetime.c: the begin and the end of a backend's Python */
extern void lifetime_start_python(void);
extern void lifetime_limit_memory(void);
extern void lifetime_set_exit(void);
extern void lifetime_remove_at_exit(const char *directory);

/* request.c: JSON that goes to the brain */
extern void request_begin(StringInfo buf, ForeignServer *server);
extern void request_options(StringInfo buf, const char *key, List *options);
extern void request_string(StringInfo buf, const char *key, const char *value);
extern void request_table(StringInfo buf, Oid relid, List *columns);
extern void request_table_as(StringInfo buf, Oid relid, List *columns, Oid parent);
extern void request_columns(StringInfo buf, List *columns);

/* reply.c: JSON that comes from the brain */
extern Jsonb *reply_parse(const char *text);
extern JsonbValue *reply_get(JsonbContainer *object, const char *key);
extern char *reply_string(JsonbContainer *object, const char *key);
extern bool reply_bool(JsonbContainer *object, const char *key);
extern double reply_number(JsonbContainer *object, const char *key, double otherwise);
extern char *reply_element(JsonbContainer *array, uint32 index);
extern List *reply_list(JsonbContainer *object, const char *key);
extern void reply_report(Jsonb *reply);

/* pin.c: which snapshots a statement shares */
extern uint64 pin_for(EState *estate);
extern uint64 *pin_take_released(int *count);

/* options.c */
extern char *option_value(List *options, const char *name);

/* parameters.c: what is computed when a scan or a query starts */
extern char *parameters_as_json(List *states, ExprContext *context, char **problem);

/* fallback.c: when DuckDB cannot do what was planned */
extern bool fallback_is_open(int sqlstate);
extern char *fallback_note(const char *reason);
extern const char *fallback_show_count(void);

/* stats.c: what all connections of the server did, in the order of rvbbit_fdw_stats() */
typedef enum RvbbitStat
{
	STAT_SCANS,					/* tables of sessions that were read */
	STAT_LISTS,					/* rvbbit_sessions and the like that were read */
	STAT_QUERIES,				/* run by DuckDB as a whole */
	STAT_ROWS,					/* that DuckDB handed over */
	STAT_MICROSECONDS,			/* that it took, with the brain */
	STAT_FALLBACKS,
	STAT_SNAPSHOTS,				/* copies of sessions that were made */
	STAT_CANCELS,				/* calls that were interrupted */
	STAT_ABANDONED,				/* of these, the ones that did not end in time */
	STAT_COUNT
} RvbbitStat;

extern void stats_install_hooks(void);
extern void stats_add(RvbbitStat stat, uint64 amount);

/* names.c: full names of what the catalogs hold */
extern char *type_name(Oid type);
extern char *function_name(Oid function);
extern char *operator_name(Oid operator);
extern char *collation_name(Oid collation);

/* values.c: values as JSON, whatever the session's settings are */
extern int	fixed_output_begin(void);
extern void fixed_output_end(int nestlevel);
extern void write_value(StringInfo buf, Oid type, Datum value, bool isnull);

/* scan.c */
extern void rvbbit_scan_routine(FdwRoutine *routine);

/* import.c */
extern List *rvbbit_import_schema(ImportForeignSchemaStmt *stmt, Oid server_oid);

/* analyze.c */
extern bool rvbbit_analyze(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *totalpages);
extern double analyze_percent(Oid relid);

/* explain.c */
extern void rvbbit_explain_scan(ForeignScanState *node, ExplainState *es);

#endif							/* RVBBIT_H */
