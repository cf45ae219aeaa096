/*-------------------------------------------------------------------------
 *
 * reply.c
 *	  Reading the brain's JSON, by PostgreSQL's own parser.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"

#include "rvbbit.h"

/* The reply as jsonb; the brain always sends an object. */
Jsonb *
reply_parse(const char *text)
{
	Jsonb	   *reply;

	if (text == NULL)
		elog(ERROR, "the brain sent no reply");
	reply = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	if (!JB_ROOT_IS_OBJECT(reply))
		elog(ERROR, "the brain's reply is not an object");
	return reply;
}

/* The value of a key, or NULL. */
JsonbValue *
reply_get(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key), NULL);
}

static char *
value_string(JsonbValue *value)
{
	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* A string, or NULL if it is null or absent. */
char *
reply_string(JsonbContainer *object, const char *key)
{
	return value_string(reply_get(object, key));
}

bool
reply_bool(JsonbContainer *object, const char *key)
{
	JsonbValue *value = reply_get(object, key);

	return value != NULL && value->type == jbvBool && value->val.boolean;
}

/* A number, or `otherwise` if it is null or absent. */
double
reply_number(JsonbContainer *object, const char *key, double otherwise)
{
	JsonbValue *value = reply_get(object, key);

	if (value == NULL || value->type != jbvNumeric)
		return otherwise;
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
}

/* An element of an array of strings. */
char *
reply_element(JsonbContainer *array, uint32 index)
{
	return value_string(getIthJsonbValueFromContainer(array, index));
}

/*
 * The elements of an array: strings as char *, objects and arrays as
 * JsonbContainer *; NIL if it is absent.
 */
List *
reply_list(JsonbContainer *object, const char *key)
{
	JsonbValue *array = reply_get(object, key);
	List	   *result = NIL;
	uint32		size;

	if (array == NULL || array->type != jbvBinary)
		return NIL;
	size = JsonContainerSize(array->val.binary.data);
	for (uint32 i = 0; i < size; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array->val.binary.data, i);

		if (element->type == jbvString)
			result = lappend(result, value_string(element));
		else if (element->type == jbvBinary)
			result = lappend(result, element->val.binary.data);
	}
	return result;
}

static void
report_notice(JsonbContainer *notice)
{
	char	   *level = reply_string(notice, "level");
	char	   *message = reply_string(notice, "message");
	char	   *detail = reply_string(notice, "detail");
	char	   *hint = reply_string(notice, "hint");

	ereport(level != NULL && strcmp(level, "WARNING") == 0 ? WARNING : NOTICE,
			(errmsg_internal("%s", message ? message : ""),
			 detail ? errdetail_internal("%s", detail) : 0,
			 hint ? errhint("%s", hint) : 0));
}

/* Pass on the brain's notices, count its snapshots, and remember what is to be cleaned up. */
void
reply_report(Jsonb *reply)
{
	ListCell   *lc;

	stats_add(STAT_SNAPSHOTS, (uint64) reply_number(&reply->root, "copied", 0));
	foreach(lc, reply_list(&reply->root, "cleanup"))
		lifetime_remove_at_exit(lfirst(lc));
	foreach(lc, reply_list(&reply->root, "notices"))
		report_notice(lfirst(lc));
}
