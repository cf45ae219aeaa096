/*-------------------------------------------------------------------------
 *
 * options.c
 *	  The validator.
 *
 * Which options exist and what they may be is one table in the brain.  The
 * host asks for it once per backend, because an import sets hundreds of
 * options that are free text; only what needs a check goes to the brain.
 * Which options of a table go together hangs on their names alone, so names
 * that the brain has just approved of are not sent again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "rvbbit.h"

PG_FUNCTION_INFO_V1(rvbbit_fdw_validator);

/* The value of an option in a list of DefElem, or NULL. */
char *
option_value(List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *option = lfirst_node(DefElem, lc);

		if (strcmp(option->defname, name) == 0)
			return defGetString(option);
	}
	return NULL;
}

static const char *
context_name(Oid catalog)
{
	switch (catalog)
	{
		case ForeignServerRelationId:
			return "server";
		case ForeignTableRelationId:
			return "table";
		case AttributeRelationId:
			return "column";
		case UserMappingRelationId:
			return "user_mapping";
		default:
			return "wrapper";
	}
}

/* The brain's table of options, kept for the backend. */
static Jsonb *
known_options(void)
{
	static Jsonb *known = NULL;

	if (known == NULL)
	{
		Jsonb	   *reply = rvbbit_call("options", "{\"version\":1}");
		Jsonb	   *copy = MemoryContextAlloc(TopMemoryContext, VARSIZE(reply));

		memcpy(copy, reply, VARSIZE(reply));
		known = copy;
	}
	return known;
}

/* What the table says of one option; NULL if there is none of that name. */
static JsonbContainer *
option_entry(const char *context, const char *name)
{
	JsonbValue *options = reply_get(&known_options()->root, context);
	JsonbValue *entry;

	if (options == NULL || options->type != jbvBinary)
		return NULL;
	entry = reply_get(options->val.binary.data, name);
	return entry != NULL && entry->type == jbvBinary ? entry->val.binary.data : NULL;
}

static void
check_privilege(const char *name)
{
	if (superuser())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to set option \"%s\"", name),
			 errdetail("Only superusers may say where files lie.")));
}

/* The names of options, one after another; none of those known has a comma. */
static char *
names_of(List *options)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, options)
		appendStringInfo(&buf, "%s,", lfirst_node(DefElem, lc)->defname);
	return buf.data;
}

/* Which options the last table had that the brain approved of. */
static char *approved = NULL;

static void
remember_approved(List *options)
{
	char	   *names = MemoryContextStrdup(TopMemoryContext, names_of(options));

	if (approved != NULL)
		pfree(approved);
	approved = names;
}

static bool
is_approved(List *options)
{
	return approved != NULL && strcmp(approved, names_of(options)) == 0;
}

/*
 * Must the brain see these options?  A text need not be looked at unless it
 * is empty; a server's options belong together, and so do a table's.
 */
static bool
need_check(List *options, const char *context)
{
	bool		check = strcmp(context, "column") != 0;
	ListCell   *lc;

	if (strcmp(context, "table") == 0)
		check = !is_approved(options);
	foreach(lc, options)
	{
		DefElem    *option = lfirst_node(DefElem, lc);
		JsonbContainer *entry = option_entry(context, option->defname);

		if (entry != NULL && reply_bool(entry, "privileged"))
			check_privilege(option->defname);
		if (entry == NULL || reply_bool(entry, "checked") ||
			(reply_bool(entry, "text") && defGetString(option)[0] == '\0'))
			check = true;
	}
	return check;
}

Datum
rvbbit_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	const char *context = context_name(PG_GETARG_OID(1));
	StringInfoData buf;

	if (!need_check(options, context))
		PG_RETURN_VOID();
	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"version\":1");
	request_string(&buf, "context", context);
	request_options(&buf, "options", options);
	appendStringInfoChar(&buf, '}');
	(void) rvbbit_call("validate_options", buf.data);
	if (strcmp(context, "table") == 0)
		remember_approved(options);
	PG_RETURN_VOID();
}
