/*-------------------------------------------------------------------------
 *
 * parameters.c
 *	  Expressions that PostgreSQL computes when a scan or a query starts.
 *
 * PostgreSQL itself would compute them for each row, and so never for a table
 * without rows.  An error in one of them is therefore no error yet: it only
 * means that the expression cannot be sent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "executor/nodeSubplan.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "rvbbit.h"
#include "walk.h"

typedef struct Values
{
	List	   *states;			/* ExprState */
	ExprContext *context;
	Datum	   *values;
	bool	   *nulls;
} Values;

/* Can computing it give no error? */
static bool
is_harmless(Node *node)
{
	switch (nodeTag(node))
	{
		case T_Param:
		case T_SQLValueFunction:
			return true;
		case T_RelabelType:
			return is_harmless((Node *) castNode(RelabelType, node)->arg);
		case T_FuncExpr:
			return castNode(FuncExpr, node)->funcid == F_NOW;
		default:
			return false;
	}
}

static Node *
expression_of(Values *all, int i)
{
	return (Node *) ((ExprState *) list_nth(all->states, i))->expr;
}

static bool
are_harmless(Values *all)
{
	for (int i = 0; i < list_length(all->states); i++)
		if (!is_harmless(expression_of(all, i)))
			return false;
	return true;
}

static bool
find_params(Node *node, Bitmapset **params)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && castNode(Param, node)->paramkind == PARAM_EXEC)
		*params = bms_add_member(*params, castNode(Param, node)->paramid);
	return expression_tree_walker(node, find_params, params);
}

static void
compute(Values *all)
{
	for (int i = 0; i < list_length(all->states); i++)
		all->values[i] = ExecEvalExprSwitchContext(list_nth(all->states, i), all->context,
												   &all->nulls[i]);
}

/* Compute them in a subtransaction; the error's message if there was one. */
static char *
try_compute(Values *all)
{
	MemoryContext before = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(before);
	PG_TRY();
	{
		compute(all);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(before);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(before);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return NULL;
	if (!fallback_is_open(error->sqlerrcode))
		ReThrowError(error);
	return psprintf("a value could not be computed: %s", error->message);
}

/*
 * Subqueries run outside of the subtransaction, because they may stay open
 * beyond its end.
 */
static void
run_subqueries(Values *all)
{
	Bitmapset  *params = NULL;

	for (int i = 0; i < list_length(all->states); i++)
		(void) find_params(expression_of(all, i), &params);
	ExecSetParamPlanMulti(params, all->context);
}

static bool
write_all(Values *all, StringInfo buf)
{
	int			nestlevel;

	for (int i = 0; i < list_length(all->states); i++)
		if (!all->nulls[i] &&
			walk_is_large(exprType(expression_of(all, i)), all->values[i]))
			return false;
	nestlevel = fixed_output_begin();
	appendStringInfoChar(buf, '[');
	for (int i = 0; i < list_length(all->states); i++)
	{
		if (i > 0)
			appendStringInfoChar(buf, ',');
		write_value(buf, exprType(expression_of(all, i)), all->values[i], all->nulls[i]);
	}
	appendStringInfoChar(buf, ']');
	fixed_output_end(nestlevel);
	return true;
}

/*
 * The values as a JSON array, computed under the session's settings, as in any
 * other plan, and only written under fixed ones.  NULL if that is not
 * possible; *problem then says why.
 */
char *
parameters_as_json(List *states, ExprContext *context, char **problem)
{
	StringInfoData buf;
	Values		all = {.states = states, .context = context};
	int			count = Max(list_length(states), 1);

	*problem = NULL;
	all.values = palloc0(sizeof(Datum) * count);
	all.nulls = palloc0(sizeof(bool) * count);
	if (are_harmless(&all))
		compute(&all);
	else
	{
		run_subqueries(&all);
		*problem = try_compute(&all);
		if (*problem != NULL)
			return NULL;
	}
	initStringInfo(&buf);
	if (write_all(&all, &buf))
		return buf.data;
	*problem = "a value is too long to be sent";
	return NULL;
}
