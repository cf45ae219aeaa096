/*-------------------------------------------------------------------------
 *
 * decode.c
 *	  Arrow columns to Datums.
 *
 * The brain names a decoder for each column (PROTOCOL.md has the table); it is
 * looked up once per scan, with the Arrow format and the PostgreSQL type that
 * it needs.  Values that PostgreSQL cannot hold are errors.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/miscnodes.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#include "varatt.h"

#include "decode.h"

#define EPOCH_DAYS		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define EPOCH_USECS		((int64) EPOCH_DAYS * USECS_PER_DAY)

/* the fixed-width value of a row */
#define VALUE(type) (((const type *) column->values)[row + column->offset])

typedef struct Slice
{
	const char *data;
	int64		length;
} Slice;

static Datum
decode_bool(RvbbitColumn *column, int64 row)
{
	return BoolGetDatum(bit_is_set(column->values, row + column->offset));
}

static Datum
decode_int2(RvbbitColumn *column, int64 row)
{
	return Int16GetDatum(VALUE(int16));
}

static Datum
decode_int4(RvbbitColumn *column, int64 row)
{
	return Int32GetDatum(VALUE(int32));
}

static Datum
decode_int8(RvbbitColumn *column, int64 row)
{
	return Int64GetDatum(VALUE(int64));
}

static Datum
decode_float4(RvbbitColumn *column, int64 row)
{
	return Float4GetDatum(VALUE(float4));
}

static Datum
decode_float8(RvbbitColumn *column, int64 row)
{
	return Float8GetDatum(VALUE(float8));
}

