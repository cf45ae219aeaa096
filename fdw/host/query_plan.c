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

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/syscache.h"

#include "plan.h"
#include "query.h"
#include "rvbbit.h"

/* DuckDB needs a tenth of what PostgreSQL is thought to need. */
#define WORK_SHARE 0.1

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

typedef struct Typmods
{
	Index		rti;
	List	   *targets;		/* TargetEntry: the subquery's, as planned */
} Typmods;

static bool
take_typmods(Node *node, void *context)
{
	Typmods    *typmods = context;
	Var		   *var = (Var *) node;

	if (node == NULL)
		return false;
	if (!IsA(node, Var))
		return expression_tree_walker(node, take_typmods, context);
	if (var->varno == (int) typmods->rti && var->varlevelsup == 0 && var->varattno > 0)
		var->vartypmod = exprTypmod((Node *) get_tle_by_resno(typmods->targets, var->varattno)->expr);
	return false;
}

/*
 * Columns of the subquery get the typmods of its planned targets.  Those that
 * the parser gave may be less: a CASE of several types has none until it is
 * simplified to one of them.  The statement's result is then described as
 * without us.
 */
static void
refine_typmods(RelOptInfo *rel, List *expressions)
{
	Typmods		typmods = {rel->relid, rel->subroot->processed_tlist};

	take_typmods((Node *) expressions, &typmods);
}

static void
refine_all_typmods(PlannerInfo *root, RelOptInfo *rel)
{
	ListCell   *lc;

	refine_typmods(rel, root->processed_tlist);
	refine_typmods(rel, rel->reltarget->exprs);
	/* What is sorted by is found again in the targets. */
	foreach(lc, root->eq_classes)
	{
		ListCell   *member;

		foreach(member, lfirst_node(EquivalenceClass, lc)->ec_members)
			refine_typmods(rel, list_make1(lfirst_node(EquivalenceMember, member)->em_expr));
	}
}

/*
 * Replace the paths of a marked subquery by the one that has DuckDB run it.
 * A row that must be known as a whole, for a lock or a reference, stays local.
 */
void
query_add_path(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	Path	   *local = local_path(rel);
	List	   *narrowed;
	CustomPath *path;

	(void) rti;
	if (local == NULL || IS_DUMMY_REL(rel) || !bms_is_empty(rel->lateral_relids) ||
		uses_whole_row(rel) || reads_nothing(rel->subroot))
		return;
	if (query_is_alone(root->parse, rte))
		refine_all_typmods(root, rel);
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
	/* Around the whole statement there is only what the brain left to PostgreSQL. */
	narrowed = query_is_alone(root->parse, rte) && root->parent_root == NULL ? NIL :
		query_narrowed(root, rel, rte);
	path->custom_private = narrowed != NIL ? narrowed : query_mark_of(rte);
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

bool
query_is_zero(Node *offset)
{
	return offset != NULL && IsA(offset, Const) && !((Const *) offset)->constisnull &&
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
			(query->limitOffset != NULL && !query_is_zero(query->limitOffset)) ||
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

/*
 * A copy of what is computed at the start, with the defaults of its functions'
 * arguments.  It is not simplified: an error of a part that PostgreSQL never
 * comes to (CASE WHEN false THEN 1 / 0 END) would be the statement's.
 */
static Node *
executable(Node *node, void *context)
{
	Node	   *result = expression_tree_mutator(node, executable, context);

	if (result != NULL && IsA(result, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) result;
		HeapTuple	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(call->funcid));

		if (!HeapTupleIsValid(function))
			elog(ERROR, "cache lookup failed for function %u", call->funcid);
		call->args = expand_function_arguments(call->args, false, call->funcresulttype, function);
		ReleaseSysCache(function);
	}
	return result;
}

static Plan *
plan_path(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
		  List *tlist, List *clauses, List *plans)
{
	CustomScan *scan = makeNode(CustomScan);
	List	   *mark = path->custom_private;
	RangeTblEntry *rte = planner_rt_fetch(rel->relid, root);
	Query	   *query = rte->subquery;
	Bitmapset  *used = NULL;

	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = extract_actual_clauses(clauses, false);
	/* The tlist is empty where the node above does not care for it. */
	add_used(&used, tlist, rel->relid);
	add_used(&used, path->path.pathtarget->exprs, rel->relid);
	add_used(&used, scan->scan.plan.qual, rel->relid);
	scan->custom_scan_tlist = scan_targets(query, rel->relid, used);
	if (query_is_alone(root->parse, rte))
		refine_typmods(rel, scan->custom_scan_tlist);
	scan->custom_plans = list_make1(local_plan(linitial(plans), scan->custom_scan_tlist));
	scan->custom_exprs = (List *) executable((Node *) list_nth(mark, MARK_PARAMETERS), NULL);
	/* The parameters are expressions of the plan now; a flag is in their place. */
	scan->custom_private = list_make4(list_nth(mark, MARK_TREE),
									  makeInteger(has_limit((Node *) query, NULL)),
									  list_nth(mark, MARK_SERVER), list_nth(mark, MARK_SQL));
	scan->flags = path->flags;
	scan->methods = &query_scan_methods;
	return &scan->scan.plan;
}
