/*-------------------------------------------------------------------------
 *
 * query_narrow.c
 *	  Conditions of the query around a marked part.
 *
 * OFFSET 0 keeps PostgreSQL from pushing them into the part, so they come here
 * as conditions of the part's relation, with those that follow from equal
 * columns (a.k = b.k AND b.k = 5).  DuckDB filters by them: else it would
 * deliver all groups of a view of which one is asked for.  PostgreSQL checks
 * them again, as it does in its own plan for the part.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "rewrite/rewriteManip.h"

#include "query.h"
#include "rvbbit.h"

/* A value that only the plan around has: a subquery's, or one of a row of another relation. */
static bool
is_of_plan(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan) || IsA(node, AlternativeSubPlan) || IsA(node, PlaceHolderVar) ||
		(IsA(node, Param) && ((Param *) node)->paramkind != PARAM_EXTERN))
		return true;
	return expression_tree_walker(node, is_of_plan, context);
}

static List *
usable_conditions(RelOptInfo *rel)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, extract_actual_clauses(rel->baserestrictinfo, false))
	{
		Node	   *condition = lfirst(lc);

		if (is_of_plan(condition, NULL) || contain_volatile_functions(condition))
			return NIL;
		result = lappend(result, condition);
	}
	return result;
}

/* Are its rows others if some of them are not asked for, or in an order that is to be kept? */
static bool
is_fixed(Query *query)
{
	return query->limitCount != NULL || !query_is_zero(query->limitOffset) || query->sortClause != NIL;
}

/*
 * The mark of `SELECT * FROM (query) WHERE conditions` in place of that of the
 * query; NIL if there is none to be had.  A condition that is none of DuckDB's
 * leaves all of them with PostgreSQL: it may be what keeps another one from an
 * error.
 */
List *
query_narrowed(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte)
{
	List	   *conditions = usable_conditions(rel);
	List	   *mark = query_mark_of(rte);
	Query	   *query;
	Query	   *around;

	if (conditions == NIL || is_fixed(rte->subquery))
		return NIL;
	query = copyObject(rte->subquery);
	query->limitOffset = NULL;
	conditions = copyObject(conditions);
	ChangeVarNodes((Node *) conditions, rel->relid, 1, 0);
	around = query_select_all(query);
	query_put_around(around, query);
	around->jointree->quals = (Node *) make_ands_explicit(conditions);
	return query_mark_for(around, linitial_oid(list_nth(mark, MARK_SERVER)), root->glob->boundParams);
}
