/*-------------------------------------------------------------------------
 *
 * request.c
 *	  The parts of a request that many operations share, written as JSON.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_collation.h"
#include "commands/defrem.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "nodes/nodeFuncs.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
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

static char *
database_attribute(HeapTuple database, int number)
{
	bool		isnull;
	Datum		value = SysCacheGetAttr(DATABASEOID, database, number, &isnull);

	return isnull ? "" : TextDatumGetCString(value);
}

/*
 * Does the default collation sort by code point, and does it map case as
 * PostgreSQL's own C.UTF-8 does?
 */
static void
read_collation(bool *is_c, bool *is_unicode)
{
	HeapTuple	database = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	char		provider;
	char	   *name;

	if (!HeapTupleIsValid(database))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	provider = ((Form_pg_database) GETSTRUCT(database))->datlocprovider;
	name = database_attribute(database, provider == COLLPROVIDER_LIBC ?
							  Anum_pg_database_datcollate : COMPAT_DATABASE_LOCALE);
	*is_c = provider == COLLPROVIDER_BUILTIN ||
		(provider == COLLPROVIDER_LIBC && (strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0));
	*is_unicode = provider == COLLPROVIDER_BUILTIN && strcmp(name, "C.UTF-8") == 0;
	ReleaseSysCache(database);
}

/*
 * What of the database and of the session decides how texts and times compare.
 * The collation of a database does not change as long as it is there.
 */
static void
write_database(StringInfo buf)
{
	static bool known = false;
	static bool is_c;
	static bool is_unicode;

	if (!known)
		read_collation(&is_c, &is_unicode);
	known = true;
	appendStringInfo(buf, ",\"database\":{\"collation_is_c\":%s,\"case_is_unicode\":%s",
					 is_c ? "true" : "false", is_unicode ? "true" : "false");
	request_string(buf, "time_zone", pg_get_timezone_name(session_timezone));
	appendStringInfoChar(buf, '}');
}

/* Open the request's object: version, server, settings and database. */
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
					 "\"snapshot_limit\":\"%dMB\",\"threads\":%d,\"max_staleness\":%d",
					 rvbbit_memory_limit, rvbbit_temp_limit, rvbbit_snapshot_limit, rvbbit_threads,
					 rvbbit_max_staleness);
	request_string(buf, "data_directory", DataDir);
	appendStringInfoChar(buf, '}');
	write_database(buf);
}

static void
write_column(StringInfo buf, Oid relid, Form_pg_attribute attribute, int number)
{
	appendStringInfo(buf, "{\"number\":%d", number);
	request_string(buf, "name", NameStr(attribute->attname));
	request_string(buf, "type", type_name(attribute->atttypid));
	if (attribute->atttypmod != -1)
		appendStringInfo(buf, ",\"typmod\":%d", attribute->atttypmod);
	if (attribute->attnotnull)
		appendStringInfoString(buf, ",\"not_null\":true");
	request_options(buf, "options", GetForeignColumnOptions(relid, attribute->attnum));
	appendStringInfoChar(buf, '}');
}

/* "table": its name, options and these of its columns; the caller has it locked. */
void
request_table(StringInfo buf, Oid relid, List *columns)
{
	request_table_as(buf, relid, columns, relid);
}

/*
 * The same of a partition, whose columns are named by the numbers that they
 * have in its parent: there they may be others, but the names are the same.
 */
void
request_table_as(StringInfo buf, Oid relid, List *columns, Oid parent)
{
	Relation	relation = table_open(relid, NoLock);
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoString(buf, ",\"table\":{");
	request_string(buf, "schema", get_namespace_name(RelationGetNamespace(relation)));
	request_string(buf, "name", RelationGetRelationName(relation));
	request_options(buf, "options", GetForeignTable(relid)->options);
	appendStringInfoString(buf, ",\"columns\":[");
	foreach(lc, columns)
	{
		int			number = lfirst_int(lc);
		int			own = parent == relid ? number :
			get_attnum(relid, get_attname(parent, number, false));

		appendStringInfoString(buf, separator);
		write_column(buf, relid, TupleDescAttr(RelationGetDescr(relation), own - 1), number);
		separator = ",";
	}
	appendStringInfoString(buf, "]}");
	table_close(relation, NoLock);
}

/* "columns": attribute numbers */
void
request_columns(StringInfo buf, List *columns)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoString(buf, ",\"columns\":[");
	foreach(lc, columns)
	{
		appendStringInfo(buf, "%s%d", separator, lfirst_int(lc));
		separator = ",";
	}
	appendStringInfoChar(buf, ']');
}
