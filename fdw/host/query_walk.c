/*-------------------------------------------------------------------------
 *
 * query_walk.c
 *	  Queries as JSON (PROTOCOL.md, "Query tree").
 *
 * Expressions are written by the walker of walk.c.  What only a query has in
 * its expressions (columns of several relations, aggregates, window functions,
 * subqueries) is a *leaf*: it is written into a list of its query, and the
 * expression has a column with its place in that list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

#include "query.h"
#include "rvbbit.h"
#include "walk.h"

typedef struct QueryWalk
{
	Walk		walk;
	Query	   *query;
	ParamListInfo bound;		/* values that this plan is made for */
	bool		has_joins;
	List	   *leaves;			/* char * */
	Bitmapset **used;			/* columns of each relation that are referred to */
	struct QueryWalk *outer;
} QueryWalk;

typedef struct Substitution
{
	ParamListInfo bound;
} Substitution;

static char *write_query(Query *query, ParamListInfo bound, Walk *outer, QueryWalk *around);

/* Begin a member of the object that is being written. */
static void
key(Walk *walk, const char *name)
{
	if (walk->buf.data[walk->buf.len - 1] != '{')
		appendStringInfoChar(&walk->buf, ',');
	escape_json(&walk->buf, name);
	appendStringInfoChar(&walk->buf, ':');
}

/* What is false, null or an empty list is left out: most members are, and each costs time to read. */
static void
write_flag(Walk *walk, const char *name, bool value)
{
	if (!value)
		return;
	key(walk, name);
	appendStringInfoString(&walk->buf, "true");
}

static void
write_number(Walk *walk, const char *name, int value)
{
	key(walk, name);
	appendStringInfo(&walk->buf, "%d", value);
}

/* Parameters whose values this plan is made for become constants. */
static Node *
substitute(Node *node, void *context)
{
	Substitution *given = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXTERN)
	{
		Param	   *param = (Param *) node;
		ParamExternData data;
		ParamExternData *value = NULL;
		int16		length;
		bool		by_value;

		if (param->paramid > 0 && param->paramid <= given->bound->numParams)
			value = given->bound->paramFetch != NULL ?
				given->bound->paramFetch(given->bound, param->paramid, true, &data) :
				&given->bound->params[param->paramid - 1];
		if (value == NULL || value->ptype != param->paramtype || !(value->pflags & PARAM_FLAG_CONST))
			return node;
		get_typlenbyval(param->paramtype, &length, &by_value);
		return (Node *) makeConst(param->paramtype, param->paramtypmod, param->paramcollid, length,
								  value->value, value->isnull, by_value);
	}
	if (IsA(node, Query))
		return node;			/* comes by itself */
	return expression_tree_mutator(node, substitute, context);
}

static Node *
with_values(QueryWalk *level, Node *node)
{
	Substitution given = {.bound = level->bound};

	return level->bound == NULL ? node : substitute(node, &given);
}

/* An expression of this level. */
static void
write_expression(QueryWalk *level, Node *node)
{
	if (level->has_joins)
		node = flatten_join_alias_vars(NULL, level->query, node);
	walk_node(&level->walk, with_values(level, node));
}

static void
write_optional(QueryWalk *level, const char *name, Node *node)
{
	if (node == NULL)
		return;
	key(&level->walk, name);
	write_expression(level, node);
}

static void
write_listed(QueryWalk *level, List *nodes)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoChar(&level->walk.buf, '[');
	foreach(lc, nodes)
	{
		appendStringInfoString(&level->walk.buf, separator);
		write_expression(level, lfirst(lc));
		separator = ",";
	}
	appendStringInfoChar(&level->walk.buf, ']');
}

static void
write_expressions(QueryWalk *level, const char *name, List *nodes)
{
	if (nodes == NIL)
		return;
	key(&level->walk, name);
	write_listed(level, nodes);
}

