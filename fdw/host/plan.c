/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Planning a scan: which conditions DuckDB decides, and what that costs.
 *
 * The brain judges each condition for itself, once per relation that is
 * planned; the verdicts are kept with the relation.  Nothing is opened.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "foreign/fdwapi.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "plan.h"
#include "query.h"
#include "rvbbit.h"
#include "walk.h"

/* Rows assumed of a relation of which nothing is known. */
#define DEFAULT_ROWS 1000

/* What a row costs that DuckDB alone looks at: a twentieth of a heap's. */
#define LOOK_COST 0.0005

typedef enum Pushed
{
	PUSHED_NO,					/* PostgreSQL decides */
	PUSHED_PART,				/* DuckDB decides something weaker, PostgreSQL the rest */
	PUSHED_ALL					/* DuckDB decides */
} Pushed;

typedef struct Verdict
{
	Expr	   *clause;
	Pushed		pushed;
	bool		fallible;		/* DuckDB gives an error for some rows */
	char	   *reason;			/* why it is not PUSHED_ALL */
} Verdict;

/* RelOptInfo.fdw_private */
typedef struct Planned
{
	Oid			table;
	bool		is_catalog;
	List	   *verdicts;
	bool		in_whole;		/* its query is one of DuckDB's, this plan only stands by */
} Planned;

/* The lists that a plan is made of. */
typedef struct Split
{
	List	   *pushed;			/* clauses that DuckDB decides */
	List	   *weakened;		/* those of which it decides a part */
	List	   *local;			/* those that PostgreSQL decides, the weakened among them */
	List	   *reasons;		/* String for each that is local */
} Split;

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
static char *
walk_conditions(List *clauses, RelOptInfo *rel, List **parameters)
{
	ScanWalk	scan = {.relid = rel->relid, .table = ((Planned *) rel->fdw_private)->table};
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

/* Attribute numbers of a relation that a list of expressions names. */
static Bitmapset *
columns_of(List *expressions, Index relid, Bitmapset *used)
{
	pull_varattnos((Node *) expressions, relid, &used);
	return used;
}

/* Live columns among those named, in order; all of them for a whole row. */
static List *
column_list(Oid relid, Bitmapset *used)
{
	Relation	relation = table_open(relid, NoLock);
	bool		whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
	List	   *result = NIL;

	for (int i = 1; i <= RelationGetNumberOfAttributes(relation); i++)
	{
		if (TupleDescAttr(RelationGetDescr(relation), i - 1)->attisdropped)
			continue;
		if (whole_row || bms_is_member(i - FirstLowInvalidHeapAttributeNumber, used))
			result = lappend_int(result, i);
	}
	table_close(relation, NoLock);
	return result;
}

/* Mostly it is the same clause; of an equal one the verdict is the same. */
static Verdict *
find_verdict(Planned *planned, Expr *clause)
{
	ListCell   *lc;

	foreach(lc, planned->verdicts)
		if (((Verdict *) lfirst(lc))->clause == clause)
			return lfirst(lc);
	foreach(lc, planned->verdicts)
		if (equal(((Verdict *) lfirst(lc))->clause, clause))
			return lfirst(lc);
	return NULL;
}

static Verdict *
add_verdict(Planned *planned, Expr *clause, Pushed pushed, char *reason)
{
	Verdict    *verdict = palloc0(sizeof(Verdict));

	verdict->clause = clause;
	verdict->pushed = pushed;
	verdict->reason = reason;
	planned->verdicts = lappend(planned->verdicts, verdict);
	return verdict;
}

/* Why no condition of this scan goes to DuckDB, NULL if they may. */
static char *
reason_for_none(Planned *planned)
{
	if (planned->is_catalog)
		return "";				/* all of them only prune */
	if (rvbbit_pushdown == RVBBIT_PUSHDOWN_OFF)
		return "rvbbit.pushdown is off";
	if (planned->in_whole)
		return "DuckDB runs the query as a whole";
	if (GetDatabaseEncoding() != PG_UTF8)
		return "the encoding of the database is not UTF8";
	return NULL;
}

/*
 * Give those a verdict at once that the brain need not be asked about; the
 * others are returned.
 */
static List *
judge_plainly(RelOptInfo *rel, List *rinfos)
{
	Planned    *planned = rel->fdw_private;
	char	   *none = reason_for_none(planned);
	bool		is_first = planned->verdicts == NIL;
	List	   *open = NIL;
	ListCell   *lc;

	foreach(lc, rinfos)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (rinfo->pseudoconstant || (!is_first && find_verdict(planned, rinfo->clause) != NULL))
			continue;
		if (none != NULL)
			add_verdict(planned, rinfo->clause, PUSHED_NO, none);
		else if (!restriction_is_securely_promotable(rinfo, rel))
			add_verdict(planned, rinfo->clause, PUSHED_NO,
						"a security condition has to be checked before it");
		else
			open = lappend(open, rinfo->clause);
	}
	return open;
}

