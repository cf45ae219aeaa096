/*-------------------------------------------------------------------------
 *
 * query.c
 *	  The planner's hooks: marking what DuckDB can run as a whole.
 *
 * A query is looked at before PostgreSQL plans it.  What can be one query of
 * DuckDB becomes (or stays) a subquery in FROM that carries a mark; OFFSET 0
 * keeps the planner from taking it apart.  The mark is kept in a field of the
 * range-table entry that has no meaning for subqueries, is copied with it,
 * and is gone from the finished plan: so nothing has to be remembered or
 * cleaned up, and planning may be re-entered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"

#include "query.h"
#include "rvbbit.h"

#define MARK_NAME "rvbbit query"
#define REASON_NAME "rvbbit reason"
#define INSIDE_NAME "rvbbit inside"
#define ALONE_NAME "rvbbit alone"

typedef struct Marking
{
	ParamListInfo bound;
} Marking;

/* A query of which DuckDB runs this part, and PostgreSQL what is around it. */
typedef struct Part
{
	Query	   *query;
	Query	   *around;			/* NULL: nothing */
	List	   *mark;
} Part;

/* What the brain says of a query, and what it was asked. */
typedef struct Answer
{
	char	   *tree;
	List	   *parameters;
	Oid			server;
	Jsonb	   *reply;
} Answer;

static planner_hook_type previous_planner = NULL;
static set_rel_pathlist_hook_type previous_pathlist = NULL;

static void look_into(Query *query, Marking *marking);

static Node *
note_of(RangeTblEntry *rte, RTEKind kind, const char *name)
{
	DefElem    *note;

	if (rte->rtekind != kind || rte->functions == NIL)
		return NULL;
	note = linitial(rte->functions);
	return IsA(note, DefElem) && strcmp(note->defname, name) == 0 ? note->arg : NULL;
}

/* The mark of a subquery in FROM; NIL if it has none. */
List *
query_mark_of(RangeTblEntry *rte)
{
	return (List *) note_of(rte, RTE_SUBQUERY, MARK_NAME);
}

/* Why the query that reads a table is not run by DuckDB; empty if that was never a question. */
char *
query_reason_of(RangeTblEntry *rte)
{
	Node	   *reason = note_of(rte, RTE_RELATION, REASON_NAME);

	return reason == NULL ? "" : strVal(reason);
}

/*
 * Is the table one of a marked query?  Its scan only stands by, so it is not
 * worth much planning.
 */
bool
query_is_inside(RangeTblEntry *rte)
{
	return note_of(rte, RTE_RELATION, INSIDE_NAME) != NULL;
}

/*
 * Is there nothing around the subquery but what we made: a statement of which
 * DuckDB runs all, or all but what PostgreSQL finishes?
 */
bool
query_is_alone(Query *around, RangeTblEntry *rte)
{
	return list_length(around->rtable) == 1 && list_length(rte->functions) == 2 &&
		strcmp(lsecond_node(DefElem, rte->functions)->defname, ALONE_NAME) == 0;
}

static bool
note_inside(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		if (rte->rtekind == RTE_RELATION)
			rte->functions = list_make1(makeDefElem(INSIDE_NAME, (Node *) makeBoolean(true), -1));
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, note_inside, context,
								 QTW_EXAMINE_RTES_BEFORE | QTW_IGNORE_JOINALIASES);
	return expression_tree_walker(node, note_inside, context);
}

/* Leave a note on the session tables of a query, for EXPLAIN. */
static void
note_reason(Query *query, const char *reason)
{
	ListCell   *lc;

	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (OidIsValid(query_session_table(rte)))
			rte->functions = list_make1(makeDefElem(REASON_NAME,
													(Node *) makeString(pstrdup(reason)), -1));
	}
}

/* Keep a subquery apart, if nothing does: OFFSET 0. */
void
query_fence(Query *query)
{
	if (query->limitOffset == NULL && query->limitCount == NULL)
		query->limitOffset = (Node *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
												Int64GetDatum(0), false, FLOAT8PASSBYVAL);
}

static void
set_mark(RangeTblEntry *rte, List *mark)
{
	Query	   *query = rte->subquery;

	(void) note_inside((Node *) query, NULL);
	rte->functions = list_make1(makeDefElem(MARK_NAME, (Node *) mark, -1));
	query_fence(query);
}

/*
 * Ask the brain for the DuckDB query; the reply has its SQL, or what it lacks.
 * With quotients: also those that DuckDB may not have room for.
 */
static void
ask_brain(Query *query, Oid server, Marking *marking, bool quotients, Answer *answer)
{
	StringInfoData buf;

	answer->parameters = NIL;
	answer->tree = walk_query(query, marking->bound, &answer->parameters);
	answer->server = server;
	initStringInfo(&buf);
	request_begin(&buf, GetForeignServer(server));
	appendStringInfo(&buf, ",\"quotients\":%s,\"float_aggregates\":%s}\n%s",
					 quotients ? "true" : "false", rvbbit_float_aggregates ? "true" : "false",
					 answer->tree);
	answer->reply = rvbbit_call("plan_query", buf.data);
}

