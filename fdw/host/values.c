/*-------------------------------------------------------------------------
 *
 * values.c
 *	  Values as JSON: null, output-function text, or a list of these.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

#include "rvbbit.h"

/* Values are written under these settings, whatever the session's are. */
int
fixed_output_begin(void)
{
	int			nestlevel = NewGUCNestLevel();

	(void) set_config_option("datestyle", "ISO", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("intervalstyle", "postgres", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("extra_float_digits", "1", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("timezone", "UTC", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return nestlevel;
}

void
fixed_output_end(int nestlevel)
{
	AtEOXact_GUC(true, nestlevel);
}

static void
write_scalar(StringInfo buf, Oid type, Datum value, bool isnull)
{
	Oid			output;
	bool		is_varlena;

	if (isnull)
	{
		appendStringInfoString(buf, "null");
		return;
	}
	getTypeOutputInfo(type, &output, &is_varlena);
	escape_json(buf, OidOutputFunctionCall(output, value));
}

static void
write_array(StringInfo buf, ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int16		length;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &elements, &nulls, &count);
	appendStringInfoChar(buf, '[');
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(buf, ',');
		write_scalar(buf, ARR_ELEMTYPE(array), elements[i], nulls[i]);
	}
	appendStringInfoChar(buf, ']');
}

/* null, text, or the elements of a one-dimensional array */
void
write_value(StringInfo buf, Oid type, Datum value, bool isnull)
{
	if (!isnull && type_is_array(type))
	{
		ArrayType  *array = DatumGetArrayTypeP(value);

		if (ARR_NDIM(array) <= 1)
		{
			write_array(buf, array);
			return;
		}
	}
	write_scalar(buf, type, value, isnull);
}
