/*-------------------------------------------------------------------------
 *
 * query_verify.c
 *	  Comparing the rows of a whole query with those of PostgreSQL's own plan
 *	  (rvbbit.verify).
 *
 * Both are run to their end under the same pin, and compared as sets of rows,
 * because the order of rows is PostgreSQL's to choose but for ORDER BY.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "query.h"
#include "rvbbit.h"

/* A floating-point number without the digits that the order of a sum decides. */
static char *
value_as_text(Oid type, Datum value)
{
	Oid			output;
	bool		is_varlena;

	if (type == FLOAT8OID)
		return psprintf("%.10g", DatumGetFloat8(value));
	if (type == FLOAT4OID)
		return psprintf("%.4g", DatumGetFloat4(value));
	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

/* A row as text, in the current memory context. */
char *
query_row_as_text(TupleTableSlot *slot)
{
	TupleDesc	tupdesc = slot->tts_tupleDescriptor;
	StringInfoData buf;

	slot_getallattrs(slot);
	initStringInfo(&buf);
	for (int i = 0; i < tupdesc->natts; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "(", slot->tts_isnull[i] ? "null" :
						 value_as_text(TupleDescAttr(tupdesc, i)->atttypid, slot->tts_values[i]));
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

static int
compare_texts(const ListCell *one, const ListCell *other)
{
	return strcmp(lfirst(one), lfirst(other));
}

/*
 * Raise an error if the rows, as texts, are not the same.  Of a query with
 * LIMIT only their number counts: which of equal ones it keeps is open.
 */
void
query_compare(List *found, List *expected, bool is_open)
{
	ListCell   *one;
	ListCell   *other;

	if (list_length(found) != list_length(expected))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("DuckDB gives %d rows and PostgreSQL %d", list_length(found),
						list_length(expected)),
				 errhint("Set rvbbit.pushdown to off, and report the query.")));
	if (is_open)
		return;
	list_sort(found, compare_texts);
	list_sort(expected, compare_texts);
	forboth(one, found, other, expected)
	{
		CHECK_FOR_INTERRUPTS();
		if (strcmp(lfirst(one), lfirst(other)) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("DuckDB and PostgreSQL give different rows"),
					 errdetail("DuckDB: %s; PostgreSQL: %s.", (char *) lfirst(one), (char *) lfirst(other)),
					 errhint("Set rvbbit.pushdown to off, and report the query.")));
	}
}
