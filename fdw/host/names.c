/*-------------------------------------------------------------------------
 *
 * names.c
 *	  Types, functions, operators and collations by their full names: the brain
 *	  knows no OID.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "rvbbit.h"

static char *
qualified(Oid namespace, const char *name)
{
	return psprintf("%s.%s", get_namespace_name_or_temp(namespace), name);
}

/* schema.name of a type, such as pg_catalog.int4 */
char *
type_name(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	form = (Form_pg_type) GETSTRUCT(tuple);
	name = qualified(form->typnamespace, NameStr(form->typname));
	ReleaseSysCache(tuple);
	return name;
}

/* schema.name(argument types) of a function */
char *
function_name(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	StringInfoData buf;
	Form_pg_proc form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	initStringInfo(&buf);
	appendStringInfo(&buf, "%s(", qualified(form->pronamespace, NameStr(form->proname)));
	for (int i = 0; i < form->pronargs; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? "," : "", type_name(form->proargtypes.values[i]));
	appendStringInfoChar(&buf, ')');
	ReleaseSysCache(tuple);
	return buf.data;
}

/* schema.name(argument types) of an operator */
char *
operator_name(Oid operator)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char	   *left = "";
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	if (OidIsValid(form->oprleft))
		left = psprintf("%s,", type_name(form->oprleft));
	name = psprintf("%s(%s%s)", qualified(form->oprnamespace, NameStr(form->oprname)),
					left, type_name(form->oprright));
	ReleaseSysCache(tuple);
	return name;
}

/* schema.name of a collation */
char *
collation_name(Oid collation)
{
	HeapTuple	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	Form_pg_collation form;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	name = qualified(form->collnamespace, NameStr(form->collname));
	ReleaseSysCache(tuple);
	return name;
}
