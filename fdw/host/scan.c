/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Foreign scans: planning, and the callbacks of the executor.
 *
 * Planning and BeginForeignScan open nothing; the first row that is asked for
 * does.  A scan releases what it holds in EndForeignScan, or, when that is not
 * reached, with the memory context of its query.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "executor/executor.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/acl.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "catalog/pg_authid.h"
#include "compat.h"
#include "decode.h"
#include "rvbbit.h"
#include "worker.h"

/* Rows assumed of a table that was never analyzed. */
#define DEFAULT_ROWS 1000

/*
 * What DuckDB costs in units of cpu_tuple_cost and the like: a query's start
 * takes about as long as 100 sequential pages, a row about as long as a heap's.
 */
#define STARTUP_COST 100.0
#define ROW_COST 0.01

/* fdw_private of the plan */
enum
{
	PRIVATE_COLUMNS,			/* attribute numbers to read: IntList */
	PRIVATE_CONDITIONS			/* for the brain: String, JSON */
};

typedef struct RvbbitScan
{
	Relation	relation;
	List	   *columns_read;	/* attribute numbers */
	char	   *conditions;		/* JSON */
	List	   *parameters;		/* ExprState */
	List	   *parameter_exprs;	/* Expr */
	RvbbitStream *stream;		/* NULL: not open */
	RvbbitColumn *columns;
	int			column_count;
	int			current_column; /* being decoded, for the error context */
	int64		row;			/* next in the batch */
	int64		rows;			/* of the batch */
	int64		batches;		/* of all streams of this node */
	bool		at_end;
	MemoryContext context;		/* of the columns, reset by a rescan */
	MemoryContextCallback callback;
} RvbbitScan;

static void
get_rel_size(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	(void) relid;
	if (baserel->tuples < 0)
		baserel->tuples = DEFAULT_ROWS;
	set_baserel_size_estimates(root, baserel);
}

static void
get_paths(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	Cost		startup = STARTUP_COST + baserel->baserestrictcost.startup;
	Cost		per_row = ROW_COST + baserel->baserestrictcost.per_tuple;

	(void) relid;
	add_path(baserel, (Path *) compat_scan_path(root, baserel, baserel->rows, startup,
												startup + per_row * baserel->tuples));
}

/* The attribute numbers that the query reads, in order. */
static List *
columns_read(RelOptInfo *baserel, List *clauses, Oid relid)
{
	Relation	relation = table_open(relid, NoLock);
	Bitmapset  *used = NULL;
	bool		whole_row;
	List	   *result = NIL;

	pull_varattnos((Node *) baserel->reltarget->exprs, baserel->relid, &used);
	pull_varattnos((Node *) clauses, baserel->relid, &used);
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
	for (int i = 1; i <= RelationGetNumberOfAttributes(relation); i++)
	{
		if (TupleDescAttr(RelationGetDescr(relation), i - 1)->attisdropped)
			continue;
		if (whole_row || bms_is_member(i - FirstLowInvalidHeapAttributeNumber, used))
			result = lappend_int(result, i);
	}
	table_close(relation, NoLock);
	return result;
}

/*
 * PostgreSQL checks every condition itself; the brain gets those on a catalog,
 * to look at no more sessions than it must.
 */
static ForeignScan *
get_plan(PlannerInfo *root, RelOptInfo *baserel, Oid relid, ForeignPath *best_path,
		 List *tlist, List *scan_clauses, Plan *outer_plan)
{
	List	   *clauses = extract_actual_clauses(scan_clauses, false);
	List	   *parameters = NIL;
	char	   *conditions = "[]";
	List	   *columns = columns_read(baserel, clauses, relid);

	(void) root;
	(void) best_path;
	if (option_value(GetForeignTable(relid)->options, "catalog") != NULL)
		conditions = walk_conditions(clauses, baserel->relid, relid, &parameters);
	return make_foreignscan(tlist, clauses, baserel->relid, parameters,
							list_make2(columns, makeString(conditions)),
							NIL, NIL, outer_plan);
}

