/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  What EXPLAIN says of a scan; it opens no session.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rvbbit.h"

static void
explain_line(JsonbContainer *line, ExplainState *es)
{
	char	   *label = reply_element(line, 0);
	char	   *text = reply_element(line, 1);

	if (label != NULL && text != NULL)
		ExplainPropertyText(label, text, es);
}

void
rvbbit_explain_scan(ForeignScanState *node, ExplainState *es)
{
	Jsonb	   *reply = rvbbit_call("explain_scan", scan_request(node, false));
	ListCell   *lc;

	foreach(lc, reply_list(&reply->root, "lines"))
		explain_line(lfirst(lc), es);
	if (es->analyze)
		ExplainPropertyInteger("Batches", NULL, scan_batches(node), es);
}
