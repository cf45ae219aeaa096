/*-------------------------------------------------------------------------
 *
 * scan.h
 *	  A scan that is executed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVBBIT_SCAN_H
#define RVBBIT_SCAN_H

#include "postgres.h"

#include "commands/explain.h"
#include "nodes/execnodes.h"
#include "pgtime.h"

#include "plan.h"
#include "stream.h"

typedef struct RvbbitVerifier RvbbitVerifier;

typedef struct RvbbitScan
{
	Relation	relation;
	List	   *parameters;		/* ExprState */
	bool		is_list;		/* of what the server has, instead of a session's table */
	RvbbitReader reader;
	pg_tz	   *time_zone;		/* under which the reader was opened */
	bool		opened;			/* the reader was opened since the last rescan */
	bool		everything;		/* PostgreSQL checks all conditions itself */
	int64		delivered;		/* rows since the last rescan */
	char	   *fallback;		/* why it last did so against the plan */
	RvbbitVerifier *verifier;	/* NULL: what DuckDB does is not verified */
} RvbbitScan;

/* scan.c */
extern void *scan_field(ForeignScanState *node, PlanField field);
extern bool scan_pushes(ForeignScanState *node);
extern char *scan_request(ForeignScanState *node, bool everything, char *parameters);
extern RvbbitTarget *scan_targets(Relation relation, List *columns);
extern bool scan_passes(ForeignScanState *node, ExprContext *context, TupleTableSlot *slot);

/* verify.c */
extern void verify_open(ForeignScanState *node);
extern void verify_row(ForeignScanState *node, TupleTableSlot *slot);
extern void verify_end(ForeignScanState *node);
extern void verify_close(ForeignScanState *node);

/* explain.c */
extern void explain_lines(Jsonb *reply, ExplainState *es);
extern void explain_reader(RvbbitReader *reader, ExplainState *es);

#endif							/* RVBBIT_SCAN_H */