static void
release_stream(void *argument)
{
	RvbbitScan  *state = argument;

	rvbbit_close(&state->stream);
}

static void
begin_scan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	EState	   *estate = node->ss.ps.state;
	RvbbitScan  *state = palloc0(sizeof(RvbbitScan));

	(void) eflags;
	state->relation = node->ss.ss_currentRelation;
	state->columns_read = list_nth(plan->fdw_private, PRIVATE_COLUMNS);
	state->conditions = strVal(list_nth(plan->fdw_private, PRIVATE_CONDITIONS));
	state->parameter_exprs = plan->fdw_exprs;
	state->parameters = ExecInitExprList(plan->fdw_exprs, (PlanState *) node);
	state->column_count = list_length(state->columns_read);
	state->context = AllocSetContextCreate(estate->es_query_cxt, "rvbbit scan",
										   ALLOCSET_SMALL_SIZES);
	state->callback.func = release_stream;
	state->callback.arg = state;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &state->callback);
	node->fdw_state = state;
}

/*
 * The values are computed under the session's settings, as in any other plan,
 * and only written under fixed ones.
 */
static void
write_parameters(StringInfo buf, ForeignScanState *node)
{
	RvbbitScan *state = node->fdw_state;
	int			count = list_length(state->parameters);
	Datum	   *values = palloc(sizeof(Datum) * Max(count, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(count, 1));
	int			nestlevel;

	for (int i = 0; i < count; i++)
		values[i] = ExecEvalExpr((ExprState *) list_nth(state->parameters, i),
								 node->ss.ps.ps_ExprContext, &nulls[i]);
	nestlevel = fixed_output_begin();
	appendStringInfoString(buf, ",\"parameters\":[");
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(buf, ',');
		write_value(buf, exprType(list_nth(state->parameter_exprs, i)), values[i], nulls[i]);
	}
	appendStringInfoChar(buf, ']');
	fixed_output_end(nestlevel);
}

/* May the user whose rights this scan has learn where files lie? */
static bool
may_see_paths(ForeignScanState *node)
{
	Oid			user = castNode(ForeignScan, node->ss.ps.plan)->checkAsUser;

	return has_privs_of_role(OidIsValid(user) ? user : GetUserId(), ROLE_PG_READ_SERVER_FILES);
}

/*
 * The request of a scan.  One that is to run has the values of the parameters
 * and a pin; one that is only explained has neither.
 */
char *
scan_request(ForeignScanState *node, bool to_run)
{
	RvbbitScan  *state = node->fdw_state;
	Oid			relid = RelationGetRelid(state->relation);
	StringInfoData buf;
	const char *separator = "";
	ListCell   *lc;

	initStringInfo(&buf);
	request_begin(&buf, GetForeignServer(GetForeignTable(relid)->serverid));
	request_table(&buf, relid);
	appendStringInfo(&buf, ",\"privileges\":{\"read_server_files\":%s},\"columns\":[",
					 may_see_paths(node) ? "true" : "false");
	foreach(lc, state->columns_read)
	{
		appendStringInfo(&buf, "%s%d", separator, lfirst_int(lc));
		separator = ",";
	}
	appendStringInfo(&buf, "],\"conditions\":%s", state->conditions);
	if (to_run)
	{
		write_parameters(&buf, node);
		appendStringInfo(&buf, ",\"pin\":" UINT64_FORMAT, pin_for(node->ss.ps.state));
		if (analyze_percent(relid) > 0)
			appendStringInfo(&buf, ",\"sample\":%.9f", analyze_percent(relid));
	}
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

static void
choose_decoders(RvbbitScan *state, Jsonb *reply)
{
	List	   *chosen = reply_list(&reply->root, "columns");
	struct ArrowSchema *schema = &state->stream->schema;
	ListCell   *lc;
	ListCell   *attnum;
	int			i = 0;

	if (list_length(chosen) != state->column_count || schema->n_children < state->column_count)
		elog(ERROR, "the brain chose %d columns of %d", list_length(chosen), state->column_count);
	state->columns = palloc0(sizeof(RvbbitColumn) * Max(state->column_count, 1));
	forboth(lc, chosen, attnum, state->columns_read)
	{
		RvbbitColumn *column = &state->columns[i];
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(state->relation),
													lfirst_int(attnum) - 1);

		column->attnum = attribute->attnum;
		column->type = attribute->atttypid;
		column->typmod = attribute->atttypmod;
		column->name = pstrdup(NameStr(attribute->attname));
		column->table = RelationGetRelationName(state->relation);
		column_choose(column, reply_string(lfirst(lc), "decoder"), schema->children[i],
					  state->context);
		i++;
	}
}

