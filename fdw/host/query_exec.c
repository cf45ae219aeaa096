/*-------------------------------------------------------------------------
 *
 * query_exec.c
 *	  Running a whole query in DuckDB, or PostgreSQL's own plan for it.
 *
 * Nothing is opened before the first row is asked for.  What DuckDB refuses
 * before it delivered a row is run by the local plan, which is made only then.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"

#include "query.h"
#include "rvbbit.h"
#include "stream.h"

typedef struct QueryState
{
	CustomScanState css;
	List	   *parameters;		/* ExprState */
	RvbbitReader reader;
	RvbbitTarget *targets;		/* the columns that are asked for */
	int			count;
	bool		started;		/* DuckDB has been asked */
	bool		local;			/* PostgreSQL's own plan runs */
	char	   *fallback;		/* why */
	int			eflags;
} QueryState;

static void begin_query(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *run_query(CustomScanState *node);
static void end_query(CustomScanState *node);
static void rescan_query(CustomScanState *node);
static void explain_query(CustomScanState *node, List *ancestors, ExplainState *es);

static const CustomExecMethods exec_methods = {
	.CustomName = QUERY_NODE_NAME,
	.BeginCustomScan = begin_query,
	.ExecCustomScan = run_query,
	.EndCustomScan = end_query,
	.ReScanCustomScan = rescan_query,
	.ExplainCustomScan = explain_query,
};

Node *
query_create_state(CustomScan *plan)
{
	QueryState *state = palloc0(sizeof(QueryState));

	(void) plan;
	NodeSetTag(state, T_CustomScanState);
	state->css.methods = &exec_methods;
	return (Node *) state;
}

static CustomScan *
plan_of(QueryState *state)
{
	return castNode(CustomScan, state->css.ss.ps.plan);
}

static void *
private_of(QueryState *state, MarkField field)
{
	return list_nth(plan_of(state)->custom_private, field);
}

static void
begin_query(CustomScanState *node, EState *estate, int eflags)
{
	QueryState *state = (QueryState *) node;
	CustomScan *plan = plan_of(state);
	ListCell   *lc;

	state->eflags = eflags;
	state->parameters = ExecInitExprList(plan->custom_exprs, &node->ss.ps);
	state->targets = palloc0(sizeof(RvbbitTarget) * Max(list_length(plan->custom_scan_tlist), 1));
	foreach(lc, plan->custom_scan_tlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);
		RvbbitTarget *target = &state->targets[state->count++];

		target->attnum = entry->resno;
		target->type = exprType((Node *) entry->expr);
		target->typmod = exprTypmod((Node *) entry->expr);
		target->name = entry->resname ? entry->resname : "?column?";
	}
	reader_init(&state->reader, estate->es_query_cxt, "a query of sessions");
}

static char *
make_request(QueryState *state)
{
	Oid			server = linitial_oid((List *) private_of(state, MARK_SERVER));
	const char *separator = "";
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	request_begin(&buf, GetForeignServer(server));
	appendStringInfo(&buf, ",\"query\":%s,\"columns\":[", strVal(private_of(state, MARK_TREE)));
	foreach(lc, plan_of(state)->custom_scan_tlist)
	{
		appendStringInfo(&buf, "%s%d", separator,
						 castNode(Var, lfirst_node(TargetEntry, lc)->expr)->varattno);
		separator = ",";
	}
	appendStringInfoChar(&buf, ']');
	request_parameters(&buf, state->parameters, state->css.ss.ps.ps_ExprContext);
	appendStringInfo(&buf, ",\"pin\":" UINT64_FORMAT "}", pin_for(state->css.ss.ps.state));
	return buf.data;
}

static PlanState *
local_state(QueryState *state)
{
	CustomScanState *node = &state->css;

	if (node->custom_ps == NIL)
	{
		EState	   *estate = node->ss.ps.state;
		MemoryContext before = MemoryContextSwitchTo(estate->es_query_cxt);

		node->custom_ps = list_make1(ExecInitNode(linitial(plan_of(state)->custom_plans), estate,
												  state->eflags));
		MemoryContextSwitchTo(before);
	}
	return linitial(node->custom_ps);
}

/*
 * May the local plan be tried after this?  Not when the statement was
 * canceled, memory ran out, or the session itself is the trouble.
 */
