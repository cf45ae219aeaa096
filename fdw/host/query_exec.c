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
#include "scan.h"
#include "stream.h"

typedef struct QueryState
{
	CustomScanState css;
	List	   *parameters;		/* ExprState */
	RvbbitReader reader;
	RvbbitTarget *targets;		/* the columns that are asked for */
	int			count;
	PlanState  *child;			/* the local plan; NULL: not needed so far */
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

/* The request; without parameters it is only to be explained. */
static char *
make_request(QueryState *state, const char *parameters)
{
	Oid			server = linitial_oid((List *) private_of(state, MARK_SERVER));
	const char *separator = "";
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	request_begin(&buf, GetForeignServer(server));
	appendStringInfoString(&buf, ",\"columns\":[");
	foreach(lc, plan_of(state)->custom_scan_tlist)
	{
		appendStringInfo(&buf, "%s%d", separator,
						 castNode(Var, lfirst_node(TargetEntry, lc)->expr)->varattno);
		separator = ",";
	}
	appendStringInfo(&buf, "],\"float_aggregates\":%s", rvbbit_float_aggregates ? "true" : "false");
	if (parameters != NULL)
		appendStringInfo(&buf, ",\"parameters\":%s,\"pin\":" UINT64_FORMAT, parameters,
						 pin_for(state->css.ss.ps.state));
	appendStringInfo(&buf, "}\n%s", strVal(private_of(state, MARK_TREE)));
	return buf.data;
}

static PlanState *
local_state(QueryState *state)
{
	if (state->child == NULL)
	{
		EState	   *estate = state->css.ss.ps.state;
		MemoryContext before = MemoryContextSwitchTo(estate->es_query_cxt);

		state->child = ExecInitNode(linitial(plan_of(state)->custom_plans), estate, state->eflags);
		MemoryContextSwitchTo(before);
	}
	return state->child;
}

static void
run_locally(QueryState *state, const char *reason)
{
	MemoryContext before = MemoryContextSwitchTo(state->css.ss.ps.state->es_query_cxt);

	reader_close(&state->reader);
	state->local = true;
	state->fallback = fallback_note(reason ? reason : "unknown error");
	MemoryContextSwitchTo(before);
}

/* Have DuckDB begin; true if there is a row to come, or surely none. */
static bool
open_stream(QueryState *state, char *parameters, RvbbitFailure *failure)
{
	return reader_try_open(&state->reader, make_request(state, parameters), state->targets,
						   state->count, failure) &&
		(reader_try_row(&state->reader, failure) || !failure->failed);
}

static void
raise_late(RvbbitFailure *failure)
{
	if (failure->hint == NULL && fallback_is_open(failure->code))
		failure->hint = "SET rvbbit.pushdown = off lets PostgreSQL compute the query.";
	rvbbit_raise(failure);
}

/* The next row of DuckDB, in the current memory context; empty at the end. */
static TupleTableSlot *
remote_row(QueryState *state, TupleTableSlot *slot)
{
	RvbbitFailure failure;

	if (reader_try_row(&state->reader, &failure))
		reader_store(&state->reader, slot);
	else if (failure.failed)
		raise_late(&failure);
	else
		ExecClearTuple(slot);
	return slot;
}

/* The next row of the local plan, which runs in the memory of the query as any plan does. */
static TupleTableSlot *
local_row(QueryState *state, TupleTableSlot *slot)
{
	MemoryContext before = MemoryContextSwitchTo(state->css.ss.ps.state->es_query_cxt);
	TupleTableSlot *row = ExecProcNode(local_state(state));

	MemoryContextSwitchTo(before);
	ExecClearTuple(slot);
	if (TupIsNull(row))
		return slot;
	slot_getallattrs(row);
	memcpy(slot->tts_values, row->tts_values, sizeof(Datum) * state->count);
	memcpy(slot->tts_isnull, row->tts_isnull, sizeof(bool) * state->count);
	return ExecStoreVirtualTuple(slot);
}

/* Does the row pass the conditions of this node, by which DuckDB may have filtered already? */
static bool
passes(QueryState *state, ExprContext *checking, TupleTableSlot *row)
{
	ResetExprContext(checking);
	checking->ecxt_scantuple = row;
	return ExecQual(state->css.ss.ps.qual, checking);
}

/* All rows of one side that pass, as texts, in this memory context. */
static List *
all_rows(QueryState *state, TupleTableSlot *(*next) (QueryState *, TupleTableSlot *),
		 MemoryContext context)
{
	TupleTableSlot *slot = state->css.ss.ss_ScanTupleSlot;
	ExprContext *checking = CreateExprContext(state->css.ss.ps.state);
	MemoryContext one = AllocSetContextCreate(context, "rvbbit row", ALLOCSET_DEFAULT_SIZES);
	List	   *result = NIL;

	for (;;)
	{
		MemoryContext before = MemoryContextSwitchTo(one);
		TupleTableSlot *row;
		char	   *text;

		CHECK_FOR_INTERRUPTS();
		row = next(state, slot);	/* TupIsNull() evaluates its argument twice */
		text = TupIsNull(row) ? NULL : query_row_as_text(row);
		MemoryContextSwitchTo(context);
		if (text != NULL && passes(state, checking, row))
			result = lappend(result, pstrdup(text));
		MemoryContextSwitchTo(before);
		MemoryContextReset(one);
		if (text == NULL)
			break;
	}
	FreeExprContext(checking, true);
	return result;
}

/* Compare what DuckDB gives with what the local plan gives, and begin anew. */
static void
verify(QueryState *state, char *parameters)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "rvbbit verify",
												  ALLOCSET_DEFAULT_SIZES);
	bool		is_open = intVal(private_of(state, MARK_PARAMETERS)) != 0;
	List	   *found = all_rows(state, remote_row, context);
	List	   *expected;
	RvbbitFailure failure;

	if (state->child != NULL)
		ExecReScan(state->child);
	expected = all_rows(state, local_row, context);
	if (!is_open || state->css.ss.ps.qual == NULL)
		query_compare(found, expected, is_open);
	MemoryContextDelete(context);
	reader_close(&state->reader);
	if (!open_stream(state, parameters, &failure))
		rvbbit_raise(&failure);
}