static void
open_scan(ForeignScanState *node)
{
	RvbbitScan  *state = node->fdw_state;
	MemoryContext before;
	Jsonb	   *reply;

	MemoryContextReset(state->context);
	before = MemoryContextSwitchTo(state->context);
	reply = rvbbit_open(&state->stream, scan_request(node, true));
	choose_decoders(state, reply);
	MemoryContextSwitchTo(before);
	state->row = state->rows = 0;
}

/* Have a batch with a row that was not delivered yet; false at the end. */
static bool
have_row(ForeignScanState *node)
{
	RvbbitScan  *state = node->fdw_state;

	if (state->at_end)
		return false;
	if (state->stream == NULL)
		open_scan(node);
	while (state->row >= state->rows)
	{
		struct ArrowArray *batch;

		if (!rvbbit_next(&state->stream))
		{
			state->at_end = true;
			rvbbit_close(&state->stream);
			return false;
		}
		batch = &state->stream->batch;
		state->batches++;
		state->row = 0;
		state->rows = batch->length;
		for (int i = 0; i < state->column_count; i++)
			column_bind(&state->columns[i], batch->children[i], batch->offset);
	}
	return true;
}

static void
add_context(void *argument)
{
	RvbbitScan  *state = argument;

	if (state->current_column < state->column_count)
		errcontext("column \"%s\" of foreign table \"%s\"",
				   state->columns[state->current_column].name,
				   RelationGetRelationName(state->relation));
}

static void
decode_row(RvbbitScan *state, TupleTableSlot *slot)
{
	int64		row = state->row++;
	ErrorContextCallback callback = {
		.callback = add_context, .arg = state, .previous = error_context_stack
	};

	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	error_context_stack = &callback;
	for (int i = 0; i < state->column_count; i++)
	{
		RvbbitColumn *column = &state->columns[i];

		if (column_is_null(column, row))
			continue;
		state->current_column = i;
		slot->tts_values[column->attnum - 1] = column->decode(column, row);
		slot->tts_isnull[column->attnum - 1] = false;
	}
	error_context_stack = callback.previous;
}

/* Called in a memory context that is reset before the next row. */
static TupleTableSlot *
iterate_scan(ForeignScanState *node)
{
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	if (!have_row(node))
		return slot;
	decode_row(node->fdw_state, slot);
	return ExecStoreVirtualTuple(slot);
}

static void
close_scan(ForeignScanState *node)
{
	RvbbitScan  *state = node->fdw_state;

	rvbbit_close(&state->stream);
	state->row = state->rows = 0;
	state->at_end = false;
}

static void
end_scan(ForeignScanState *node)
{
	if (node->fdw_state != NULL)
		close_scan(node);
}

/* Batches read by this node, for EXPLAIN ANALYZE. */
int64
scan_batches(ForeignScanState *node)
{
	return ((RvbbitScan *) node->fdw_state)->batches;
}

void
rvbbit_scan_routine(FdwRoutine *routine)
{
	routine->GetForeignRelSize = get_rel_size;
	routine->GetForeignPaths = get_paths;
	routine->GetForeignPlan = get_plan;
	routine->BeginForeignScan = begin_scan;
	routine->IterateForeignScan = iterate_scan;
	routine->ReScanForeignScan = close_scan;
	routine->EndForeignScan = end_scan;
}