static bool
may_fall_back(const RvbbitFailure *failure)
{
	int			category = ERRCODE_TO_CATEGORY(failure->code);

	return category == ERRCODE_DATA_EXCEPTION || category == ERRCODE_FEATURE_NOT_SUPPORTED ||
		category == ERRCODE_PROGRAM_LIMIT_EXCEEDED || category == ERRCODE_INTERNAL_ERROR ||
		failure->code == ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION;
}

/* Have DuckDB begin; where it refuses, PostgreSQL does it. */
static void
start(QueryState *state)
{
	RvbbitFailure failure;

	state->started = true;
	if (reader_try_open(&state->reader, make_request(state), state->targets, state->count, &failure) &&
		(reader_try_row(&state->reader, &failure) || !failure.failed))
		return;
	reader_close(&state->reader);
	if (!may_fall_back(&failure))
		rvbbit_raise(&failure);
	state->local = true;
	state->fallback = MemoryContextStrdup(state->css.ss.ps.state->es_query_cxt,
										  failure.message ? failure.message : "unknown error");
}

static TupleTableSlot *
local_row(QueryState *state, TupleTableSlot *slot)
{
	TupleTableSlot *row = ExecProcNode(local_state(state));

	ExecClearTuple(slot);
	if (TupIsNull(row))
		return slot;
	slot_getallattrs(row);
	memcpy(slot->tts_values, row->tts_values, sizeof(Datum) * state->count);
	memcpy(slot->tts_isnull, row->tts_isnull, sizeof(bool) * state->count);
	return ExecStoreVirtualTuple(slot);
}

static void
raise_late(RvbbitFailure *failure)
{
	if (failure->hint == NULL && may_fall_back(failure))
		failure->hint = "SET rvbbit.pushdown = off lets PostgreSQL compute the query.";
	rvbbit_raise(failure);
}

static TupleTableSlot *
next_row(ScanState *scan)
{
	QueryState *state = (QueryState *) scan;
	TupleTableSlot *slot = scan->ss_ScanTupleSlot;
	RvbbitFailure failure;
	MemoryContext before;

	if (!state->started)
	{
		before = MemoryContextSwitchTo(scan->ps.ps_ExprContext->ecxt_per_tuple_memory);
		start(state);
		MemoryContextSwitchTo(before);
	}
	if (state->local)
		return local_row(state, slot);
	before = MemoryContextSwitchTo(scan->ps.ps_ExprContext->ecxt_per_tuple_memory);
	if (reader_try_row(&state->reader, &failure))
		reader_store(&state->reader, slot);
	else if (failure.failed)
		raise_late(&failure);
	else
		ExecClearTuple(slot);
	MemoryContextSwitchTo(before);
	return slot;
}

static bool
recheck_row(ScanState *scan, TupleTableSlot *slot)
{
	(void) scan;
	(void) slot;
	return true;
}

static TupleTableSlot *
run_query(CustomScanState *node)
{
	return ExecScan(&node->ss, next_row, recheck_row);
}

static void
end_query(CustomScanState *node)
{
	QueryState *state = (QueryState *) node;

	reader_close(&state->reader);
	if (node->custom_ps != NIL)
		ExecEndNode(linitial(node->custom_ps));
}

static void
rescan_query(CustomScanState *node)
{
	QueryState *state = (QueryState *) node;

	reader_close(&state->reader);
	if (!state->local)
		state->started = false;
	if (node->custom_ps != NIL)
	{
		PlanState  *child = linitial(node->custom_ps);

		if (node->ss.ps.chgParam != NULL)
			UpdateChangedParamSet(child, node->ss.ps.chgParam);
		if (child->chgParam == NULL)
			ExecReScan(child);
	}
	ExecScanReScan(&node->ss);
}

/*
 * The children are printed after this: the local plan is shown only where it
 * ran, or when everything is to be shown.
 */
static void
explain_query(CustomScanState *node, List *ancestors, ExplainState *es)
{
	QueryState *state = (QueryState *) node;

	(void) ancestors;
	ExplainPropertyText("DuckDB SQL", strVal(private_of(state, MARK_SQL)), es);
	if (es->analyze)
		ExplainPropertyInteger("Batches", NULL, state->reader.batches, es);
	if (state->fallback != NULL)
		ExplainPropertyText("Fallback", state->fallback, es);
	if (es->verbose)
		(void) local_state(state);
	else if (!state->local)
		node->custom_ps = NIL;
}
