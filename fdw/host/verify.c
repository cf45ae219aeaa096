/*-------------------------------------------------------------------------
 *
 * verify.c
 *	  Comparing what DuckDB filters with what PostgreSQL would keep
 *	  (rvbbit.verify).
 *
 * A second stream of the same snapshot has all rows.  DuckDB keeps their order,
 * so the rows of it that pass the conditions here must be those of the first
 * stream, one by one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "rvbbit.h"
#include "scan.h"

struct RvbbitVerifier
{
	RvbbitReader reader;
	TupleTableSlot *slot;		/* a row that passed */
	ExprContext *context;		/* in whose memory it is */
};

/* Begin to verify a scan that was opened. */
void
verify_open(ForeignScanState *node)
{
	RvbbitScan  *state = node->fdw_state;
	List	   *columns = scan_field(node, PLAN_ALL_COLUMNS);
	MemoryContext owner = node->ss.ps.state->es_query_cxt;
	MemoryContext before = MemoryContextSwitchTo(owner);
	RvbbitVerifier *verifier = palloc0(sizeof(RvbbitVerifier));

	reader_init(&verifier->reader, owner, state->reader.source);
	verifier->slot = MakeTupleTableSlot(RelationGetDescr(state->relation), &TTSOpsVirtual);
	verifier->context = CreateExprContext(node->ss.ps.state);
	MemoryContextSwitchTo(before);
	reader_open(&verifier->reader, scan_request(node, true, "[]"),
				scan_targets(state->relation, columns), list_length(columns));
	state->verifier = verifier;
}

/* The next row that passes here; false if there is none. */
static bool
next_row(ForeignScanState *node)
{
	RvbbitVerifier *verifier = ((RvbbitScan *) node->fdw_state)->verifier;
	MemoryContext before = MemoryContextSwitchTo(verifier->context->ecxt_per_tuple_memory);
	bool		passes = false;

	while (!passes && reader_row(&verifier->reader))
	{
		CHECK_FOR_INTERRUPTS();
		ExecClearTuple(verifier->slot);
		ResetExprContext(verifier->context);
		reader_store(&verifier->reader, verifier->slot);
		passes = scan_passes(node, verifier->context, verifier->slot);
	}
	MemoryContextSwitchTo(before);
	return passes;
}

static char *
row_as_text(TupleTableSlot *slot, List *columns)
{
	StringInfoData buf;
	const char *separator = "";
	ListCell   *lc;

	if (TTS_EMPTY(slot))
		return "no row";
	initStringInfo(&buf);
	appendStringInfoChar(&buf, '(');
	foreach(lc, columns)
	{
		int			i = lfirst_int(lc) - 1;
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(TupleDescAttr(slot->tts_tupleDescriptor, i)->atttypid, &output, &is_varlena);
		appendStringInfo(&buf, "%s%s", separator, slot->tts_isnull[i] ? "null" :
						 OidOutputFunctionCall(output, slot->tts_values[i]));
		separator = ", ";
	}
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

static void
raise_difference(ForeignScanState *node, TupleTableSlot *slot, TupleTableSlot *expected)
{
	RvbbitScan  *state = node->fdw_state;
	List	   *columns = scan_field(node, PLAN_COLUMNS);

	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("DuckDB and PostgreSQL do not agree on foreign table \"%s\"",
					RelationGetRelationName(state->relation)),
			 errdetail("DuckDB: %s. PostgreSQL: %s.", row_as_text(slot, columns),
					   row_as_text(expected, columns)),
			 errhint("SET rvbbit.pushdown = off lets PostgreSQL check all conditions.")));
}

static bool
are_equal(TupleTableSlot *one, TupleTableSlot *other, List *columns)
{
	ListCell   *lc;

	foreach(lc, columns)
	{
		int			i = lfirst_int(lc) - 1;
		Form_pg_attribute attribute = TupleDescAttr(one->tts_tupleDescriptor, i);

		if (one->tts_isnull[i] != other->tts_isnull[i])
			return false;
		if (!one->tts_isnull[i] &&
			!datum_image_eq(one->tts_values[i], other->tts_values[i],
							attribute->attbyval, attribute->attlen))
			return false;
	}
	return true;
}

/* Raise an error unless the row is the next that passes here. */
void
verify_row(ForeignScanState *node, TupleTableSlot *slot)
{
	RvbbitVerifier *verifier = ((RvbbitScan *) node->fdw_state)->verifier;

	if (!next_row(node))
		ExecClearTuple(verifier->slot);
	if (TTS_EMPTY(verifier->slot) ||
		!are_equal(slot, verifier->slot, scan_field(node, PLAN_COLUMNS)))
		raise_difference(node, slot, verifier->slot);
}

/* Raise an error if a row passes here that DuckDB did not deliver. */
void
verify_end(ForeignScanState *node)
{
	RvbbitVerifier *verifier = ((RvbbitScan *) node->fdw_state)->verifier;

	if (next_row(node))
		raise_difference(node, ExecClearTuple(node->ss.ss_ScanTupleSlot), verifier->slot);
}

void
verify_close(ForeignScanState *node)
{
	RvbbitScan  *state = node->fdw_state;

	if (state->verifier == NULL)
		return;
	reader_close(&state->verifier->reader);
	ExecDropSingleTupleTableSlot(state->verifier->slot);
	FreeExprContext(state->verifier->context, true);
	state->verifier = NULL;
}