/* The mark for the SQL of the answer; NIL if it has none. */
static List *
mark_by(Answer *answer)
{
	char	   *sql = reply_string(&answer->reply->root, "sql");

	if (sql == NULL)
		return NIL;
	return list_make4(makeString(answer->tree), answer->parameters, list_make1_oid(answer->server),
					  makeString(sql));
}

/* The mark for all of a query with its quotients, if that is more than was asked for before; or NIL. */
static List *
mark_with_quotients(Query *query, Answer *before, Marking *marking)
{
	Answer		answer;

	if (!reply_bool(&before->reply->root, "has_quotients"))
		return NIL;
	ask_brain(query, before->server, marking, true, &answer);
	return mark_by(&answer);
}

/* Have PostgreSQL finish these targets, or HAVING; false if that is not enough. */
static bool
try_split(Query *query, Bitmapset *local, bool having, Oid server, Marking *marking,
		  Answer *answer, Part *part)
{
	if (local == NULL && !having)
		return false;
	part->query = query_split(query, local, having, &part->around);
	if (part->query == NULL)
		return false;
	ask_brain(part->query, server, marking, false, answer);
	part->mark = mark_by(answer);
	return part->mark != NIL;
}

/* Have PostgreSQL finish what is known to be its own, so that the brain is asked only once. */
static bool
try_known_split(Query *query, Oid server, Marking *marking, Part *part)
{
	bool		having;
	Bitmapset  *local = query_finished(query, &having);
	Answer		answer;

	return try_split(query, local, having, server, marking, &answer, part);
}

/* Have PostgreSQL finish what the brain names. */
static bool
try_named_split(Query *query, Marking *marking, Answer *whole, Part *part)
{
	JsonbContainer *reply = &whole->reply->root;
	Answer		answer = {.reply = NULL};
	Bitmapset  *local = NULL;
	ListCell   *lc;

	foreach(lc, reply_list(reply, "finish"))
		local = bms_add_member(local, pg_strtoint32(lfirst(lc)));
	if (try_split(query, local, reply_bool(reply, "finish_having"), whole->server, marking, &answer, part))
		return true;
	if (answer.reply != NULL)
		part->mark = mark_with_quotients(part->query, &answer, marking);
	return answer.reply != NULL && part->mark != NIL;
}

/* All of the query for DuckDB; false if there is no mark for it. */
static bool
take_whole(Query *query, List *mark, Part *part)
{
	part->query = query;
	part->around = NULL;
	part->mark = mark;
	return mark != NIL;
}

/* What of the query DuckDB can run, all of it but the finish; false if nothing. */
static bool
try_query(Query *query, Marking *marking, Part *part)
{
	Oid			server;
	Answer		answer;
	const char *reason;

	if (!query_gains(query))
		return false;
	reason = query_refusal(query, &server);
	if (reason == NULL)
	{
		if (try_known_split(query, server, marking, part))
			return true;
		ask_brain(query, server, marking, false, &answer);
		if (take_whole(query, mark_by(&answer), part) ||
			try_named_split(query, marking, &answer, part) ||
			take_whole(query, mark_with_quotients(query, &answer, marking), part))
			return true;
		reason = reply_string(&answer.reply->root, "reason");
	}
	note_reason(query, reason ? reason : "unknown");
	return false;
}

/*
 * The mark of a query of which DuckDB is to run all; NIL if it cannot, or if
 * its WHERE can fail: a row that PostgreSQL would have left out before, or
 * never come to, must not end the query.
 */
List *
query_mark_for(Query *query, Oid server, ParamListInfo bound)
{
	Marking		marking = {.bound = bound};
	Answer		answer;

	ask_brain(query, server, &marking, false, &answer);
	return reply_bool(&answer.reply->root, "fallible") ? NIL : mark_by(&answer);
}

/* SELECT * FROM (query), of which the FROM is still to be made */
Query *
query_select_all(Query *query)
{
	Query	   *around = makeNode(Query);
	ListCell   *lc;

	around->commandType = CMD_SELECT;
	around->jointree = makeFromExpr(NIL, NULL);
	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);
		TargetEntry *outer;

		if (entry->resjunk)
			continue;
		outer = makeTargetEntry((Expr *) makeVarFromTargetEntry(1, entry),
								list_length(around->targetList) + 1,
								entry->resname ? pstrdup(entry->resname) : NULL, false);
		outer->resorigtbl = entry->resorigtbl;
		outer->resorigcol = entry->resorigcol;
		around->targetList = lappend(around->targetList, outer);
	}
	return around;
}

