/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  What EXPLAIN says of a scan; it opens no session.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/execnodes.h"
#include "utils/ruleutils.h"

#include "rvbbit.h"
#include "scan.h"

/* Labels and texts of the brain. */
void
explain_lines(Jsonb *reply, ExplainState *es)
{
	ListCell   *lc;

	foreach(lc, reply_list(&reply->root, "lines"))
	{
		char	   *label = reply_element(lfirst(lc), 0);
		char	   *text = reply_element(lfirst(lc), 1);

		if (label != NULL && text != NULL)
			ExplainPropertyText(label, text, es);
	}
}

/* What a stream delivered. */
void
explain_reader(RvbbitReader *reader, ExplainState *es)
{
	ExplainPropertyInteger("Batches", NULL, reader->batches, es);
	ExplainPropertyInteger("DuckDB Rows", NULL, reader->delivered, es);
	if (es->timing)
		ExplainPropertyFloat("DuckDB Time", "ms", reader->seconds * 1000.0, 3, es);
}

/* Each condition that PostgreSQL checks, and why. */
static void
explain_local(ForeignScanState *node, ExplainState *es)
{
	List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, NIL);
	bool		use_prefix = es->verbose || list_length(es->rtable) > 1;
	List	   *lines = NIL;
	ListCell   *clause;
	ListCell   *reason;

	forboth(clause, node->ss.ps.plan->qual, reason, (List *) scan_field(node, PLAN_REASONS))
	{
		if (strVal(lfirst(reason))[0] != '\0')
			lines = lappend(lines, psprintf("%s: %s",
											deparse_expression(lfirst(clause), context, use_prefix, false),
											strVal(lfirst(reason))));
	}
	if (es->format != EXPLAIN_FORMAT_TEXT && lines != NIL)
		ExplainPropertyList("Local", lines, es);
	else
		foreach(clause, lines)
			ExplainPropertyText("Local", lfirst(clause), es);
}

void
rvbbit_explain_scan(ForeignScanState *node, ExplainState *es)
{
	RvbbitScan  *state = node->fdw_state;

	explain_lines(rvbbit_call("explain_scan", scan_request(node, false, NULL)), es);
	explain_local(node, es);
	if (strVal(scan_field(node, PLAN_NOT_WHOLE))[0] != '\0')
		ExplainPropertyText("Query Not Whole", strVal(scan_field(node, PLAN_NOT_WHOLE)), es);
	if (!es->analyze)
		return;
	explain_reader(&state->reader, es);
	if (state->fallback != NULL)
		ExplainPropertyText("Fallback", state->fallback, es);
}
