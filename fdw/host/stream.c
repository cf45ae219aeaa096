/*-------------------------------------------------------------------------
 *
 * stream.c
 *	  Rows of a stream that the brain has open, for scans and whole queries.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "utils/memutils.h"

#include "stream.h"
#include "worker.h"

static void
close_with_context(void *argument)
{
	RvbbitReader *reader = argument;

	rvbbit_close(&reader->stream);
}

/* A reader that is closed with its owner, if not before. */
void
reader_init(RvbbitReader *reader, MemoryContext owner, const char *source)
{
	memset(reader, 0, sizeof(RvbbitReader));
	reader->source = source;
	reader->context = AllocSetContextCreate(owner, "rvbbit stream", ALLOCSET_SMALL_SIZES);
	reader->callback.func = close_with_context;
	reader->callback.arg = reader;
	MemoryContextRegisterResetCallback(owner, &reader->callback);
}

static void
choose_decoders(RvbbitReader *reader, Jsonb *reply, const RvbbitTarget *targets, int count)
{
	List	   *chosen = reply_list(&reply->root, "columns");
	struct ArrowSchema *schema = &reader->stream->schema;

	if (list_length(chosen) != count || schema->n_children < count)
		elog(ERROR, "the brain chose %d columns of %d", list_length(chosen), count);
	reader->column_count = count;
	reader->columns = palloc0(sizeof(RvbbitColumn) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		RvbbitColumn *column = &reader->columns[i];

		column->attnum = targets[i].attnum;
		column->type = targets[i].type;
		column->typmod = targets[i].typmod;
		column->name = targets[i].name;
		column->table = targets[i].table;
		column_choose(column, reply_string(list_nth(chosen, i), "decoder"),
					  schema->children[i], reader->context);
	}
}

/* Add the time of the last call. */
static void
note_time(RvbbitReader *reader)
{
	if (reader->stream == NULL)
		return;
	reader->seconds += reader->stream->seconds;
	stats_add(STAT_MICROSECONDS, (uint64) (reader->stream->seconds * 1000000));
	reader->stream->seconds = 0;
}

/* Let the decoders see the batch that was read, if there is one. */
static void
take_batch(RvbbitReader *reader)
{
	struct ArrowArray *batch = &reader->stream->batch;

	reader->row = reader->rows = 0;
	if (batch->release == NULL)
		return;
	reader->batches++;
	stats_add(STAT_ROWS, batch->length);
	reader->rows = batch->length;
	for (int i = 0; i < reader->column_count; i++)
		column_bind(&reader->columns[i], batch->children[i], batch->offset);
}

/*
 * Open a stream.  False, with the failure, if the brain or DuckDB refused;
 * interrupts and faults of our own are raised.
 */
bool
reader_try_open(RvbbitReader *reader, const char *request,
				const RvbbitTarget *targets, int count, RvbbitFailure *failure)
{
	MemoryContext before;
	Jsonb	   *reply;

	MemoryContextReset(reader->context);
	reader->row = reader->rows = 0;
	reader->at_end = false;
	before = MemoryContextSwitchTo(reader->context);
	reply = rvbbit_try_open(&reader->stream, request, failure);
	note_time(reader);
	if (reply != NULL)
	{
		choose_decoders(reader, reply, targets, count);
		take_batch(reader);
	}
	MemoryContextSwitchTo(before);
	return reply != NULL;
}

/* Read the open stream once more, from its beginning, with other parameters. */
bool
reader_try_again(RvbbitReader *reader, const char *parameters, RvbbitFailure *failure)
{
	bool		opened = rvbbit_try_again(&reader->stream, parameters, failure);

	note_time(reader);
	reader->row = reader->rows = 0;
	reader->at_end = false;
	if (opened)
		take_batch(reader);
	return opened;
}

/*
 * Have a row that was not delivered yet; false at the end, or with the
 * failure.  The stream must be open unless the end was reached.
 */
bool
reader_try_row(RvbbitReader *reader, RvbbitFailure *failure)
{
	failure->failed = false;
	if (reader->at_end)
		return false;
	while (reader->row >= reader->rows)
	{
		bool		more = rvbbit_try_next(&reader->stream, failure);

		note_time(reader);
		if (!more)
		{
			reader->at_end = !failure->failed;
			if (failure->failed || !reader->stays)
				rvbbit_close(&reader->stream);
			return false;
		}
		take_batch(reader);
	}
	return true;
}

/* The same, but a failure is raised. */
void
reader_open(RvbbitReader *reader, const char *request, const RvbbitTarget *targets, int count)
{
	RvbbitFailure failure;

	if (!reader_try_open(reader, request, targets, count, &failure))
		rvbbit_raise(&failure);
}

bool
reader_row(RvbbitReader *reader)
{
	RvbbitFailure failure;

	if (reader_try_row(reader, &failure))
		return true;
	if (failure.failed)
		rvbbit_raise(&failure);
	return false;
}

static void
add_context(void *argument)
{
	RvbbitReader *reader = argument;

	if (reader->current_column < reader->column_count)
		errcontext("column \"%s\" of %s",
				   reader->columns[reader->current_column].name, reader->source);
}

/*
 * Decode the row that there is into a virtual slot, in the current memory
 * context.  Columns that the stream does not have are null.
 */
void
reader_store(RvbbitReader *reader, TupleTableSlot *slot)
{
	int64		row = reader->row++;
	ErrorContextCallback callback = {
		.callback = add_context, .arg = reader, .previous = error_context_stack
	};

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	reader->delivered++;
	error_context_stack = &callback;
	for (int i = 0; i < reader->column_count; i++)
	{
		RvbbitColumn *column = &reader->columns[i];

		if (column_is_null(column, row))
			continue;
		reader->current_column = i;
		slot->tts_values[column->attnum - 1] = column->decode(column, row);
		slot->tts_isnull[column->attnum - 1] = false;
	}
	error_context_stack = callback.previous;
	ExecStoreVirtualTuple(slot);
}

/* Close the stream, if it is open; another may be opened afterwards. */
void
reader_close(RvbbitReader *reader)
{
	rvbbit_close(&reader->stream);
	reader->row = reader->rows = 0;
	reader->at_end = false;
}
