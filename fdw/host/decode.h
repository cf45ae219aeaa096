/*-------------------------------------------------------------------------
 *
 * decode.h
 *	  Arrow columns to Datums.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVBBIT_DECODE_H
#define RVBBIT_DECODE_H

#include "postgres.h"

#include "access/attnum.h"
#include "fmgr.h"

#include "arrow.h"

typedef struct RvbbitColumn RvbbitColumn;
typedef struct RvbbitList RvbbitList;

/* The value of a row that is not null, in the current memory context. */
typedef Datum (*RvbbitDecoder) (RvbbitColumn *column, int64 row);

struct RvbbitColumn
{
	/* chosen once per scan */
	RvbbitDecoder decode;
	int			scale;			/* of a decimal */
	FmgrInfo	input;			/* decoder "input" */
	Oid			ioparam;
	RvbbitList *list;			/* of an array: its lists and their elements */

	/* the column of the foreign table */
	AttrNumber	attnum;
	Oid			type;
	int32		typmod;
	const char *name;
	const char *table;			/* NULL: of no one table */

	/* the batch; all offsets are applied */
	const uint8 *validity;		/* NULL: no nulls */
	int64		validity_offset;
	const void *values;			/* fixed-width values, bits, or string offsets */
	const char *bytes;			/* of strings */
	int64		offset;			/* of the first value, in values */

	const char *format;			/* of Arrow; for decode_check.c */
	void	   *exact[3];
};

/* decode.c */
extern void column_choose(RvbbitColumn *column, const char *decoder,
						  const struct ArrowSchema *schema, MemoryContext context);
extern void column_bind(RvbbitColumn *column, const struct ArrowArray *array, int64 parent_offset);

/* decode_list.c */
extern void list_choose(RvbbitColumn *column, const char *decoder,
						const struct ArrowSchema *schema, MemoryContext context);
extern void list_bind(RvbbitColumn *column, const struct ArrowArray *array);

/* decode_error.c */
extern void value_error(RvbbitColumn *column, int code, const char *problem,
						const char *value) pg_attribute_noreturn();
extern char *shown_text(const char *data, int64 length);
extern char *shown_date(int64 days);
extern char *shown_timestamp(int64 usecs);

/*
 * decode_check.c, in builds for "make check-decoder" only: what is decoded lies
 * in memory of exactly its size, and so does what comes of it.
 */
#ifdef RVBBIT_CHECK_DECODER
extern void *check_exact(void **copy, const void *data, int64 size);
extern void check_column(RvbbitColumn *column, int64 end);
extern void *check_palloc(Size size);
#define palloc(size) check_palloc(size)
#endif

/* The bit of a validity bitmap, or of any other. */
static inline bool
bit_is_set(const uint8 *bits, int64 bit)
{
	return (bits[bit >> 3] & (1 << (bit & 7))) != 0;
}

static inline bool
column_is_null(const RvbbitColumn *column, int64 row)
{
	return column->validity != NULL && !bit_is_set(column->validity, row + column->validity_offset);
}

#endif							/* RVBBIT_DECODE_H */
