/*-------------------------------------------------------------------------
 *
 * stream.h
 *	  Rows of a stream that the brain has open.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVBBIT_STREAM_H
#define RVBBIT_STREAM_H

#include "postgres.h"

#include "executor/tuptable.h"

#include "decode.h"
#include "rvbbit.h"

/* Where a column of the stream goes, and what it is called in messages. */
typedef struct RvbbitTarget
{
	AttrNumber	attnum;
	Oid			type;
	int32		typmod;
	const char *name;
	const char *table;			/* NULL: of no one table */
} RvbbitTarget;

/*
 * Reads the rows of one stream after another (a rescan opens a new one).  It
 * belongs to a memory context and is closed with it.
 */
typedef struct RvbbitReader
{
	RvbbitStream *stream;		/* NULL: not open */
	RvbbitColumn *columns;
	int			column_count;
	int			current_column; /* being decoded, for the error context */
	const char *source;			/* what is read, for the error context */
	int64		row;			/* next in the batch */
	int64		rows;			/* of the batch */
	int64		batches;		/* of all streams */
	int64		delivered;		/* rows of all streams */
	double		seconds;		/* that the brain and DuckDB took for all streams */
	bool		at_end;
	bool		stays;			/* open at the end, because it will be read again */
	MemoryContext context;		/* of the columns, reset at each opening */
	MemoryContextCallback callback;
} RvbbitReader;

extern void reader_init(RvbbitReader *reader, MemoryContext owner, const char *source);
extern bool reader_try_open(RvbbitReader *reader, const char *request,
							const RvbbitTarget *targets, int count, RvbbitFailure *failure);
extern bool reader_try_again(RvbbitReader *reader, const char *parameters, RvbbitFailure *failure);
extern bool reader_try_row(RvbbitReader *reader, RvbbitFailure *failure);
extern void reader_open(RvbbitReader *reader, const char *request,
						const RvbbitTarget *targets, int count);
extern bool reader_row(RvbbitReader *reader);
extern void reader_store(RvbbitReader *reader, TupleTableSlot *slot);
extern void reader_close(RvbbitReader *reader);

#endif							/* RVBBIT_STREAM_H */