/* Have DuckDB begin; where it refuses, PostgreSQL does it. */
static void
start(QueryState *state)
{
	RvbbitFailure failure;
	char	   *problem;
	char	   *parameters = parameters_as_json(state->parameters, state->css.ss.ps.ps_ExprContext, &problem);

	state->started = true;
	if (parameters == NULL)
	{
		run_locally(state, problem);
		return;
	}
	if (open_stream(state, parameters, &failure))
	{
		stats_add(STAT_QUERIES, 1);
		if (rvbbit_verify)
			verify(state, parameters);
		return;
	}
	if (!fallback_is_open(failure.code))
		rvbbit_raise(&failure);
	run_locally(state, failure.message);
}

static TupleTableSlot *
next_row(ScanState *scan)
{
	QueryState *state = (QueryState *) scan;
	TupleTableSlot *slot = scan->ss_ScanTupleSlot;
	MemoryContext before = CurrentMemoryContext;

	if (state->local)
		return local_row(state, slot);
	MemoryContextSwitchTo(scan->ps.ps_ExprContext->ecxt_per_tuple_memory);
	if (!state->started)
		start(state);
	if (!state->local)
		(void) remote_row(state, slot);
	MemoryContextSwitchTo(before);
	return state->local ? local_row(state, slot) : slot;
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
	if (state->child != NULL)
		ExecEndNode(state->child);
}

static void
rescan_query(CustomScanState *node)
{
	QueryState *state = (QueryState *) node;

	reader_close(&state->reader);
	if (!state->local)
		state->started = false;
	if (state->child != NULL)
	{
		if (node->ss.ps.chgParam != NULL)
			UpdateChangedParamSet(state->child, node->ss.ps.chgParam);
		if (state->child->chgParam == NULL)
			ExecReScan(state->child);
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
	explain_lines(rvbbit_call("explain_query", make_request(state, NULL)), es);
	if (es->analyze)
		explain_reader(&state->reader, es);
	if (state->fallback != NULL)
		ExplainPropertyText("Fallback", state->fallback, es);
	if (es->verbose || state->local)
		node->custom_ps = list_make1(local_state(state));
}