static void
write_strings(Walk *walk, List *values)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoChar(&walk->buf, '[');
	foreach(lc, values)
	{
		appendStringInfoString(&walk->buf, separator);
		escape_json(&walk->buf, strVal(lfirst(lc)));
		separator = ",";
	}
	appendStringInfoChar(&walk->buf, ']');
}

static void
write_operator_member(Walk *walk, const char *name, Oid operator)
{
	if (OidIsValid(operator))
		request_string(&walk->buf, name, operator_name(operator));
}

/* [{"ref": ..., "equality": ..., "order": ..., "nulls_first": ...}, ...] */
static void
write_sort_groups(Walk *walk, const char *name, List *clauses)
{
	const char *separator = "";
	ListCell   *lc;

	if (clauses == NIL)
		return;
	key(walk, name);
	appendStringInfoChar(&walk->buf, '[');
	foreach(lc, clauses)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, lc);

		appendStringInfo(&walk->buf, "%s{\"ref\":%u", separator, clause->tleSortGroupRef);
		write_operator_member(walk, "equality", clause->eqop);
		write_operator_member(walk, "order", clause->sortop);
		write_flag(walk, "nulls_first", clause->nulls_first);
		appendStringInfoChar(&walk->buf, '}');
		separator = ",";
	}
	appendStringInfoChar(&walk->buf, ']');
}

static void
write_targets(QueryWalk *level, List *targets)
{
	Walk	   *walk = &level->walk;
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoChar(&walk->buf, '[');
	foreach(lc, targets)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);

		appendStringInfo(&walk->buf, "%s{\"ref\":%u", separator, entry->ressortgroupref);
		write_flag(walk, "junk", entry->resjunk);
		request_string(&walk->buf, "name", entry->resname ? entry->resname : "");
		walk_type(walk, exprType((Node *) entry->expr), exprTypmod((Node *) entry->expr));
		walk_collation(walk, exprCollation((Node *) entry->expr));
		key(walk, "expression");
		write_expression(level, (Node *) entry->expr);
		appendStringInfoChar(&walk->buf, '}');
		separator = ",";
	}
	appendStringInfoChar(&walk->buf, ']');
}

/* Remember that a column is referred to, here or in a query around this one. */
static void
note_use(QueryWalk *level, Var *var)
{
	for (Index i = 0; i < var->varlevelsup && level != NULL; i++)
		level = level->outer;
	if (level != NULL && var->varattno > 0)
		level->used[var->varno - 1] = bms_add_member(level->used[var->varno - 1], var->varattno);
}

static void
write_variable(QueryWalk *level, Var *var)
{
	Walk	   *walk = &level->walk;

	note_use(level, var);
	request_string(&walk->buf, "leaf", "variable");
	write_number(walk, "level", var->varlevelsup);
	write_number(walk, "relation", var->varno - 1);
	write_number(walk, "number", var->varattno);
}

/* The collation that a function uses; "collation" is that of its result. */
static void
write_input_collation(Walk *walk, Oid collation)
{
	if (OidIsValid(collation))
		request_string(&walk->buf, "input_collation", collation_name(collation));
}

static void
write_aggregate(QueryWalk *level, Aggref *aggregate)
{
	Walk	   *walk = &level->walk;

	request_string(&walk->buf, "leaf", "aggregate");
	request_string(&walk->buf, "name", function_name(aggregate->aggfnoid));
	write_input_collation(walk, aggregate->inputcollid);
	write_expressions(level, "direct", aggregate->aggdirectargs);
	key(walk, "arguments");
	write_targets(level, aggregate->args);
	write_sort_groups(walk, "sort", aggregate->aggorder);
	write_sort_groups(walk, "distinct", aggregate->aggdistinct);
	write_optional(level, "filter", (Node *) aggregate->aggfilter);
	write_flag(walk, "variadic", aggregate->aggvariadic);
}

static void
write_window_function(QueryWalk *level, WindowFunc *function)
{
	Walk	   *walk = &level->walk;

	request_string(&walk->buf, "leaf", "window");
	request_string(&walk->buf, "name", function_name(function->winfnoid));
	write_input_collation(walk, function->inputcollid);
	write_number(walk, "window", function->winref);
	write_expressions(level, "arguments", function->args);
	write_optional(level, "filter", (Node *) function->aggfilter);
}

