/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Foreign scans: the callbacks of the executor.
 *
 * BeginForeignScan opens nothing; the first row that is asked for does.  A scan
 * releases what it holds in EndForeignScan, or, when that is not reached, with
 * the memory context of its query.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "executor/executor.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "rvbbit.h"
#include "scan.h"

/* A field of the plan. */
void *
scan_field(ForeignScanState *node, PlanField field)
{
	return list_nth(castNode(ForeignScan, node->ss.ps.plan)->fdw_private, field);
}

/* Does DuckDB decide conditions of this scan? */
bool
scan_pushes(ForeignScanState *node)
{
	return strcmp(strVal(linitial(scan_field(node, PLAN_CONDITIONS))), "[]") != 0;
}

/* Does the table list what the server has, instead of showing a session's table? */
static bool
is_list(Relation relation)
{
	return option_value(GetForeignTable(RelationGetRelid(relation))->options, "catalog") != NULL;
}

static void
begin_scan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	RvbbitScan  *state = palloc0(sizeof(RvbbitScan));

	(void) eflags;
	state->relation = node->ss.ss_currentRelation;
	state->is_list = is_list(state->relation);
	state->parameters = ExecInitExprList(plan->fdw_exprs, (PlanState *) node);
	reader_init(&state->reader, node->ss.ps.state->es_query_cxt,
				psprintf("foreign table \"%s\"", RelationGetRelationName(state->relation)));
	state->reader.stays = !state->is_list && !bms_is_empty(node->ss.ps.plan->extParam);
	node->fdw_state = state;
}

/* May the user whose rights this scan has learn where files lie? */
static bool
may_see_paths(ForeignScanState *node)
{
	Oid			user = castNode(ForeignScan, node->ss.ps.plan)->checkAsUser;

	return has_privs_of_role(OidIsValid(user) ? user : GetUserId(), ROLE_PG_READ_SERVER_FILES);
}

/*
 * The request of a scan.  With `everything` DuckDB delivers all rows, and all
 * columns that checking them takes.  Without parameters it is only explained.
 */
char *
scan_request(ForeignScanState *node, bool everything, char *parameters)
{
	RvbbitScan  *state = node->fdw_state;
	Oid			relid = RelationGetRelid(state->relation);
	List	   *conditions = scan_field(node, PLAN_CONDITIONS);
	List	   *all = scan_field(node, PLAN_ALL_COLUMNS);
	StringInfoData buf;

	initStringInfo(&buf);
	request_begin(&buf, GetForeignServer(GetForeignTable(relid)->serverid));
	request_table(&buf, relid, all);
	appendStringInfo(&buf, ",\"privileges\":{\"read_server_files\":%s}",
					 may_see_paths(node) ? "true" : "false");
	request_columns(&buf, everything ? all : (List *) scan_field(node, PLAN_COLUMNS));
	if (!everything)
		appendStringInfo(&buf, ",\"conditions\":%s,\"decided\":%d",
						 strVal(linitial(conditions)), intVal(lsecond(conditions)));
	if (parameters != NULL)
		appendStringInfo(&buf, ",\"parameters\":%s,\"pin\":" UINT64_FORMAT,
						 parameters, pin_for(node->ss.ps.state));
	if (parameters != NULL && analyze_percent(relid) > 0)
		appendStringInfo(&buf, ",\"sample\":%.9f", analyze_percent(relid));
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

/* Where columns of a stream go. */
RvbbitTarget *
scan_targets(Relation relation, List *columns)
{
	RvbbitTarget *targets = palloc(sizeof(RvbbitTarget) * Max(list_length(columns), 1));
	ListCell   *lc;

	foreach(lc, columns)
	{
		RvbbitTarget *target = &targets[foreach_current_index(lc)];
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), lfirst_int(lc) - 1);

		target->attnum = attribute->attnum;
		target->type = attribute->atttypid;
		target->typmod = attribute->atttypmod;
		target->name = NameStr(attribute->attname);
		target->table = RelationGetRelationName(relation);
	}
	return targets;
}

static bool
try_open_anew(ForeignScanState *node, char *parameters, RvbbitFailure *failure)
{
	RvbbitScan  *state = node->fdw_state;
	List	   *columns = scan_field(node, state->everything ? PLAN_ALL_COLUMNS : PLAN_COLUMNS);

	reader_close(&state->reader);
	state->time_zone = session_timezone;
	return reader_try_open(&state->reader, scan_request(node, state->everything, parameters),
						   scan_targets(state->relation, columns), list_length(columns), failure);
}

/*
 * Have DuckDB begin; false, with the failure, if it cannot.  A stream that a
 * rescan has left open needs no more than the parameters: all else of the
 * request is the same in one statement, but for the time zone.
 */