/* A number that has no short way: its digits, through numeric's input. */
static Datum
numeric_from_digits(uint128 magnitude, bool negative, int scale)
{
	char		text[64];
	char	   *p = text + sizeof(text);
	int			digits = 0;

	*--p = '\0';
	while (magnitude != 0 || digits <= scale)
	{
		if (digits == scale && scale > 0)
			*--p = '.';
		*--p = '0' + (int) (magnitude % 10);
		magnitude /= 10;
		digits++;
	}
	if (negative)
		*--p = '-';
	return DirectFunctionCall3(numeric_in, CStringGetDatum(p),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static Datum
numeric_from_int128(int128 value, int scale)
{
	if (value >= PG_INT64_MIN && value <= PG_INT64_MAX)
		return NumericGetDatum(int64_div_fast_to_numeric((int64) value, scale));
	return numeric_from_digits(value < 0 ? -(uint128) value : (uint128) value, value < 0, scale);
}

/* Arrow aligns 128-bit values to 8 bytes only. */
static int128
int128_value(RvbbitColumn *column, int64 row)
{
	int128		value;

	memcpy(&value, (const char *) column->values + (row + column->offset) * sizeof(value), sizeof(value));
	return value;
}

static Datum
decode_decimal(RvbbitColumn *column, int64 row)
{
	return numeric_from_int128(int128_value(column, row), column->scale);
}

static Datum
decode_hugeint(RvbbitColumn *column, int64 row)
{
	return numeric_from_int128(int128_value(column, row), 0);
}

static Datum
decode_uhugeint(RvbbitColumn *column, int64 row)
{
	uint128		value = (uint128) int128_value(column, row);

	if (value <= (uint128) PG_INT64_MAX)
		return NumericGetDatum(int64_to_numeric((int64) value));
	return numeric_from_digits(value, false, 0);
}

/* A uuid's 16 bytes are a number whose first byte is the most significant one. */
static Datum
decode_uuid(RvbbitColumn *column, int64 row)
{
	const uint8 *value = (const uint8 *) column->values + (row + column->offset) * UUID_LEN;
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

	for (int i = 0; i < UUID_LEN; i++)
		uuid->data[i] = value[UUID_LEN - 1 - i];
	return UUIDPGetDatum(uuid);
}

static Slice
slice_value(RvbbitColumn *column, int64 row)
{
	const int64 *offsets = (const int64 *) column->values + row + column->offset;
	Slice		slice = {column->bytes + offsets[0], offsets[1] - offsets[0]};

	if (slice.length < 0)
		elog(ERROR, "an Arrow text of column \"%s\" ends before it begins", column->name);
	if (slice.length > (int64) (MaxAllocSize - VARHDRSZ))
		value_error(column, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "is too long",
					psprintf(INT64_FORMAT " bytes long", slice.length));
	return slice;
}

static Datum
slice_to_varlena(Slice slice)
{
	text	   *result = palloc(slice.length + VARHDRSZ);

	SET_VARSIZE(result, slice.length + VARHDRSZ);
	memcpy(VARDATA(result), slice.data, slice.length);
	return PointerGetDatum(result);
}

/* Text is UTF-8; PostgreSQL's cannot hold a NUL. */
static Slice
text_value(RvbbitColumn *column, int64 row)
{
	Slice		slice = slice_value(column, row);

	if (memchr(slice.data, '\0', slice.length) != NULL)
		value_error(column, ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
					"contains a NUL character, which text cannot hold",
					shown_text(slice.data, slice.length));
	if (GetDatabaseEncoding() != PG_UTF8)
	{
		/* The conversion wants a C string, and may give back what it got. */
		slice.data = pg_any_to_server(pnstrdup(slice.data, slice.length), slice.length, PG_UTF8);
		slice.length = strlen(slice.data);
	}
	return slice;
}

static Datum
decode_text(RvbbitColumn *column, int64 row)
{
	return slice_to_varlena(text_value(column, row));
}

static Datum
decode_bytea(RvbbitColumn *column, int64 row)
{
	return slice_to_varlena(slice_value(column, row));
}

static Datum
decode_date(RvbbitColumn *column, int64 row)
{
	int32		days = VALUE(int32);
	DateADT		date;

	if (days == PG_INT32_MAX)
		return DateADTGetDatum(DATEVAL_NOEND);
	if (days == -PG_INT32_MAX)
		return DateADTGetDatum(DATEVAL_NOBEGIN);
	if (pg_sub_s32_overflow(days, EPOCH_DAYS, &date) || !IS_VALID_DATE(date))
		value_error(column, ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "is out of range for type date",
					shown_date(days));
	return DateADTGetDatum(date);
}

static Datum
decode_time(RvbbitColumn *column, int64 row)
{
	return TimeADTGetDatum(VALUE(int64));
}

static Datum
decode_timestamp(RvbbitColumn *column, int64 row)
{
	int64		usecs = VALUE(int64);
	Timestamp	timestamp;

	if (usecs == PG_INT64_MAX)
		return TimestampGetDatum(DT_NOEND);
	if (usecs == -PG_INT64_MAX)
		return TimestampGetDatum(DT_NOBEGIN);
	if (pg_sub_s64_overflow(usecs, EPOCH_USECS, &timestamp) || !IS_VALID_TIMESTAMP(timestamp))
		value_error(column, ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "is out of range for type timestamp",
					shown_timestamp(usecs));
	return TimestampGetDatum(timestamp);
}

/* What the type's input function says of a text that it refuses is the detail. */
static void
input_error(RvbbitColumn *column, Slice slice, ErrorSaveContext *saved)
{
	char	   *value = shown_text(slice.data, slice.length);

	value_error(column, saved->error_data->sqlerrcode,
				psprintf("cannot be read as type %s", format_type_be(column->type)),
				psprintf("%s: %s", value, saved->error_data->message));
}

static Datum
decode_input(RvbbitColumn *column, int64 row)
{
	Slice		slice = text_value(column, row);
	char	   *text = pnstrdup(slice.data, slice.length);
	ErrorSaveContext saved = {.type = T_ErrorSaveContext, .details_wanted = true};
	Datum		result;

	if (!InputFunctionCallSafe(&column->input, text, column->ioparam, column->typmod,
							   (Node *) &saved, &result))
		input_error(column, slice, &saved);
	return result;
}

/* Months, days and microseconds in 32, 32 and 64 bits, the months uppermost. */
static Datum
decode_interval(RvbbitColumn *column, int64 row)
{
	uint128		value = (uint128) int128_value(column, row);
	Interval   *interval = palloc(sizeof(Interval));

	interval->month = (int32) (uint32) (value >> 96);
	interval->day = (int32) (uint32) (value >> 64);
	interval->time = (int64) (uint64) value;
	if (INTERVAL_NOT_FINITE(interval))
		value_error(column, ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
					"means an infinity in PostgreSQL, which it is not in DuckDB",
					DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval))));
	return IntervalPGetDatum(interval);
}

