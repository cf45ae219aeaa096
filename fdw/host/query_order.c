/*-------------------------------------------------------------------------
 *
 * query_order.c
 *	  The order in which PostgreSQL checks the conditions of a query.
 *
 * It decides whether a condition that can fail meets a row.  For a join it
 * hangs on the plan, and so is nobody's to rely on; over one table it follows
 * from the conditions alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "utils/lsyscache.h"

#include "query.h"

typedef struct Costed
{
	Node	   *clause;
	Cost		cost;
} Costed;

/* The planner takes equalities out of the list and puts them at its end. */
static bool
is_equality(Node *clause)
{
	OpExpr	   *call = (OpExpr *) clause;

	return IsA(clause, OpExpr) && list_length(call->args) == 2 &&
		op_mergejoinable(call->opno, exprType(linitial(call->args)));
}

static Cost
cost_of(Node *clause)
{
	QualCost	cost;

	cost_qual_eval_node(&cost, clause, NULL);
	return cost.per_tuple;
}

/* Put a condition behind those that are as cheap, as order_qual_clauses() does. */
static void
insert_by_cost(Costed *ordered, int count, Node *clause)
{
	Costed		added = {clause, cost_of(clause)};
	int			place = count;

	for (; place > 0 && ordered[place - 1].cost > added.cost; place--)
		ordered[place] = ordered[place - 1];
	ordered[place] = added;
}

static List *
in_order(List *clauses)
{
	Costed	   *ordered = palloc(sizeof(Costed) * list_length(clauses));
	int			count = 0;
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, clauses)
		if (!is_equality(lfirst(lc)))
			insert_by_cost(ordered, count++, lfirst(lc));
	foreach(lc, clauses)
		if (is_equality(lfirst(lc)))
			insert_by_cost(ordered, count++, lfirst(lc));
	for (int i = 0; i < count; i++)
		result = lappend(result, ordered[i].clause);
	return result;
}

/*
 * The conditions as the planner has them before it orders them.  It simplifies
 * all of WHERE at once: a part that is never reached (false AND 1 / 0 = a)
 * gives no error.
 */
static Node *
simplified(Node *where)
{
	Node	   *result = eval_const_expressions(NULL, where);

	result = (Node *) canonicalize_qual((Expr *) result, false);
	convert_saop_to_hashed_saop(result);
	return result;
}

/*
 * The WHERE of a query, which is the caller's to change; over one table, its
 * conditions in PostgreSQL's order.  Subqueries have no cost before they are
 * planned: beside one, all stays as it was written.  So does a condition that
 * stands alone, which may be a list of very many constants.
 */
Node *
query_ordered_where(Query *query, Node *where)
{
	if (where == NULL || !IsA(where, BoolExpr) || query->hasSubLinks ||
		list_length(query->jointree->fromlist) != 1 ||
		!IsA(linitial(query->jointree->fromlist), RangeTblRef))
		return where;
	where = simplified(where);
	return is_andclause(where) ? (Node *) make_andclause(in_order(((BoolExpr *) where)->args)) : where;
}