static void
write_integers(Walk *walk, List *values)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoChar(&walk->buf, '[');
	foreach(lc, values)
	{
		appendStringInfo(&walk->buf, "%s%d", separator, lfirst_int(lc));
		separator = ",";
	}
	appendStringInfoChar(&walk->buf, ']');
}

static const char *
sublink_kind(SubLink *link)
{
	switch (link->subLinkType)
	{
		case EXISTS_SUBLINK:
			return "exists";
		case ALL_SUBLINK:
			return "all";
		case ANY_SUBLINK:
			return "any";
		case EXPR_SUBLINK:
			return "scalar";
		case ARRAY_SUBLINK:
			return "array";
		default:
			return "other";
	}
}

/*
 * A query of which only counts whether it has rows, without the targets that
 * PostgreSQL does not compute either (simplify_EXISTS_query()).  With SELECT *
 * they would be all columns of its tables.
 */
static Query *
without_targets(Query *query)
{
	Query	   *result;
	ListCell   *lc;

	if (query->setOperations != NULL || query->hasAggs || query->groupingSets != NIL ||
		query->hasWindowFuncs || query->hasTargetSRFs || query->havingQual != NULL ||
		query->limitCount != NULL || query->limitOffset != NULL)
		return query;
	result = makeNode(Query);
	memcpy(result, query, sizeof(Query));
	result->targetList = NIL;
	foreach(lc, query->targetList)
		if (lfirst_node(TargetEntry, lc)->ressortgroupref != 0)
			result->targetList = lappend(result->targetList, lfirst(lc));
	return result;
}

static void
write_sublink(QueryWalk *level, SubLink *link)
{
	Walk	   *walk = &level->walk;
	Query	   *query = castNode(Query, link->subselect);

	if (link->subLinkType == EXISTS_SUBLINK)
		query = without_targets(query);
	request_string(&walk->buf, "leaf", "subquery");
	request_string(&walk->buf, "kind", sublink_kind(link));
	write_optional(level, "test", link->testexpr);
	key(walk, "query");
	appendStringInfoString(&walk->buf, write_query(query, level->bound, walk, level));
}

/* The members of a leaf; false if the node is none. */
static bool
write_leaf_members(QueryWalk *level, Node *node)
{
	Walk	   *walk = &level->walk;

	switch (nodeTag(node))
	{
		case T_Var:
			write_variable(level, (Var *) node);
			return ((Var *) node)->varattno > 0;
		case T_Aggref:
			write_aggregate(level, (Aggref *) node);
			return true;
		case T_WindowFunc:
			write_window_function(level, (WindowFunc *) node);
			return true;
		case T_GroupingFunc:
			request_string(&walk->buf, "leaf", "grouping");
			key(walk, "refs");
			write_integers(walk, ((GroupingFunc *) node)->refs);
			return true;
		case T_SubLink:
			write_sublink(level, (SubLink *) node);
			return true;
		case T_Param:
			if (((Param *) node)->paramkind != PARAM_SUBLINK)
				return false;
			request_string(&walk->buf, "leaf", "subquery_column");
			write_number(walk, "number", ((Param *) node)->paramid);
			return true;
		default:
			return false;
	}
}

/* A leaf goes into the list, a column that stands for it into the expression. */
static bool
write_leaf(Walk *walk, Node *node)
{
	QueryWalk  *level = walk->argument;
	StringInfoData expression = walk->buf;
	char	   *leaf;
	bool		written;

	initStringInfo(&walk->buf);
	appendStringInfoChar(&walk->buf, '{');
	written = write_leaf_members(level, node);
	if (!IsA(node, Var))
		walk_type(walk, exprType(node), exprTypmod(node));
	appendStringInfoChar(&walk->buf, '}');
	leaf = walk->buf.data;
	walk->buf = expression;
	if (!written)
		return false;
	appendStringInfo(&walk->buf, "{\"node\":\"column\",\"number\":%d", list_length(level->leaves));
	walk_type(walk, exprType(node), exprTypmod(node));
	walk_collation(walk, exprCollation(node));
	appendStringInfoChar(&walk->buf, '}');
	level->leaves = lappend(level->leaves, leaf);
	return true;
}

