/*-------------------------------------------------------------------------
 *
 * query_plan.c
 *	  From a marked subquery to a custom scan.
 *
 * The custom scan has PostgreSQL's own plan for the subquery as its child: it
 * brings the tables' locks and permissions into the finished plan, and it runs
 * when DuckDB cannot.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"

#include "query.h"
#include "rvbbit.h"

/*
 * Costs: a query's start takes about as long as 100 sequential pages; DuckDB
 * then needs a tenth of what PostgreSQL is thought to need; a row that is
 * delivered costs what one of a heap does.
 */
#define STARTUP_COST 100.0
#define WORK_SHARE 0.1
#define ROW_COST 0.01

static Plan *plan_path(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
					   List *tlist, List *clauses, List *plans);

static const CustomPathMethods path_methods = {
	.CustomName = QUERY_NODE_NAME,
	.PlanCustomPath = plan_path,
};

const CustomScanMethods query_scan_methods = {
	.CustomName = QUERY_NODE_NAME,
	.CreateCustomScanState = query_create_state,
};

/* The columns of the subquery that these expressions use. */
static void
add_used(Bitmapset **used, List *expressions, Index rti)
{
	pull_varattnos((Node *) expressions, rti, used);
}

static bool
uses_whole_row(RelOptInfo *rel)
{
	Bitmapset  *used = NULL;

	add_used(&used, rel->reltarget->exprs, rel->relid);
	add_used(&used, extract_actual_clauses(rel->baserestrictinfo, false), rel->relid);
	return bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
}

/* PostgreSQL's best way to run the subquery; NULL if there is none of the usual kind. */
static Path *
local_path(RelOptInfo *rel)
{
	Path	   *best = NULL;
	ListCell   *lc;

	foreach(lc, rel->pathlist)
	{
		Path	   *path = lfirst(lc);

		if (!IsA(path, SubqueryScanPath) || path->param_info != NULL)
			continue;
		if (best == NULL || path->total_cost < best->total_cost)
			best = path;
	}
	return best;
}

/* A constant false among conditions that are all to hold? */
static bool
is_never(List *conditions)
{
	ListCell   *lc;

	foreach(lc, conditions)
	{
		Const	   *condition = lfirst(lc);

		if (IsA(condition, Const) && (condition->constisnull || !DatumGetBool(condition->constvalue)))
			return true;
	}
	return false;
}

/* Does the subquery, as it was planned, read nothing whatever its tables hold? */
static bool
reads_nothing(PlannerInfo *subroot)
{
	Query	   *query = subroot->parse;
	Node	   *limit = query->limitCount;

	if (limit != NULL && IsA(limit, Const) && !((Const *) limit)->constisnull &&
		DatumGetInt64(((Const *) limit)->constvalue) == 0)
		return true;
	return query->setOperations == NULL && !query->hasSubLinks &&
		is_never((List *) query->jointree->quals);
}

/*
 * Replace the paths of a marked subquery by the one that has DuckDB run it.
 * A row that must be known as a whole, for a lock or a reference, stays local.
 */
void
query_add_path(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	Path	   *local = local_path(rel);
	CustomPath *path;

	(void) rti;
	if (local == NULL || IS_DUMMY_REL(rel) || !bms_is_empty(rel->lateral_relids) ||
		uses_whole_row(rel) || reads_nothing(rel->subroot))
		return;
	path = makeNode(CustomPath);
	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.param_info = get_baserel_parampathinfo(root, rel, rel->lateral_relids);
	path->path.rows = local->rows;
	path->path.startup_cost = STARTUP_COST + WORK_SHARE * local->startup_cost;
	path->path.total_cost = STARTUP_COST + WORK_SHARE * local->total_cost + ROW_COST * local->rows;
	path->path.pathkeys = rte->subquery->sortClause != NIL ? local->pathkeys : NIL;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_paths = list_make1(local);
	path->custom_private = query_mark_of(rte);
	path->methods = &path_methods;
	rel->pathlist = NIL;
	rel->partial_pathlist = NIL;
	add_path(rel, (Path *) path);
}

/*
 * What the scan delivers: a target for each column that is used, or for all
 * where they tell rows apart.
 */
static List *
scan_targets(Query *query, Index rti, Bitmapset *used)
{
	bool		all = query->distinctClause != NIL || query->setOperations != NULL;
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);

		if (entry->resjunk ||
			!(all || bms_is_member(entry->resno - FirstLowInvalidHeapAttributeNumber, used)))
			continue;
		result = lappend(result, makeTargetEntry((Expr *) makeVarFromTargetEntry(rti, entry),
												 list_length(result) + 1,
												 entry->resname ? pstrdup(entry->resname) : NULL,
												 false));
	}
	return result;
}

/* OFFSET 0, such as every marked query has */
static bool
is_zero(Node *offset)
{
	return IsA(offset, Const) && !((Const *) offset)->constisnull &&
		DatumGetInt64(((Const *) offset)->constvalue) == 0;
}

/* Is there a LIMIT, DISTINCT ON or window, which may choose among equal rows, anywhere in it? */
static bool
has_limit(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		return query->limitCount != NULL || query->hasDistinctOn ||
			(query->limitOffset != NULL && !is_zero(query->limitOffset)) ||
			query->hasWindowFuncs || query_tree_walker(query, has_limit, context, 0);
	}
	return expression_tree_walker(node, has_limit, context);
}

/* The local plan with our targets, and without what our own node checks. */
static Plan *
local_plan(Plan *plan, List *targets)
{
	if (IsA(plan, Result) && outerPlan(plan) != NULL)
		plan = outerPlan(plan);
	plan->qual = NIL;
	return change_plan_targetlist(plan, copyObject(targets), false);
}

static Plan *
plan_path(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
		  List *tlist, List *clauses, List *plans)
{
	CustomScan *scan = makeNode(CustomScan);
	List	   *mark = path->custom_private;
	Query	   *query = planner_rt_fetch(rel->relid, root)->subquery;
	Bitmapset  *used = NULL;

	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = extract_actual_clauses(clauses, false);
	/* The tlist is empty where the node above does not care for it. */
	add_used(&used, tlist, rel->relid);
	add_used(&used, path->path.pathtarget->exprs, rel->relid);
	add_used(&used, scan->scan.plan.qual, rel->relid);
	scan->custom_scan_tlist = scan_targets(query, rel->relid, used);
	scan->custom_plans = list_make1(local_plan(linitial(plans), scan->custom_scan_tlist));
	scan->custom_exprs = (List *) eval_const_expressions(root, copyObject(list_nth(mark, MARK_PARAMETERS)));
	/* The parameters are expressions of the plan now; a flag is in their place. */
	scan->custom_private = list_make4(list_nth(mark, MARK_TREE),
									  makeInteger(has_limit((Node *) query, NULL)),
									  list_nth(mark, MARK_SERVER), list_nth(mark, MARK_SQL));
	scan->flags = path->flags;
	scan->methods = &query_scan_methods;
	return &scan->scan.plan;
}
