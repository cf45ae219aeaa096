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

#include "fmgr.h"

#include "arrow.h"

typedef struct RvbbitColumn RvbbitColumn;

/* The value of a row that is not null, in the current memory context. */
typedef Datum (*RvbbitDecoder) (RvbbitColumn *column, int64 row);

struct RvbbitColumn
{
	/* chosen once per scan */
	RvbbitDecoder decode;
	int			scale;			/* of a decimal */
	FmgrInfo	input;			/* decoder "input" */
	Oid			ioparam;

	/* the column of the foreign table */
	AttrNumber	attnum;
	Oid			type;
	int32		typmod;
	const char *name;

	/* the batch; all offsets are applied */
	const uint8 *validity;		/* NULL: no nulls */
	int64		validity_offset;
	const void *values;			/* fixed-width values, bits, or string offsets */
	const char *bytes;			/* of strings */
	int64		offset;			/* of the first value, in values */
};

extern void column_choose(RvbbitColumn *column, const char *decoder, const char *format,
						  MemoryContext context);
extern void column_bind(RvbbitColumn *column, const struct ArrowArray *array, int64 parent_offset);

static inline bool
column_is_null(const RvbbitColumn *column, int64 row)
{
	int64		bit;

	if (column->validity == NULL)
		return false;
	bit = row + column->validity_offset;
	return (column->validity[bit >> 3] & (1 << (bit & 7))) == 0;
}

#endif							/* RVBBIT_DECODE_H */
