/*-------------------------------------------------------------------------
 *
 * request.c
 *	  The parts of a request that many operations share, written as JSON.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_authid.h"
#include "commands/defrem.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "rvbbit.h"

/* "key": "value"; a comma precedes it unless it is the object's first. */
void
request_string(StringInfo buf, const char *key, const char *value)
{
	if (buf->len > 0 && buf->data[buf->len - 1] != '{')
		appendStringInfoChar(buf, ',');
	escape_json(buf, key);
	appendStringInfoChar(buf, ':');
	escape_json(buf, value);
}

/* "key": {"option": "value", ...} of a list of DefElem */
void
request_options(StringInfo buf, const char *key, List *options)
{
	ListCell   *lc;

	if (buf->len > 0 && buf->data[buf->len - 1] != '{')
		appendStringInfoChar(buf, ',');
	escape_json(buf, key);
	appendStringInfoString(buf, ":{");
	foreach(lc, options)
	{
		DefElem    *option = lfirst_node(DefElem, lc);

		request_string(buf, option->defname, defGetString(option));
	}
	appendStringInfoChar(buf, '}');
}

/* Open the request's object: version, server and settings. */
void
request_begin(StringInfo buf, ForeignServer *server)
{
	appendStringInfoString(buf, "{\"version\":1");
	if (server != NULL)
	{
		appendStringInfoString(buf, ",\"server\":{");
		request_string(buf, "name", server->servername);
		request_options(buf, "options", server->options);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfo(buf, ",\"settings\":{\"memory_limit\":\"%dkB\",\"temp_limit\":\"%dkB\","
					 "\"snapshot_limit\":\"%dMB\",\"threads\":%d",
					 rvbbit_memory_limit, rvbbit_temp_limit, rvbbit_snapshot_limit, rvbbit_threads);
	request_string(buf, "data_directory", DataDir);
	appendStringInfoChar(buf, '}');
}

static void
write_column(StringInfo buf, Oid relid, Form_pg_attribute attribute)
{
	appendStringInfo(buf, "{\"number\":%d", attribute->attnum);
	request_string(buf, "name", NameStr(attribute->attname));
	request_string(buf, "type", type_name(attribute->atttypid));
	appendStringInfo(buf, ",\"typmod\":%d", attribute->atttypmod);
	request_options(buf, "options", GetForeignColumnOptions(relid, attribute->attnum));
	appendStringInfoChar(buf, '}');
}

/* "table": its name, options and live columns; the caller has it locked. */
void
request_table(StringInfo buf, Oid relid)
{
	Relation	relation = table_open(relid, NoLock);
	TupleDesc	tupdesc = RelationGetDescr(relation);
	const char *separator = "";

	appendStringInfoString(buf, ",\"table\":{");
	request_string(buf, "schema", get_namespace_name(RelationGetNamespace(relation)));
	request_string(buf, "name", RelationGetRelationName(relation));
	request_options(buf, "options", GetForeignTable(relid)->options);
	appendStringInfoString(buf, ",\"columns\":[");
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (attribute->attisdropped)
			continue;
		appendStringInfoString(buf, separator);
		write_column(buf, relid, attribute);
		separator = ",";
	}
	appendStringInfoString(buf, "]}");
	table_close(relation, NoLock);
}

/*
 * "parameters": the values of expressions (ExprState).  They are computed under
 * the session's settings, as in any other plan, and only written under fixed
 * ones.
 */
void
request_parameters(StringInfo buf, List *parameters, ExprContext *context)
{
	int			count = list_length(parameters);
	Datum	   *values = palloc(sizeof(Datum) * Max(count, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(count, 1));
	int			nestlevel;

	for (int i = 0; i < count; i++)
		values[i] = ExecEvalExpr((ExprState *) list_nth(parameters, i), context, &nulls[i]);
	nestlevel = fixed_output_begin();
	appendStringInfoString(buf, ",\"parameters\":[");
	for (int i = 0; i < count; i++)
	{
		ExprState  *state = list_nth(parameters, i);

		if (i > 0)
			appendStringInfoChar(buf, ',');
		write_value(buf, exprType((Node *) state->expr), values[i], nulls[i]);
	}
	appendStringInfoChar(buf, ']');
	fixed_output_end(nestlevel);
}