/* What the brain calls a decoder, and what it needs. */
typedef struct DecoderEntry
{
	const char *name;
	const char *format;			/* Arrow format; "d:": any scale */
	Oid			type;			/* InvalidOid: any */
	RvbbitDecoder decode;
} DecoderEntry;

static const DecoderEntry decoders[] = {
	{"bool", "b", BOOLOID, decode_bool},
	{"int2", "s", INT2OID, decode_int2},
	{"int4", "i", INT4OID, decode_int4},
	{"int8", "l", INT8OID, decode_int8},
	{"float4", "f", FLOAT4OID, decode_float4},
	{"float8", "g", FLOAT8OID, decode_float8},
	{"decimal", "d:", NUMERICOID, decode_decimal},
	{"hugeint", "d:38,0", NUMERICOID, decode_hugeint},
	{"uhugeint", "d:38,0", NUMERICOID, decode_uhugeint},
	{"uuid", "d:38,0", UUIDOID, decode_uuid},
	{"text", "U", TEXTOID, decode_text},
	{"bytea", "Z", BYTEAOID, decode_bytea},
	{"date", "tdD", DATEOID, decode_date},
	{"time", "ttu", TIMEOID, decode_time},
	{"timestamp", "tsu:", TIMESTAMPOID, decode_timestamp},
	{"timestamptz", "tsu:UTC", TIMESTAMPTZOID, decode_timestamp},
	{"interval", "d:38,0", INTERVALOID, decode_interval},
	{"input", "U", InvalidOid, decode_input},
};

/* "d:precision,scale", optionally with the width 128 */
static bool
parse_decimal(const char *format, int *scale)
{
	int			precision;
	int			width = 128;
	int			fields = sscanf(format, "d:%d,%d,%d", &precision, scale, &width);

	return fields >= 2 && width == 128;
}

static bool
format_fits(RvbbitColumn *column, const DecoderEntry *entry, const char *format)
{
	if (strcmp(entry->format, "d:") == 0)
		return parse_decimal(format, &column->scale);
	return strcmp(entry->format, format) == 0;
}

static const DecoderEntry *
find_decoder(const char *name)
{
	for (int i = 0; i < (int) lengthof(decoders); i++)
		if (strcmp(decoders[i].name, name) == 0)
			return &decoders[i];
	return NULL;
}

static void
prepare_input(RvbbitColumn *column, MemoryContext context)
{
	Oid			function;

	getTypeInputInfo(column->type, &function, &column->ioparam);
	fmgr_info_cxt(function, &column->input, context);
}

/* Choose the decoder that the brain names; "[]" after its name makes it that of elements. */
void
column_choose(RvbbitColumn *column, const char *decoder, const struct ArrowSchema *schema,
			  MemoryContext context)
{
	const DecoderEntry *entry = find_decoder(decoder);
	size_t		length = strlen(decoder);

	if (length > 2 && strcmp(decoder + length - 2, "[]") == 0)
	{
		list_choose(column, pnstrdup(decoder, length - 2), schema, context);
		return;
	}
	if (entry == NULL || !format_fits(column, entry, schema->format) ||
		(OidIsValid(entry->type) && entry->type != column->type))
		elog(ERROR, "decoder \"%s\" does not fit Arrow format \"%s\" and type %s of column \"%s\"",
			 decoder, schema->format, format_type_be(column->type), column->name);
	column->decode = entry->decode;
	column->format = schema->format;
	if (entry->decode == decode_input)
		prepare_input(column, context);
}

/* Point the column at a batch. */
void
column_bind(RvbbitColumn *column, const struct ArrowArray *array, int64 parent_offset)
{
	column->offset = array->offset + parent_offset;
	column->validity = array->null_count == 0 ? NULL : array->buffers[0];
	column->validity_offset = column->offset;
	column->values = array->n_buffers > 1 ? array->buffers[1] : NULL;
	column->bytes = array->n_buffers > 2 ? array->buffers[2] : NULL;
#ifdef RVBBIT_CHECK_DECODER
	check_column(column, column->offset + array->length);
#endif
	if (column->list != NULL)
		list_bind(column, array);
}