static WalkVar
no_column(Walk *walk, Var *var)
{
	(void) walk;
	(void) var;
	return WALK_OTHER;
}

static void
write_values(QueryWalk *level, RangeTblEntry *rte)
{
	const char *separator = "";
	ListCell   *lc;

	key(&level->walk, "rows");
	appendStringInfoChar(&level->walk.buf, '[');
	foreach(lc, rte->values_lists)
	{
		appendStringInfoString(&level->walk.buf, separator);
		write_listed(level, lfirst(lc));
		separator = ",";
	}
	appendStringInfoChar(&level->walk.buf, ']');
}

static List *
column_list(Bitmapset *used)
{
	List	   *result = NIL;
	int			column = -1;

	while ((column = bms_next_member(used, column)) >= 0)
		result = lappend_int(result, column);
	return result;
}

static void
write_relation(QueryWalk *level, RangeTblEntry *rte, Bitmapset *used, const char *subquery)
{
	Walk	   *walk = &level->walk;

	appendStringInfoChar(&walk->buf, '{');
	request_string(&walk->buf, "alias", rte->eref->aliasname);
	key(walk, "names");
	write_strings(walk, rte->eref->colnames);
	switch (rte->rtekind)
	{
		case RTE_RELATION:
			request_string(&walk->buf, "relation", "table");
			request_table_as(&walk->buf, query_session_table(rte), column_list(used), rte->relid);
			break;
		case RTE_SUBQUERY:
			request_string(&walk->buf, "relation", "subquery");
			write_flag(walk, "lateral", rte->lateral);
			key(walk, "query");
			appendStringInfoString(&walk->buf, subquery);
			break;
		case RTE_CTE:
			request_string(&walk->buf, "relation", "with");
			request_string(&walk->buf, "with", rte->ctename);
			write_number(walk, "level", rte->ctelevelsup);
			write_flag(walk, "self", rte->self_reference);
			break;
		case RTE_VALUES:
			request_string(&walk->buf, "relation", "values");
			write_values(level, rte);
			break;
		default:
			request_string(&walk->buf, "relation", "none");
			break;
	}
	appendStringInfoChar(&walk->buf, '}');
}

static const char *
join_name(JoinType type)
{
	switch (type)
	{
		case JOIN_INNER:
			return "inner";
		case JOIN_LEFT:
			return "left";
		case JOIN_FULL:
			return "full";
		case JOIN_RIGHT:
			return "right";
		default:
			return "other";
	}
}

static void
write_from_item(QueryWalk *level, Node *item)
{
	Walk	   *walk = &level->walk;

	check_stack_depth();
	if (IsA(item, RangeTblRef))
	{
		appendStringInfo(&walk->buf, "{\"relation\":%d}", ((RangeTblRef *) item)->rtindex - 1);
		return;
	}
	appendStringInfoChar(&walk->buf, '{');
	request_string(&walk->buf, "join", join_name(castNode(JoinExpr, item)->jointype));
	key(walk, "left");
	write_from_item(level, castNode(JoinExpr, item)->larg);
	key(walk, "right");
	write_from_item(level, castNode(JoinExpr, item)->rarg);
	write_optional(level, "on", castNode(JoinExpr, item)->quals);
	appendStringInfoChar(&walk->buf, '}');
}

static void
write_from(QueryWalk *level, List *items)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoChar(&level->walk.buf, '[');
	foreach(lc, items)
	{
		appendStringInfoString(&level->walk.buf, separator);
		write_from_item(level, lfirst(lc));
		separator = ",";
	}
	appendStringInfoChar(&level->walk.buf, ']');
}