static void
take_verdict(Planned *planned, Expr *clause, JsonbContainer *reply)
{
	char	   *pushed = reply_string(reply, "pushed");
	char	   *reason = reply_string(reply, "reason");
	Verdict    *verdict;

	if (pushed == NULL)
		elog(ERROR, "the brain did not judge a condition");
	verdict = add_verdict(planned, clause,
						  strcmp(pushed, "all") == 0 ? PUSHED_ALL :
						  strcmp(pushed, "part") == 0 ? PUSHED_PART : PUSHED_NO,
						  reason ? reason : "");
	verdict->fallible = reply_bool(reply, "fallible");
}

/* Ask the brain about conditions, and for the rows of the table. */
static Jsonb *
ask(RelOptInfo *rel, List *clauses)
{
	Planned    *planned = rel->fdw_private;
	List	   *parameters;
	StringInfoData buf;

	initStringInfo(&buf);
	request_begin(&buf, GetForeignServer(GetForeignTable(planned->table)->serverid));
	request_table(&buf, planned->table,
				  column_list(planned->table, columns_of(clauses, rel->relid, NULL)));
	appendStringInfo(&buf, ",\"conditions\":%s}", walk_conditions(clauses, rel, &parameters));
	return rvbbit_call("plan_scan", buf.data);
}

/*
 * Have a verdict on each condition.  The reply of the brain, which knows the
 * rows as well, or NULL if it was not asked.
 */
static Jsonb *
judge(RelOptInfo *rel, List *rinfos, bool ask_for_rows)
{
	List	   *open = judge_plainly(rel, rinfos);
	List	   *judged;
	Jsonb	   *reply;
	ListCell   *lc;
	ListCell   *verdict;

	if (open == NIL && !ask_for_rows)
		return NULL;
	reply = ask(rel, open);
	judged = reply_list(&reply->root, "conditions");
	if (list_length(judged) != list_length(open))
		elog(ERROR, "the brain judged %d conditions of %d", list_length(judged), list_length(open));
	forboth(lc, open, verdict, judged)
		take_verdict(rel->fdw_private, lfirst(lc), lfirst(verdict));
	return reply;
}

void
plan_size(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	Planned    *planned = palloc0(sizeof(Planned));
	Jsonb	   *reply;

	/* PostgreSQL itself would deliver all rows of a partition that is a foreign table. */
	if (planner_rt_fetch(rel->relid, root)->tablesample != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("TABLESAMPLE is not supported for tables of sessions"),
				 errhint("Use WHERE random() < 0.01, or copy the rows to a table of your own.")));
	planned->table = relid;
	planned->in_whole = query_is_inside(planner_rt_fetch(rel->relid, root));
	planned->is_catalog = option_value(GetForeignTable(relid)->options, "catalog") != NULL;
	rel->fdw_private = planned;
	reply = judge(rel, rel->baserestrictinfo, rel->tuples < 0 && !planned->is_catalog);
	if (rel->tuples < 0)
		rel->tuples = reply == NULL ? DEFAULT_ROWS :
			reply_number(&reply->root, "rows", DEFAULT_ROWS);
	set_baserel_size_estimates(root, rel);
}

/* Divide conditions by who decides them, as RestrictInfos. */
static void
divide(RelOptInfo *rel, List *rinfos, List **pushed, List **local)
{
	ListCell   *lc;

	foreach(lc, rinfos)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Verdict    *verdict = find_verdict(rel->fdw_private, rinfo->clause);

		if (verdict != NULL && verdict->pushed == PUSHED_ALL)
			*pushed = lappend(*pushed, rinfo);
		else
			*local = lappend(*local, rinfo);
	}
}

/* The path that takes these relations' values as parameters; NULL: none. */
static void
add_scan_path(PlannerInfo *root, RelOptInfo *rel, ParamPathInfo *outer)
{
	List	   *pushed = NIL;
	List	   *local = NIL;
	QualCost	check;
	double		delivered;
	Cost		startup = outer ? STARTUP_COST * RESCAN_CAUTION : STARTUP_COST;
	Cost		run;

	divide(rel, rel->baserestrictinfo, &pushed, &local);
	divide(rel, outer ? outer->ppi_clauses : NIL, &pushed, &local);
	cost_qual_eval(&check, local, root);
	delivered = clamp_row_est(rel->tuples *
							  clauselist_selectivity(root, pushed, rel->relid, JOIN_INNER, NULL));
	startup += check.startup;
	run = LOOK_COST * rel->tuples + (ROW_COST + check.per_tuple) * delivered;
	add_path(rel, (Path *) compat_scan_path(root, rel, outer ? outer->ppi_rows : rel->rows,
											startup, startup + run,
											outer ? outer->ppi_req_outer : rel->lateral_relids));
}

static bool
is_member_column(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *class,
				 EquivalenceMember *member, void *argument)
{
	Expr	   *expression = member->em_expr;

	(void) root;
	(void) class;
	while (IsA(expression, RelabelType))
		expression = castNode(RelabelType, expression)->arg;
	return IsA(expression, Var) &&
		castNode(Var, expression)->varno == (int) rel->relid &&
		castNode(Var, expression)->varattno == *(AttrNumber *) argument;
}

