/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Which conditions of a scan DuckDB decides.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/lsyscache.h"

#include "rvbbit.h"
#include "walk.h"

typedef struct ScanWalk
{
	Walk		walk;
	Index		relid;			/* the scanned relation in the query */
	Oid			table;			/* and in the catalog */
} ScanWalk;

/* Vars of other relations are known when a parameterised scan starts. */
static WalkVar
classify(Walk *walk, Var *var)
{
	ScanWalk   *scan = walk->argument;

	if (var->varlevelsup != 0)
		return WALK_OTHER;
	return var->varno == (int) scan->relid ? WALK_COLUMN : WALK_OUTER;
}

static void
write_column_name(Walk *walk, Var *var)
{
	ScanWalk   *scan = walk->argument;

	request_string(&walk->buf, "name", get_attname(scan->table, var->varattno, false));
}

/*
 * A list of conditions as a JSON array.  *parameters becomes the list of the
 * expressions that are to be computed when the scan starts.
 */
char *
walk_conditions(List *clauses, Index relid, Oid table, List **parameters)
{
	ScanWalk	scan = {.relid = relid, .table = table};
	int			nestlevel;

	scan.walk.classify = classify;
	scan.walk.write_column = write_column_name;
	scan.walk.argument = &scan;
	walk_begin(&scan.walk);
	nestlevel = fixed_output_begin();
	walk_list(&scan.walk, clauses);
	fixed_output_end(nestlevel);
	*parameters = scan.walk.parameters;
	return scan.walk.buf.data;
}
