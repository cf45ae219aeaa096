/*-------------------------------------------------------------------------
 *
 * decode_error.c
 *	  Values that PostgreSQL cannot hold: how an error shows them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "decode.h"

/* Bytes of a text that an error shows. */
#define SHOWN_BYTES 60

/* Days of 400 years, and of the years from 0000-03-01 to 1970-01-01. */
#define ERA_DAYS 146097
#define EPOCH_SHIFT 719468

void
value_error(RvbbitColumn *column, int code, const char *problem, const char *value)
{
	ereport(ERROR,
			(errcode(code),
			 column->table
			 ? errmsg("value of column \"%s\" of foreign table \"%s\" %s",
					  column->name, column->table, problem)
			 : errmsg("value of column \"%s\" %s", column->name, problem),
			 value ? errdetail("The value is %s.", value) : 0,
			 errhint("Leave the column out of the query, or set the option \"on_unrepresentable\" "
					 "of the foreign table or server to \"null\" or \"replace\".")));
}

/* The beginning of a UTF-8 text, quoted, what cannot be shown as \xNN. */
char *
shown_text(const char *data, int64 length)
{
	StringInfoData buf;
	int64		shown = Min(length, SHOWN_BYTES);

	/* Bytes 10xxxxxx go on with a character. */
	while (shown > 0 && shown < length && ((unsigned char) data[shown] & 0xc0) == 0x80)
		shown--;
	initStringInfo(&buf);
	appendStringInfoChar(&buf, '"');
	for (int64 i = 0; i < shown; i++)
	{
		unsigned char byte = data[i];

		if (byte < ' ' || byte == 0x7f)
			appendStringInfo(&buf, "\\x%02x", byte);
		else
			appendStringInfoChar(&buf, byte);
	}
	appendStringInfoString(&buf, shown < length ? "...\"" : "\"");
	return pg_any_to_server(buf.data, buf.len, PG_UTF8);
}

/*
 * A date of any year, which PostgreSQL's own output does not have.  Years begin
 * in March, so that the day that comes and goes is the last one.  True if the
 * year is one before Christ.
 */
static bool
append_date(StringInfo buf, int64 days)
{
	int64		shifted = days + EPOCH_SHIFT;
	int64		era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS;
	int			day = (int) (shifted - era * ERA_DAYS);
	int			year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int			day_of_year = day - (365 * year + year / 4 - year / 100);
	int			march = (5 * day_of_year + 2) / 153;
	int			month = march < 10 ? march + 3 : march - 9;
	int64		shown = year + era * 400 + (month <= 2);

	appendStringInfo(buf, INT64_FORMAT "-%02d-%02d", shown > 0 ? shown : 1 - shown, month,
					 day_of_year - (153 * march + 2) / 5 + 1);
	return shown <= 0;
}

/* Days from 1970-01-01 as a date. */
char *
shown_date(int64 days)
{
	StringInfoData buf;

	initStringInfo(&buf);
	if (append_date(&buf, days))
		appendStringInfoString(&buf, " BC");
	return buf.data;
}

/* Microseconds from 1970-01-01 as a date and a time. */
char *
shown_timestamp(int64 usecs)
{
	StringInfoData buf;
	int64		days = usecs / USECS_PER_DAY;
	int64		rest = usecs % USECS_PER_DAY;
	bool		before_christ;

	if (rest < 0)
	{
		days--;
		rest += USECS_PER_DAY;
	}
	initStringInfo(&buf);
	before_christ = append_date(&buf, days);
	appendStringInfo(&buf, " %02d:%02d:%02d.%06d", (int) (rest / USECS_PER_HOUR),
					 (int) (rest / USECS_PER_MINUTE % 60), (int) (rest / USECS_PER_SEC % 60),
					 (int) (rest % USECS_PER_SEC));
	if (before_christ)
		appendStringInfoString(&buf, " BC");
	return buf.data;
}