/* Equalities between columns of this relation and other relations. */
static List *
implied_equalities(PlannerInfo *root, RelOptInfo *rel)
{
	List	   *result = NIL;
	Bitmapset  *needed;

	if (!rel->has_eclass_joins)
		return NIL;
	/* attr_needed would say the same, but nothing of a partition. */
	needed = columns_of(rel->reltarget->exprs, rel->relid, NULL);
	for (AttrNumber number = 1; number <= rel->max_attr; number++)
	{
		if (bms_is_member(number - FirstLowInvalidHeapAttributeNumber, needed))
			result = list_concat(result,
								 generate_implied_equalities_for_column(root, rel,
																		is_member_column, &number,
																		rel->lateral_referencers));
	}
	return result;
}

/* Join conditions that a parameterised scan could have. */
static List *
join_conditions(PlannerInfo *root, RelOptInfo *rel)
{
	List	   *result = implied_equalities(root, rel);
	ListCell   *lc;

	foreach(lc, rel->joininfo)
		if (join_clause_is_movable_to(lfirst_node(RestrictInfo, lc), rel))
			result = lappend(result, lfirst(lc));
	return result;
}

static void
add_parameterised_paths(PlannerInfo *root, RelOptInfo *rel)
{
	List	   *conditions = join_conditions(root, rel);
	List	   *done = NIL;
	ListCell   *lc;

	(void) judge(rel, conditions, false);
	foreach(lc, conditions)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Verdict    *verdict = find_verdict(rel->fdw_private, rinfo->clause);
		Relids		outer = bms_union(rinfo->clause_relids, rel->lateral_relids);
		ParamPathInfo *info;

		outer = bms_del_member(outer, rel->relid);
		if (verdict == NULL || verdict->pushed != PUSHED_ALL || bms_is_empty(outer))
			continue;
		info = get_baserel_parampathinfo(root, rel, outer);
		if (list_member_ptr(done, info))
			continue;
		done = lappend(done, info);
		(void) judge(rel, info->ppi_clauses, false);
		add_scan_path(root, rel, info);
	}
}

void
plan_paths(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	Planned    *planned = rel->fdw_private;

	(void) relid;
	add_scan_path(root, rel, get_baserel_parampathinfo(root, rel, rel->lateral_relids));
	if (!planned->is_catalog && reason_for_none(planned) == NULL)
		add_parameterised_paths(root, rel);
}

/*
 * Who decides each of the conditions, which are in the order in which
 * PostgreSQL would check them.  One that gives an error for some rows is left
 * to DuckDB only if all before it are: they may be what keeps such rows away.
 */
static Split
split(RelOptInfo *rel, List *rinfos)
{
	Split		result = {NIL, NIL, NIL, NIL};
	ListCell   *lc;

	foreach(lc, rinfos)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Verdict    *verdict = find_verdict(rel->fdw_private, rinfo->clause);
		char	   *reason;

		if (rinfo->pseudoconstant)
			continue;
		reason = verdict->reason;
		if (verdict->pushed == PUSHED_ALL && !(verdict->fallible && result.local != NIL))
		{
			result.pushed = lappend(result.pushed, rinfo->clause);
			continue;
		}
		if (verdict->pushed == PUSHED_ALL)
			reason = "it gives an error for some values, and what is checked before it stays local";
		else if (verdict->pushed == PUSHED_PART || ((Planned *) rel->fdw_private)->is_catalog)
			result.weakened = lappend(result.weakened, rinfo->clause);
		result.local = lappend(result.local, rinfo->clause);
		result.reasons = lappend(result.reasons, makeString(reason));
	}
	return result;
}

ForeignScan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *best_path,
		  List *tlist, List *scan_clauses, Plan *outer_plan)
{
	List	   *parameters;
	List	   *private[PLAN_FIELDS];
	Bitmapset  *used;
	Split		conditions;
	char	   *tree;

	(void) root;
	(void) best_path;
	(void) judge(rel, scan_clauses, false);
	conditions = split(rel, scan_clauses);
	tree = walk_conditions(list_concat_copy(conditions.pushed, conditions.weakened), rel, &parameters);
	used = columns_of(rel->reltarget->exprs, rel->relid, NULL);
	used = columns_of(conditions.local, rel->relid, used);
	private[PLAN_COLUMNS] = column_list(relid, used);
	used = columns_of(conditions.pushed, rel->relid, used);
	private[PLAN_ALL_COLUMNS] = column_list(relid, used);
	private[PLAN_CONDITIONS] = list_make2(makeString(tree),
										  makeInteger(list_length(conditions.pushed)));
	private[PLAN_REASONS] = conditions.reasons;
	private[PLAN_NOT_WHOLE] = (List *) makeString(query_reason_of(planner_rt_fetch(rel->relid, root)));
	return make_foreignscan(tlist, conditions.local, rel->relid, parameters,
							list_make5(private[0], private[1], private[2], private[3], private[4]),
							NIL, conditions.pushed, outer_plan);
}
