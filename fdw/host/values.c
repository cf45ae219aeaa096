/*-------------------------------------------------------------------------
 *
 * values.c
 *	  Values as JSON: null, output-function text, or a list of these.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
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
write_text(StringInfo buf, FmgrInfo *output, Datum value, bool isnull)
{
	if (isnull)
		appendStringInfoString(buf, "null");
	else
		escape_json(buf, OutputFunctionCall(output, value));
}

/* How values of a type are written, found once for all of them. */
static void
find_output(Oid type, FmgrInfo *output)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(type, &function, &is_varlena);
	fmgr_info(function, output);
}

static void
write_array(StringInfo buf, ArrayType *array)
{
	FmgrInfo	output;
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int16		length;
	bool		by_value;
	char		align;

	find_output(ARR_ELEMTYPE(array), &output);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &elements, &nulls, &count);
	appendStringInfoChar(buf, '[');
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoChar(buf, ',');
		write_text(buf, &output, elements[i], nulls[i]);
	}
	appendStringInfoChar(buf, ']');
}

/* null, text, or the elements of a one-dimensional array */
void
write_value(StringInfo buf, Oid type, Datum value, bool isnull)
{
	FmgrInfo	output;

	if (!isnull && type_is_array(type))
	{
		ArrayType  *array = DatumGetArrayTypeP(value);

		if (ARR_NDIM(array) <= 1)
		{
			write_array(buf, array);
			return;
		}
	}
	find_output(type, &output);
	write_text(buf, &output, value, isnull);
}