static bool
try_open(ForeignScanState *node, char *parameters, RvbbitFailure *failure)
{
	RvbbitScan  *state = node->fdw_state;
	bool		again = state->reader.stream != NULL && state->time_zone == session_timezone;

	if (!(again ? reader_try_again(&state->reader, parameters, failure) :
		  try_open_anew(node, parameters, failure)))
		return false;
	stats_add(state->is_list ? STAT_LISTS : STAT_SCANS, 1);
	return true;
}

/* From now on PostgreSQL checks all conditions itself. */
static void
fall_back(ForeignScanState *node, const char *reason)
{
	RvbbitScan  *state = node->fdw_state;
	MemoryContext before = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);

	state->fallback = fallback_note(reason ? reason : "unknown error");
	MemoryContextSwitchTo(before);
	state->everything = true;
	reader_close(&state->reader);
}

/*
 * Have a row that was not delivered yet, of what the reader has open or opens
 * now; false at the end, or with the failure.
 */
static bool
try_row(ForeignScanState *node, RvbbitFailure *failure)
{
	RvbbitScan  *state = node->fdw_state;

	failure->failed = false;
	if (!state->opened)
	{
		char	   *problem = NULL;
		char	   *parameters = state->everything ? "[]" :
			parameters_as_json(state->parameters, node->ss.ps.ps_ExprContext, &problem);

		if (parameters == NULL)
		{
			fall_back(node, problem);
			parameters = "[]";
		}
		if (!try_open(node, parameters, failure))
			return false;
		state->opened = true;
		if (rvbbit_verify && !state->everything && scan_pushes(node))
			verify_open(node);
	}
	return reader_try_row(&state->reader, failure);
}

/* A failure that nothing can be done about. */
static void
raise_failure(ForeignScanState *node, RvbbitFailure *failure)
{
	RvbbitScan  *state = node->fdw_state;

	if (!state->everything && scan_pushes(node) && state->delivered > 0 && failure->hint == NULL)
		failure->hint = "If it is a condition that fails, SET rvbbit.pushdown = off lets PostgreSQL check it.";
	rvbbit_raise(failure);
}

/* The same as try_row(), doing without DuckDB's checks if they fail. */
static bool
have_row(ForeignScanState *node)
{
	RvbbitScan  *state = node->fdw_state;
	RvbbitFailure failure;

	if (try_row(node, &failure))
		return true;
	if (!failure.failed)
		return false;
	if (state->everything || state->delivered > 0 || !scan_pushes(node) ||
		!fallback_is_open(failure.code))
		raise_failure(node, &failure);
	verify_close(node);
	fall_back(node, failure.message);
	state->opened = false;
	if (try_row(node, &failure))
		return true;
	if (failure.failed)
		raise_failure(node, &failure);
	return false;
}

/* Does a row pass the conditions that DuckDB would have decided? */
bool
scan_passes(ForeignScanState *node, ExprContext *context, TupleTableSlot *slot)
{
	context->ecxt_scantuple = slot;
	return ExecQual(node->fdw_recheck_quals, context);
}

/* Called in a memory context that is reset before the next row. */
static TupleTableSlot *
iterate_scan(ForeignScanState *node)
{
	RvbbitScan  *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	while (have_row(node))
	{
		reader_store(&state->reader, slot);
		state->delivered++;
		if (state->verifier != NULL)
			verify_row(node, slot);
		if (!state->everything || scan_passes(node, node->ss.ps.ps_ExprContext, slot))
			return slot;
		ExecClearTuple(slot);
		ResetExprContext(node->ss.ps.ps_ExprContext);
		CHECK_FOR_INTERRUPTS();
	}
	if (state->verifier != NULL)
		verify_end(node);
	return ExecClearTuple(slot);
}

/* From the beginning, with other parameters; what DuckDB checks is open for them. */
static void
rescan(ForeignScanState *node)
{
	RvbbitScan  *state = node->fdw_state;

	if (state->everything || !state->reader.stays)
		reader_close(&state->reader);
	verify_close(node);
	state->opened = false;
	state->everything = false;
	state->delivered = 0;
}

static void
end_scan(ForeignScanState *node)
{
	if (node->fdw_state == NULL)
		return;
	reader_close(&((RvbbitScan *) node->fdw_state)->reader);
	verify_close(node);
}

void
rvbbit_scan_routine(FdwRoutine *routine)
{
	routine->GetForeignRelSize = plan_size;
	routine->GetForeignPaths = plan_paths;
	routine->GetForeignPlan = plan_scan;
	routine->BeginForeignScan = begin_scan;
	routine->IterateForeignScan = iterate_scan;
	routine->ReScanForeignScan = rescan;
	routine->EndForeignScan = end_scan;
}
