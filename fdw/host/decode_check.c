/*-------------------------------------------------------------------------
 *
 * decode_check.c
 *	  Decoding in memory of exact sizes, for "make check-decoder" only.
 *
 * DuckDB's Arrow buffers are larger than what is in them, and palloc'ed memory
 * is a part of larger blocks: a sanitizer sees no access that goes too far.
 * Here each buffer and each result is a block of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/palloc.h"

#include "decode.h"

#ifdef RVBBIT_CHECK_DECODER
#undef palloc

/* A copy of the data; the one before it is gone. */
void *
check_exact(void **copy, const void *data, int64 size)
{
	free(*copy);
	*copy = NULL;
	if (data == NULL)
		return NULL;
	*copy = malloc(size);
	if (*copy == NULL)
		elog(ERROR, "out of memory");
	memcpy(*copy, data, size);
	return *copy;
}

/* Bytes of the values of rows before "end"; texts have offsets. */
static int64
values_size(const char *format, int64 end)
{
	switch (format[0])
	{
		case 'b':
			return (end + 7) / 8;
		case 's':
			return end * 2;
		case 'i':
		case 'f':
			return end * 4;
		case 'd':
			return end * 16;
		case 'U':
		case 'Z':
			return (end + 1) * 8;
		default:
			return strcmp(format, "tdD") == 0 ? end * 4 : end * 8;
	}
}

/* Put the column's batch into blocks of their own. */
void
check_column(RvbbitColumn *column, int64 end)
{
	bool		text = column->format != NULL && strchr("UZ", column->format[0]) != NULL;

	if (column->format == NULL)
		return;
	column->validity = check_exact(&column->exact[0], column->validity, (end + 7) / 8);
	if (text && end > 0)
		column->bytes = check_exact(&column->exact[1], column->bytes, ((const int64 *) column->values)[end]);
	column->values = check_exact(&column->exact[2], column->values, values_size(column->format, end));
}

static void
release(void *block)
{
	free(block);
}

/* Memory of the current context in a block of its own, which pfree does not know. */
void *
check_palloc(Size size)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = release;
	callback->arg = malloc(size);
	if (callback->arg == NULL)
		elog(ERROR, "out of memory");
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return callback->arg;
}
#endif							/* RVBBIT_CHECK_DECODER */