/* Subqueries come first: a lateral one refers to columns of other relations. */
static void
write_relations(QueryWalk *level)
{
	char	  **subqueries = palloc0(sizeof(char *) * Max(list_length(level->query->rtable), 1));
	ListCell   *lc;

	foreach(lc, level->query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_SUBQUERY)
			subqueries[foreach_current_index(lc)] = write_query(rte->subquery, level->bound,
																&level->walk, level);
	}
	appendStringInfoChar(&level->walk.buf, '[');
	foreach(lc, level->query->rtable)
	{
		int			i = foreach_current_index(lc);

		appendStringInfoString(&level->walk.buf, i > 0 ? "," : "");
		write_relation(level, lfirst_node(RangeTblEntry, lc), level->used[i], subqueries[i]);
	}
	appendStringInfoChar(&level->walk.buf, ']');
}

static void
write_grouping_sets(Walk *walk, List *sets)
{
	static const char *const names[] = {
		[GROUPING_SET_EMPTY] = "empty", [GROUPING_SET_SIMPLE] = "simple",
		[GROUPING_SET_ROLLUP] = "rollup", [GROUPING_SET_CUBE] = "cube", [GROUPING_SET_SETS] = "sets"
	};
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoChar(&walk->buf, '[');
	foreach(lc, sets)
	{
		GroupingSet *set = lfirst_node(GroupingSet, lc);

		appendStringInfo(&walk->buf, "%s{\"set\":\"%s\",\"content\":", separator, names[set->kind]);
		if (set->kind == GROUPING_SET_SIMPLE)
			write_integers(walk, set->content);
		else
			write_grouping_sets(walk, set->content);
		appendStringInfoChar(&walk->buf, '}');
		separator = ",";
	}
	appendStringInfoChar(&walk->buf, ']');
}

static void
write_windows(QueryWalk *level)
{
	Walk	   *walk = &level->walk;
	const char *separator = "";
	ListCell   *lc;

	if (level->query->windowClause == NIL)
		return;
	key(walk, "windows");
	appendStringInfoChar(&walk->buf, '[');
	foreach(lc, level->query->windowClause)
	{
		WindowClause *window = lfirst_node(WindowClause, lc);

		appendStringInfo(&walk->buf, "%s{\"window\":%u,\"frame\":%d", separator,
						 window->winref, window->frameOptions);
		write_sort_groups(walk, "partition", window->partitionClause);
		write_sort_groups(walk, "sort", window->orderClause);
		write_optional(level, "start", window->startOffset);
		write_optional(level, "end", window->endOffset);
		appendStringInfoChar(&walk->buf, '}');
		separator = ",";
	}
	appendStringInfoChar(&walk->buf, ']');
}

static void
write_set_operation(Walk *walk, Node *node)
{
	static const char *const names[] = {
		[SETOP_NONE] = "none", [SETOP_UNION] = "union", [SETOP_INTERSECT] = "intersect",
		[SETOP_EXCEPT] = "except"
	};
	SetOperationStmt *operation;

	check_stack_depth();
	if (IsA(node, RangeTblRef))
	{
		appendStringInfo(&walk->buf, "{\"relation\":%d}", ((RangeTblRef *) node)->rtindex - 1);
		return;
	}
	operation = castNode(SetOperationStmt, node);
	appendStringInfo(&walk->buf, "{\"operation\":\"%s\"", names[operation->op]);
	write_flag(walk, "all", operation->all);
	write_sort_groups(walk, "group", operation->groupClauses);
	key(walk, "left");
	write_set_operation(walk, operation->larg);
	key(walk, "right");
	write_set_operation(walk, operation->rarg);
	appendStringInfoChar(&walk->buf, '}');
}

