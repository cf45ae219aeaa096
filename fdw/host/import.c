/*-------------------------------------------------------------------------
 *
 * import.c
 *	  IMPORT FOREIGN SCHEMA.
 *
 * The only commands that it may give are CREATE FOREIGN TABLE, which carry no
 * comments.  So comments are set when such a command of the import has run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "foreign/fdwapi.h"
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

#include "rvbbit.h"

/* the comments of the import that runs: JsonbContainer for each table */
static List *comments = NIL;

static ProcessUtility_hook_type next_utility = NULL;

static const char *
restriction_name(ImportForeignSchemaType type)
{
	switch (type)
	{
		case FDW_IMPORT_SCHEMA_LIMIT_TO:
			return "limit_to";
		case FDW_IMPORT_SCHEMA_EXCEPT:
			return "except";
		default:
			return "all";
	}
}

static void
write_tables(StringInfo buf, List *tables)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoString(buf, ",\"tables\":[");
	foreach(lc, tables)
	{
		appendStringInfoString(buf, separator);
		escape_json(buf, lfirst_node(RangeVar, lc)->relname);
		separator = ",";
	}
	appendStringInfoChar(buf, ']');
}

/* The definitions that the brain makes; PostgreSQL applies LIMIT TO once more. */
List *
rvbbit_import_schema(ImportForeignSchemaStmt *stmt, Oid server_oid)
{
	StringInfoData buf;
	Jsonb	   *reply;

	initStringInfo(&buf);
	request_begin(&buf, GetForeignServer(server_oid));
	request_string(&buf, "remote_schema", stmt->remote_schema);
	request_string(&buf, "local_schema", stmt->local_schema);
	request_string(&buf, "restriction", restriction_name(stmt->list_type));
	write_tables(&buf, stmt->table_list);
	request_options(&buf, "options", stmt->options);
	appendStringInfoChar(&buf, '}');
	reply = rvbbit_call("import_schema", buf.data);
	comments = reply_list(&reply->root, "comments");
	return reply_list(&reply->root, "commands");
}

static void
comment_columns(Oid relid, JsonbContainer *columns)
{
	JsonbIterator *iterator = JsonbIteratorInit(columns);
	JsonbValue	value;
	char	   *name = NULL;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			CreateComments(relid, RelationRelationId, get_attnum(relid, name),
						   pnstrdup(value.val.string.val, value.val.string.len));
	}
}

/* Set the comments of a table that the import has made. */
static void
comment_table(RangeVar *made)
{
	ListCell   *lc;

	foreach(lc, comments)
	{
		JsonbContainer *table = lfirst(lc);
		char	   *comment = reply_string(table, "comment");
		JsonbValue *columns = reply_get(table, "columns");
		Oid			relid;

		if (strcmp(reply_string(table, "table"), made->relname) != 0)
			continue;
		comments = foreach_delete_current(comments, lc);
		CommandCounterIncrement();
		relid = RangeVarGetRelid(made, NoLock, false);
		if (comment != NULL)
			CreateComments(relid, RelationRelationId, 0, comment);
		if (columns != NULL && columns->type == jbvBinary)
			comment_columns(relid, columns->val.binary.data);
		break;
	}
}

static void
run_utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
			ProcessUtilityContext context, ParamListInfo params,
			QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	ProcessUtility_hook_type run = next_utility ? next_utility : standard_ProcessUtility;

	run(pstmt, query, read_only_tree, context, params, environment, dest, completion);
}

/* The comments of an import end with it, also by an error. */
static void
run_import(PlannedStmt *pstmt, const char *query, bool read_only_tree,
		   ProcessUtilityContext context, ParamListInfo params,
		   QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	List	   *outer = comments;

	comments = NIL;
	PG_TRY();
	{
		run_utility(pstmt, query, read_only_tree, context, params, environment, dest, completion);
	}
	PG_FINALLY();
	{
		comments = outer;
	}
	PG_END_TRY();
}

static void
process_utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	Node	   *statement = pstmt->utilityStmt;

	if (IsA(statement, ImportForeignSchemaStmt))
		run_import(pstmt, query, read_only_tree, context, params, environment, dest, completion);
	else
		run_utility(pstmt, query, read_only_tree, context, params, environment, dest, completion);
	if (comments != NIL && context == PROCESS_UTILITY_SUBCOMMAND &&
		IsA(statement, CreateForeignTableStmt))
		comment_table(((CreateForeignTableStmt *) statement)->base.relation);
}

void
import_install_hook(void)
{
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
