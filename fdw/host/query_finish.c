/*-------------------------------------------------------------------------
 *
 * query_finish.c
 *	  Splitting a query: DuckDB delivers what an expression is made of, and
 *	  PostgreSQL computes the expression above it.
 *
 * That is for targets and for HAVING which are not known to be the same in
 * DuckDB: averages of integers, division of numerics, functions of the user.
 * Their *pieces* are aggregates, window functions, subqueries, expressions that
 * rows are grouped by, and columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "rewrite/rewriteManip.h"
#include "utils/fmgrprotos.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "query.h"
#include "rvbbit.h"

typedef struct Split
{
	Query	   *inner;			/* becomes what DuckDB runs */
	List	   *groups;			/* TargetEntry: what rows are grouped by */
} Split;

/*
 * Variances and standard deviations of exact numbers: which sum they need, how
 * their argument gets a type that has room for its square, of a sample or of
 * all, root or not.
 */
typedef struct Spread
{
	Oid			function;
	Oid			sum;
	Oid			widen;			/* a cast, if one is needed */
	Oid			wide;
	bool		sample;
	bool		root;
} Spread;

#define SPREADS(type, widen, wide) \
	{F_VARIANCE_##type, F_SUM_##type, widen, wide, true, false}, \
	{F_VAR_SAMP_##type, F_SUM_##type, widen, wide, true, false}, \
	{F_VAR_POP_##type, F_SUM_##type, widen, wide, false, false}, \
	{F_STDDEV_##type, F_SUM_##type, widen, wide, true, true}, \
	{F_STDDEV_SAMP_##type, F_SUM_##type, widen, wide, true, true}, \
	{F_STDDEV_POP_##type, F_SUM_##type, widen, wide, false, true}

static const Spread spreads[] = {
	SPREADS(INT2, F_INT8_INT2, INT8OID),
	SPREADS(INT4, F_INT8_INT4, INT8OID),
	SPREADS(INT8, F_NUMERIC_INT8, NUMERICOID),
	SPREADS(NUMERIC, InvalidOid, NUMERICOID),
};

/* The column of the inner query that has this expression. */
static Var *
column_of(Split *split, Expr *expression)
{
	TargetEntry *entry = tlist_member(expression, split->inner->targetList);

	if (entry == NULL)
	{
		entry = makeTargetEntry(copyObject(expression), list_length(split->inner->targetList) + 1,
								pstrdup("piece"), false);
		split->inner->targetList = lappend(split->inner->targetList, entry);
	}
	return makeVarFromTargetEntry(1, entry);
}

/* The same call of another aggregate of the same argument. */
static Expr *
other_aggregate(Aggref *call, Oid function, Oid type)
{
	Aggref	   *other = copyObject(call);

	other->aggfnoid = function;
	other->aggtype = type;
	other->aggtranstype = InvalidOid;
	return (Expr *) other;
}

static Expr *
as_numeric(Expr *expression)
{
	if (exprType((Node *) expression) == NUMERICOID)
		return expression;
	return (Expr *) makeFuncExpr(F_NUMERIC_INT8, NUMERICOID, list_make1(expression),
								 InvalidOid, InvalidOid, COERCE_IMPLICIT_CAST);
}

/* avg() of exact numbers is the quotient of sum() and count(). */
static Node *
split_average(Split *split, Aggref *call, Oid sum, Oid type)
{
	Expr	   *total = (Expr *) column_of(split, other_aggregate(call, sum, type));
	Expr	   *count = (Expr *) column_of(split, other_aggregate(call, F_COUNT_ANY, INT8OID));

	return (Node *) makeFuncExpr(F_NUMERIC_DIV, NUMERICOID,
								 list_make2(as_numeric(total), as_numeric(count)),
								 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

static Expr *
two_numerics(Oid function, Expr *one, Expr *other)
{
	return (Expr *) makeFuncExpr(function, get_func_rettype(function), list_make2(one, other),
								 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

static Expr *
numeric_constant(const char *text)
{
	Datum		value = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	return (Expr *) makeConst(NUMERICOID, -1, InvalidOid, -1, value, false, false);
}

/* CASE WHEN condition THEN result ELSE otherwise END */
static Expr *
choice(Expr *condition, Expr *result, Expr *otherwise)
{
	CaseExpr   *node = makeNode(CaseExpr);
	CaseWhen   *when = makeNode(CaseWhen);

	when->expr = condition;
	when->result = result;
	when->location = -1;
	node->casetype = NUMERICOID;
	node->args = list_make1(when);
	node->defresult = otherwise;
	node->location = -1;
	return (Expr *) node;
}

/* The sum of the squares of what the aggregate is called with, in a type with room for them. */
static Expr *
sum_of_squares(Split *split, Aggref *call, const Spread *spread)
{
	Aggref	   *sum = copyObject(call);
	TargetEntry *entry = linitial_node(TargetEntry, sum->args);
	bool		is_small = OidIsValid(spread->widen) && spread->wide == INT8OID;
	List	   *name = list_make2(makeString("pg_catalog"), makeString("*"));
	Expr	   *value = entry->expr;

	if (OidIsValid(spread->widen))
		value = (Expr *) makeFuncExpr(spread->widen, spread->wide, list_make1(value), InvalidOid,
									  InvalidOid, COERCE_IMPLICIT_CAST);
	entry->expr = make_opclause(OpernameGetOprid(name, spread->wide, spread->wide), spread->wide,
								false, value, copyObject(value), InvalidOid, InvalidOid);
	sum->aggfnoid = is_small ? F_SUM_INT8 : F_SUM_NUMERIC;
	sum->aggargtypes = list_make1_oid(spread->wide);
	sum->aggtype = NUMERICOID;
	sum->aggtranstype = InvalidOid;
	return (Expr *) column_of(split, (Expr *) sum);
}

/*
 * The square root with as many digits after the point as the number has.
 * sqrt() may give more; rounding those once more is too much where they end
 * in what was half a digit only after the first rounding.
 */
static Expr *
square_root(Expr *number)
{
	Expr	   *digits = (Expr *) makeFuncExpr(F_SCALE, INT4OID, list_make1(number), InvalidOid,
											   InvalidOid, COERCE_EXPLICIT_CALL);
	Expr	   *root = (Expr *) makeFuncExpr(F_SQRT_NUMERIC, NUMERICOID, list_make1(number),
											 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	Expr	   *rounded = two_numerics(F_ROUND_NUMERIC_INT4, root, digits);
	Expr	   *step = two_numerics(F_POWER_NUMERIC_NUMERIC, numeric_constant("10"),
									two_numerics(F_NUMERIC_SUB, numeric_constant("0"),
												 (Expr *) makeFuncExpr(F_NUMERIC_INT4, NUMERICOID,
																	   list_make1(digits), InvalidOid,
																	   InvalidOid, COERCE_IMPLICIT_CAST)));
	Expr	   *half = two_numerics(F_NUMERIC_SUB, rounded,
									two_numerics(F_NUMERIC_MUL, step, numeric_constant("0.5")));
	Expr	   *less = two_numerics(F_ROUND_NUMERIC_INT4, two_numerics(F_NUMERIC_SUB, rounded, step), digits);

	return choice(two_numerics(F_NUMERIC_LT, number, two_numerics(F_NUMERIC_MUL, half, half)), less, rounded);
}

/* A variance or a standard deviation, by the sums that PostgreSQL computes it from. */
static Node *
split_spread(Split *split, Aggref *call, const Spread *spread)
{
	Expr	   *count = as_numeric((Expr *) column_of(split, other_aggregate(call, F_COUNT_ANY, INT8OID)));
	Expr	   *sum = as_numeric((Expr *) column_of(split, other_aggregate(call, spread->sum,
																		   get_func_rettype(spread->sum))));
	Expr	   *squares = sum_of_squares(split, call, spread);
	Expr	   *difference = two_numerics(F_NUMERIC_SUB, two_numerics(F_NUMERIC_MUL, count, squares),
										  two_numerics(F_NUMERIC_MUL, sum, sum));
	Expr	   *fewer = two_numerics(F_NUMERIC_SUB, count, numeric_constant("1"));
	Expr	   *result = two_numerics(F_NUMERIC_DIV, difference,
									  two_numerics(F_NUMERIC_MUL, count, spread->sample ? fewer : count));

	if (spread->root)
		result = square_root(result);
	result = choice(two_numerics(F_NUMERIC_LE, difference, numeric_constant("0")), numeric_constant("0"),
					result);
	return (Node *) choice(two_numerics(F_NUMERIC_LE, count, numeric_constant(spread->sample ? "1" : "0")),
						   (Expr *) makeNullConst(NUMERICOID, -1, InvalidOid), result);
}

static const Spread *
spread_of(Aggref *call)
{
	if (call->aggdistinct != NIL || call->aggorder != NIL)
		return NULL;
	for (size_t i = 0; i < lengthof(spreads); i++)
		if (spreads[i].function == call->aggfnoid)
			return &spreads[i];
	return NULL;
}

/* The sum that an average of exact numbers is made of, and its type; InvalidOid for other aggregates. */
static Oid
sum_for(Oid average, Oid *type)
{
	*type = average == F_AVG_INT2 || average == F_AVG_INT4 ? INT8OID : NUMERICOID;
	switch (average)
	{
		case F_AVG_INT2:
			return F_SUM_INT2;
		case F_AVG_INT4:
			return F_SUM_INT4;
		case F_AVG_INT8:
			return F_SUM_INT8;
		case F_AVG_NUMERIC:
			return F_SUM_NUMERIC;
		default:
			return InvalidOid;
	}
}

static Node *
split_aggregate(Split *split, Aggref *call)
{
	const Spread *spread = spread_of(call);
	Oid			type;
	Oid			sum = sum_for(call->aggfnoid, &type);

	if (spread != NULL)
		return split_spread(split, call, spread);
	if (OidIsValid(sum))
		return split_average(split, call, sum, type);
	return (Node *) column_of(split, (Expr *) call);
}

/* Is there a quotient, average or variance in it, which the brain would name? */
static bool
is_finished(Node *node, void *context)
{
	Oid			type;

	if (node == NULL || IsA(node, SubLink) || IsA(node, WindowFunc))
		return false;
	if (IsA(node, Aggref))
		return spread_of((Aggref *) node) != NULL ||
			OidIsValid(sum_for(((Aggref *) node)->aggfnoid, &type));
	if (IsA(node, OpExpr) && get_opcode(((OpExpr *) node)->opno) == F_NUMERIC_DIV &&
		!IsA(lsecond(((OpExpr *) node)->args), Const))
		return true;
	return expression_tree_walker(node, is_finished, context);
}

/*
 * The targets, and whether HAVING, of which it is known without asking that
 * PostgreSQL finishes them.  There may be others.
 */
Bitmapset *
query_finished(Query *query, bool *having)
{
	Bitmapset  *result = NULL;
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);

		if (is_finished((Node *) entry->expr, NULL))
			result = bms_add_member(result, entry->resno);
	}
	*having = is_finished(query->havingQual, NULL);
	return result;
}

static Node *
split_expression(Node *node, void *context)
{
	Split	   *split = context;

	if (node == NULL)
		return NULL;
	if (tlist_member((Expr *) node, split->groups) != NULL && !IsA(node, Const))
		return (Node *) column_of(split, (Expr *) node);
	switch (nodeTag(node))
	{
		case T_Aggref:
			return split_aggregate(split, (Aggref *) node);
		case T_Var:
		case T_WindowFunc:
		case T_GroupingFunc:
		case T_SubLink:
			return (Node *) column_of(split, (Expr *) node);
		default:
			return expression_tree_mutator(node, split_expression, context);
	}
}

static bool
has_ref(List *clauses, Index ref)
{
	ListCell   *lc;

	foreach(lc, clauses)
		if (lfirst_node(SortGroupClause, lc)->tleSortGroupRef == ref)
			return true;
	return false;
}

static bool
is_window_key(Query *query, Index ref)
{
	ListCell   *lc;

	foreach(lc, query->windowClause)
	{
		WindowClause *window = lfirst_node(WindowClause, lc);

		if (has_ref(window->partitionClause, ref) || has_ref(window->orderClause, ref))
			return true;
	}
	return false;
}

/* Can the query be split there, and has sorting to move up with it? */
static bool
may_split(Query *query, Bitmapset *local, bool having, bool *move_up)
{
	ListCell   *lc;

	*move_up = having;
	if (query->setOperations != NULL)
		return false;
	/* Its HAVING alone makes it a query of one group. */
	if (having && !query->hasAggs && query->groupClause == NIL)
		return false;
	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);

		if (!bms_is_member(entry->resno, local) || entry->ressortgroupref == 0)
			continue;
		if (has_ref(query->groupClause, entry->ressortgroupref) ||
			is_window_key(query, entry->ressortgroupref))
			return false;
		*move_up = true;
	}
	/* Rows that differ in something else than what is delivered. */
	if (query->distinctClause != NIL)
		*move_up = true;
	return true;
}

/*
 * The targets that stay in DuckDB.  All of them can be asked for: which are
 * needed above is not known yet.
 */
static void
keep_targets(Split *split, List *targets, Bitmapset *local)
{
	ListCell   *lc;

	split->inner->targetList = NIL;
	foreach(lc, targets)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);

		if (bms_is_member(entry->resno, local))
			continue;
		entry = flatCopyTargetEntry(entry);
		entry->resno = list_length(split->inner->targetList) + 1;
		entry->resjunk = false;
		split->inner->targetList = lappend(split->inner->targetList, entry);
	}
}

static void
note_groups(Split *split, Query *query)
{
	ListCell   *lc;

	foreach(lc, query->groupClause)
		split->groups = lappend(split->groups,
								get_sortgroupclause_tle(lfirst(lc), query->targetList));
}

/*
 * The targets of the query around it.  Each is a column of the inner query or
 * is computed from such.
 */
static List *
outer_targets(Split *split, Query *query, Bitmapset *local, bool move_up)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);
		TargetEntry *outer;
		Expr	   *expression;

		if (entry->resjunk && !(move_up && has_ref(query->sortClause, entry->ressortgroupref)))
			continue;
		if (bms_is_member(entry->resno, local))
			expression = (Expr *) split_expression((Node *) entry->expr, split);
		else
			expression = (Expr *) column_of(split, entry->expr);
		outer = makeTargetEntry(expression, list_length(result) + 1, entry->resname, entry->resjunk);
		outer->ressortgroupref = move_up ? entry->ressortgroupref : 0;
		outer->resorigtbl = entry->resorigtbl;
		outer->resorigcol = entry->resorigcol;
		result = lappend(result, outer);
	}
	return result;
}

/*
 * Is there a constant among the targets?  In a subquery that is planned by
 * itself PostgreSQL computes nothing of it unless there is a row.
 */
static bool
has_constant(Query *around)
{
	ListCell   *lc;

	foreach(lc, around->targetList)
		if (!contain_var_clause((Node *) lfirst_node(TargetEntry, lc)->expr))
			return true;
	return false;
}

/*
 * Split a query: these of its targets, and HAVING, are finished by PostgreSQL.
 * Returns what DuckDB is to run, and in *outer the query around it, whose only
 * entry in FROM is still to be made; NULL if it cannot be split there.  The
 * query itself stays as it was.
 */
Query *
query_split(Query *query, Bitmapset *local, bool having, Query **outer)
{
	Split		split = {NULL, NIL};
	bool		move_up;
	Query	   *around = makeNode(Query);

	if (!may_split(query, local, having, &move_up))
		return NULL;
	if (move_up && (checkExprHasSubLink(query->limitCount) || checkExprHasSubLink(query->limitOffset)))
		return NULL;
	split.inner = makeNode(Query);
	memcpy(split.inner, query, sizeof(Query));
	note_groups(&split, query);
	keep_targets(&split, query->targetList, local);
	around->commandType = CMD_SELECT;
	around->targetList = outer_targets(&split, query, local, move_up);
	around->jointree = makeFromExpr(NIL, NULL);
	if (having)
	{
		around->jointree->quals = split_expression(query->havingQual, &split);
		split.inner->havingQual = NULL;
	}
	if (move_up)
	{
		around->distinctClause = query->distinctClause;
		around->hasDistinctOn = query->hasDistinctOn;
		around->sortClause = query->sortClause;
		around->limitCount = query->limitCount;
		around->limitOffset = query->limitOffset;
		around->limitOption = query->limitOption;
		split.inner->distinctClause = split.inner->sortClause = NIL;
		split.inner->hasDistinctOn = false;
		split.inner->limitCount = split.inner->limitOffset = NULL;
		split.inner->limitOption = LIMIT_OPTION_COUNT;
	}
	if (query_stays_apart(query) && has_constant(around))
		query_fence(around);
	*outer = around;
	return split.inner;
}