static void
write_with(QueryWalk *level)
{
	Walk	   *walk = &level->walk;
	const char *separator = "";
	ListCell   *lc;

	if (level->query->cteList == NIL)
		return;
	key(walk, "with");
	appendStringInfoChar(&walk->buf, '[');
	foreach(lc, level->query->cteList)
	{
		CommonTableExpr *with = lfirst_node(CommonTableExpr, lc);

		appendStringInfo(&walk->buf, "%s{\"recursive\":%s", separator,
						 with->cterecursive ? "true" : "false");
		request_string(&walk->buf, "name", with->ctename);
		write_flag(walk, "materialized", with->ctematerialized == CTEMaterializeAlways);
		write_flag(walk, "search", with->search_clause != NULL || with->cycle_clause != NULL);
		key(walk, "names");
		write_strings(walk, with->ctecolnames);
		key(walk, "query");
		appendStringInfoString(&walk->buf,
							   write_query(castNode(Query, with->ctequery), level->bound, walk, level));
		appendStringInfoChar(&walk->buf, '}');
		separator = ",";
	}
	appendStringInfoChar(&walk->buf, ']');
}

static void
write_clauses(QueryWalk *level)
{
	Walk	   *walk = &level->walk;
	Query	   *query = level->query;

	key(walk, "from");
	write_from(level, query->jointree->fromlist);
	write_optional(level, "where", query_ordered_where(query, with_values(level, query->jointree->quals)));
	key(walk, "targets");
	write_targets(level, query->targetList);
	write_sort_groups(walk, "group", query->groupClause);
	write_flag(walk, "group_distinct", query->groupDistinct);
	if (query->groupingSets != NIL)
	{
		key(walk, "grouping_sets");
		write_grouping_sets(walk, query->groupingSets);
	}
	write_flag(walk, "aggregates", query->hasAggs);
	write_optional(level, "having", query->havingQual);
	write_windows(level);
	write_sort_groups(walk, "distinct", query->distinctClause);
	write_flag(walk, "distinct_on", query->hasDistinctOn);
	write_sort_groups(walk, "sort", query->sortClause);
	write_optional(level, "limit", query->limitCount);
	write_flag(walk, "with_ties", query->limitOption == LIMIT_OPTION_WITH_TIES);
	write_optional(level, "offset", query->limitOffset);
}

static bool
has_joins(Query *query)
{
	ListCell   *lc;

	foreach(lc, query->rtable)
		if (lfirst_node(RangeTblEntry, lc)->rtekind == RTE_JOIN)
			return true;
	return false;
}

/* One query; parameters are numbered through all levels. */
static char *
write_query(Query *query, ParamListInfo bound, Walk *outer, QueryWalk *around)
{
	QueryWalk	level = {.query = query, .bound = bound, .has_joins = has_joins(query)};
	Walk	   *walk = &level.walk;
	const char *separator = "";
	ListCell   *lc;

	check_stack_depth();
	level.outer = around;
	level.used = palloc0(sizeof(Bitmapset *) * Max(list_length(query->rtable), 1));
	walk->classify = no_column;
	walk->write_unknown = write_leaf;
	walk->argument = &level;
	walk_begin(walk);
	if (outer != NULL)
		walk->parameters = outer->parameters;
	appendStringInfoChar(&walk->buf, '{');
	write_with(&level);
	write_clauses(&level);
	/* Last, when it is known which of their columns the query needs. */
	key(walk, "relations");
	write_relations(&level);
	if (query->setOperations != NULL)
	{
		key(walk, "set_operation");
		write_set_operation(walk, query->setOperations);
	}
	key(walk, "leaves");
	appendStringInfoChar(&walk->buf, '[');
	foreach(lc, level.leaves)
	{
		appendStringInfo(&walk->buf, "%s%s", separator, (char *) lfirst(lc));
		separator = ",";
	}
	appendStringInfoString(&walk->buf, "]}");
	if (outer != NULL)
		outer->parameters = walk->parameters;
	return walk->buf.data;
}

/*
 * A query as a JSON object.  *parameters becomes the list of the expressions
 * that are to be computed when it starts.
 */
char *
walk_query(Query *query, ParamListInfo bound, List **parameters)
{
	Walk		all = {0};
	int			nestlevel = fixed_output_begin();
	char	   *tree = write_query(query, bound, &all, NULL);

	fixed_output_end(nestlevel);
	*parameters = all.parameters;
	return tree;
}