static RangeTblEntry *
entry_of(Query *query)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);

		if (!entry->resjunk)
			names = lappend(names, makeString(pstrdup(entry->resname ? entry->resname : "?column?")));
	}
	rte->rtekind = RTE_SUBQUERY;
	rte->subquery = query;
	rte->eref = makeAlias("rvbbit", names);
	rte->inFromCl = true;
	return rte;
}

/* Make the query the only one in FROM of the one around it; returns its entry. */
RangeTblEntry *
query_put_around(Query *around, Query *query)
{
	RangeTblRef *reference = makeNode(RangeTblRef);
	RangeTblEntry *rte = entry_of(query);

	reference->rtindex = 1;
	around->jointree->fromlist = list_make1(reference);
	around->rtable = list_make1(rte);
	return rte;
}

/*
 * The query around the part that DuckDB runs.  It takes over what the
 * statement is known by.
 */
static Query *
wrap(Part *part)
{
	Query	   *query = part->query;
	Query	   *around = part->around != NULL ? part->around : query_select_all(query);
	RangeTblEntry *rte;

	around->querySource = query->querySource;
	around->queryId = query->queryId;
	around->canSetTag = query->canSetTag;
	around->stmt_location = query->stmt_location;
	around->stmt_len = query->stmt_len;
	around->isReturn = query->isReturn;
	query->isReturn = false;
	rte = query_put_around(around, query);
	set_mark(rte, part->mark);
	rte->functions = lappend(rte->functions, makeDefElem(ALONE_NAME, NULL, -1));
	return around;
}

/* The query as it is to be planned: marked as a whole, or in its parts. */
static Query *
mark_query(Query *query, Marking *marking)
{
	Part		part;

	if (try_query(query, marking, &part))
		return wrap(&part);
	look_into(query, marking);
	return query;
}

static void
mark_in_from(RangeTblEntry *rte, Marking *marking)
{
	Part		part;

	if (!try_query(rte->subquery, marking, &part))
		look_into(rte->subquery, marking);
	else if (part.around != NULL)
		rte->subquery = wrap(&part);
	else
		set_mark(rte, part.mark);
}

static bool
mark_sublinks(Node *node, void *marking)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubLink))
	{
		SubLink    *link = (SubLink *) node;

		if (link->subLinkType != MULTIEXPR_SUBLINK)
			link->subselect = (Node *) mark_query((Query *) link->subselect, marking);
		return mark_sublinks(link->testexpr, marking);
	}
	if (IsA(node, Query))
		return false;			/* reached by other ways */
	return expression_tree_walker(node, mark_sublinks, marking);
}

/*
 * Look at the parts of a query that PostgreSQL plans.  Rows of a marked part
 * cannot be found again by a lock or an update, so where these may happen the
 * subqueries in FROM stay as they are.
 */
static void
look_into(Query *query, Marking *marking)
{
	bool		keep_from = query->rowMarks != NIL ||
		(query->commandType != CMD_SELECT && query->commandType != CMD_INSERT);
	ListCell   *lc;

	if (query->commandType == CMD_UTILITY)
		return;
	check_stack_depth();
	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind != RTE_SUBQUERY || rte->security_barrier)
			continue;
		if (query->setOperations != NULL)
			rte->subquery = mark_query(rte->subquery, marking);
		else if (!keep_from)
			mark_in_from(rte, marking);
	}
	foreach(lc, query->cteList)
	{
		CommonTableExpr *cte = lfirst_node(CommonTableExpr, lc);

		if (!cte->cterecursive && castNode(Query, cte->ctequery)->commandType == CMD_SELECT)
			cte->ctequery = (Node *) mark_query(castNode(Query, cte->ctequery), marking);
	}
	(void) query_tree_walker(query, mark_sublinks, marking,
							 QTW_IGNORE_RC_SUBQUERIES | QTW_IGNORE_JOINALIASES);
}

static PlannedStmt *
plan_statement(Query *query, const char *text, int options, ParamListInfo bound)
{
	Marking		marking = {.bound = bound};

	/* DuckDB's texts are UTF-8, and so is what it compares them with. */
	if (rvbbit_pushdown == RVBBIT_PUSHDOWN_FULL && GetDatabaseEncoding() == PG_UTF8 &&
		query_reads_sessions(query))
		query = mark_query(query, &marking);
	if (previous_planner != NULL)
		return previous_planner(query, text, options, bound);
	return standard_planner(query, text, options, bound);
}

static void
choose_paths(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	if (previous_pathlist != NULL)
		previous_pathlist(root, rel, rti, rte);
	if (query_mark_of(rte) != NIL)
		query_add_path(root, rel, rti, rte);
}

void
query_install_hooks(void)
{
	previous_planner = planner_hook;
	planner_hook = plan_statement;
	RegisterCustomScanMethods(&query_scan_methods);
	previous_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = choose_paths;
}
