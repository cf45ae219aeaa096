/*-------------------------------------------------------------------------
 *
 * query_check.c
 *	  Which queries DuckDB could run, by their structure alone.
 *
 * A query that is refused here is planned by PostgreSQL; its parts are then
 * looked at by themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "query.h"
#include "rvbbit.h"

typedef struct Check
{
	Index		depth;			/* queries that enclose the node, from the one checked */
	Oid			server;			/* of the tables met so far */
	const char *refusal;
} Check;

static bool check_node(Node *node, Check *check);

/*
 * The foreign table that is the only partition of a partitioned table, locked
 * as the planner will lock it; InvalidOid if there is none.  The lock on its
 * parent keeps it from being dropped before.  It must be the default: of any
 * other PostgreSQL believes that its rows are within its bounds, and leaves it
 * out where a condition is not.
 */
static Oid
only_partition(RangeTblEntry *rte)
{
	Relation	parent = table_open(rte->relid, NoLock);
	PartitionDesc partitions = RelationGetPartitionDesc(parent, true);
	Oid			result = InvalidOid;

	if (partitions->nparts == 1 && partition_bound_has_default(partitions->boundinfo) &&
		partitions->is_leaf[0] &&
		get_rel_relkind(partitions->oids[0]) == RELKIND_FOREIGN_TABLE)
		result = partitions->oids[0];
	table_close(parent, NoLock);
	if (OidIsValid(result))
		LockRelationOid(result, rte->rellockmode);
	return result;
}

/*
 * The foreign table of a session whose rows are those of this relation: the
 * relation itself, or its only partition.  InvalidOid if there is none.
 */
Oid
query_session_table(RangeTblEntry *rte)
{
	Oid			table = InvalidOid;

	if (rte->rtekind != RTE_RELATION)
		return InvalidOid;
	if (rte->relkind == RELKIND_FOREIGN_TABLE)
		table = rte->relid;
	else if (rte->relkind == RELKIND_PARTITIONED_TABLE && rte->inh)
		table = only_partition(rte);
	if (!OidIsValid(table) ||
		GetFdwRoutineByRelId(table)->ImportForeignSchema != rvbbit_import_schema ||
		option_value(GetForeignTable(table)->options, "session") == NULL)
		return InvalidOid;
	return table;
}

static bool
find_session_table(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
		return OidIsValid(query_session_table((RangeTblEntry *) node));
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, find_session_table, context,
								 QTW_EXAMINE_RTES_BEFORE | QTW_IGNORE_JOINALIASES);
	return expression_tree_walker(node, find_session_table, context);
}

/* Is there a table of a session anywhere in the query? */
bool
query_reads_sessions(Query *query)
{
	return find_session_table((Node *) query, NULL);
}

static bool
refuse(Check *check, const char *reason)
{
	check->refusal = reason;
	return true;
}

static bool
check_table(RangeTblEntry *rte, Check *check)
{
	Oid			table = query_session_table(rte);
	Oid			server;

	if (!OidIsValid(table))
		return refuse(check, psprintf("\"%s\" is not a table of a session", rte->eref->aliasname));
	if (rte->tablesample != NULL)
		return refuse(check, "TABLESAMPLE");
	if (table == rte->relid && rte->inh && has_subclass(table))
		return refuse(check, psprintf("\"%s\" has child tables", rte->eref->aliasname));
	server = GetForeignTable(table)->serverid;
	if (OidIsValid(check->server) && check->server != server)
		return refuse(check, "its tables belong to different servers");
	check->server = server;
	return false;
}

static bool
check_rte(RangeTblEntry *rte, Check *check)
{
	if (rte->securityQuals != NIL || rte->security_barrier)
		return refuse(check, "a security barrier or policy");
	switch (rte->rtekind)
	{
		case RTE_RELATION:
			return check_table(rte, check);
		case RTE_SUBQUERY:
			return false;
		case RTE_CTE:
			return rte->ctelevelsup >= check->depth ? refuse(check, "a WITH query of an outer query") : false;
		case RTE_VALUES:
			return rte->lateral ? refuse(check, "LATERAL") : false;
		case RTE_JOIN:
		case RTE_RESULT:
			return false;
		default:
			return refuse(check, "a function in FROM");
	}
}

static bool
check_query(Query *query, Check *check)
{
	bool		refused;

	if (query->commandType != CMD_SELECT)
		return refuse(check, "not a SELECT");
	if (query->rowMarks != NIL || query->hasForUpdate)
		return refuse(check, "row locks");
	if (query->hasModifyingCTE)
		return refuse(check, "a data-modifying WITH query");
	if (query->hasTargetSRFs)
		return refuse(check, "a set-returning function");
	check_stack_depth();
	check->depth++;
	refused = query_tree_walker(query, check_node, check,
								QTW_EXAMINE_RTES_BEFORE | QTW_IGNORE_JOINALIASES);
	check->depth--;
	return refused;
}

static bool
check_var(Var *var, Check *check)
{
	if (var->varlevelsup >= check->depth)
		return refuse(check, "a reference to an outer query");
	if (var->varattno <= 0)
		return refuse(check, var->varattno == 0 ? "a whole-row reference" : "a system column");
	return false;
}

static bool
check_node(Node *node, Check *check)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Query:
			return check_query((Query *) node, check);
		case T_RangeTblEntry:
			return check_rte((RangeTblEntry *) node, check);
		case T_Var:
			return check_var((Var *) node, check);
		case T_Param:
			if (((Param *) node)->paramkind == PARAM_EXTERN || ((Param *) node)->paramkind == PARAM_SUBLINK)
				return false;
			return refuse(check, "a value of an outer plan");
		case T_CommonTableExpr:
			/* It is not even planned, so a constant in it raises no error. */
			if (((CommonTableExpr *) node)->cterefcount == 0)
				return refuse(check, "a WITH query that nothing reads");
			break;
		case T_Aggref:
			if (((Aggref *) node)->agglevelsup > 0)
				return refuse(check, "an aggregate of an outer query");
			break;
		case T_GroupingFunc:
			if (((GroupingFunc *) node)->agglevelsup > 0)
				return refuse(check, "an aggregate of an outer query");
			break;
		default:
			break;
	}
	return expression_tree_walker(node, check_node, check);
}

/*
 * Why the structure of a query forbids that DuckDB runs it; NULL, and the
 * server of its tables, if nothing does.
 */
const char *
query_refusal(Query *query, Oid *server)
{
	Check		check = {.depth = 0};

	if (check_node((Node *) query, &check))
		return check.refusal;
	if (!OidIsValid(check.server))
		return "no table of a session";
	if (contain_volatile_functions((Node *) query))
		return "a volatile function";
	*server = check.server;
	return NULL;
}

/* Does PostgreSQL plan the query by itself where it is a subquery in FROM? */
bool
query_stays_apart(Query *query)
{
	return query->hasAggs || query->hasWindowFuncs || query->groupClause != NIL ||
		query->groupingSets != NIL || query->havingQual != NULL || query->distinctClause != NIL ||
		query->sortClause != NIL || query->cteList != NIL || query->limitCount != NULL ||
		query->limitOffset != NULL || query->setOperations != NULL;
}

/* Does DuckDB have more to do in it than reading and filtering one table? */
bool
query_gains(Query *query)
{
	return query_stays_apart(query) || query->hasSubLinks || list_length(query->rtable) > 1;
}
