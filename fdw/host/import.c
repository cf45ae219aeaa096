/*-------------------------------------------------------------------------
 *
 * import.c
 *	  IMPORT FOREIGN SCHEMA.
 *
 * The only commands that it may give are CREATE FOREIGN TABLE, which carry no
 * comments.  Those are made by an event trigger of the extension rvbbit, which
 * cannot see the options of the command, but settings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "foreign/fdwapi.h"
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "utils/guc.h"
#include "utils/json.h"

#include "rvbbit.h"

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
	(void) set_config_option("rvbbit.import_comments",
							 reply_bool(&reply->root, "comments") ? "on" : "off",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	return reply_list(&reply->root, "commands");
}
