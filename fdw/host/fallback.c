/*-------------------------------------------------------------------------
 *
 * fallback.c
 *	  What happens when DuckDB cannot do what was planned: PostgreSQL does it.
 *
 * DuckDB may refuse a value, or give an error where PostgreSQL gives another
 * or none.  As long as no row was delivered nobody has seen anything of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rvbbit.h"

/* of this backend */
static uint64 fallbacks = 0;

/*
 * May PostgreSQL try it itself?  Not if somebody wants the statement to end,
 * or the server has no room: it would take longer and need more.  Nor if a
 * table is not what it was declared to be: its plan believes in that, too,
 * and has no condition IS NULL of a column that is NOT NULL.
 */
bool
fallback_is_open(int sqlstate)
{
	int			category = ERRCODE_TO_CATEGORY(sqlstate);

	return sqlstate != ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION &&
		category != ERRCODE_OPERATOR_INTERVENTION &&
		category != ERRCODE_INSUFFICIENT_RESOURCES;
}

/* Count a fallback; the reason in a line, in the current memory context. */
char *
fallback_note(const char *reason)
{
	fallbacks++;
	stats_add(STAT_FALLBACKS, 1);
	ereport(DEBUG1,
			(errmsg_internal("rvbbit_fdw falls back: %s", reason)));
	return pstrdup(reason);
}

/* The value of the setting rvbbit.fallbacks. */
const char *
fallback_show_count(void)
{
	static char text[32];

	snprintf(text, sizeof(text), UINT64_FORMAT, fallbacks);
	return text;
}
