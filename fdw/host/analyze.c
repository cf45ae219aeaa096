/*-------------------------------------------------------------------------
 *
 * analyze.c
 *	  ANALYZE: DuckDB counts the rows and draws a sample of them.
 *
 * The sample is read by an ordinary scan of the foreign table, so that pins,
 * interrupts and decoding are those of any query.  Its rows come in the order
 * in which the session stores them: PostgreSQL derives the correlation from it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "commands/vacuum.h"
#include "executor/spi.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "rvbbit.h"

/* Rows fetched at once: few, because a row may be large. */
#define FETCH_ROWS 50

/* The sample's size varies by chance; so many standard deviations fit. */
#define SPARE_DEVIATIONS 4.0

typedef struct Sample
{
	HeapTuple  *rows;
	int			count;
	int			limit;
	int64		seen;
	int64		stride;			/* of the rows seen every stride-th is kept */
	Size		bytes;
	MemoryContext context;		/* of the rows */
	Relation	relation;
} Sample;

/* the sample that a scan below is to draw */
static Oid	sampled_table = InvalidOid;
static double sampled_percent = 0;

/* Percent of the table's rows that a scan shall read; 0 means all of them. */
double
analyze_percent(Oid relid)
{
	return relid == sampled_table ? sampled_percent : 0;
}

/* How many rows the session's table has. */
static double
count_rows(Relation relation)
{
	Oid			relid = RelationGetRelid(relation);
	StringInfoData buf;
	Jsonb	   *reply;
	char	   *rows;

	initStringInfo(&buf);
	request_begin(&buf, GetForeignServer(GetForeignTable(relid)->serverid));
	request_table(&buf, relid, NIL);
	request_columns(&buf, NIL);
	appendStringInfoChar(&buf, '}');
	reply = rvbbit_call("count_rows", buf.data);
	rows = reply_string(&reply->root, "rows");
	if (rows == NULL)
		elog(ERROR, "the brain did not count the rows");
	return strtod(rows, NULL);
}

/* The pages that these rows would take in a heap. */
static BlockNumber
page_count(Relation relation, double rows)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);
	double		width = SizeofHeapTupleHeader + sizeof(ItemIdData);

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (!attribute->attisdropped)
			width += get_typavgwidth(attribute->atttypid, attribute->atttypmod);
	}
	return (BlockNumber) Min(ceil(rows * width / BLCKSZ), (double) MaxBlockNumber);
}

static double
percent_of(double total, int wanted)
{
	double		expected = wanted - SPARE_DEVIATIONS * sqrt((double) wanted);

	if (total <= wanted)
		return 0;
	return Max(expected, wanted / 2.0) * 100.0 / total;
}

static Size
row_size(HeapTuple row)
{
	return HEAPTUPLESIZE + row->t_len;
}

/* Keep every second row, so that the rest is still spread over the table. */
static void
thin(Sample *sample)
{
	int			kept = 0;

	for (int i = 0; i < sample->count; i++)
	{
		if (i % 2 == 0)
			sample->rows[kept++] = sample->rows[i];
		else
		{
			sample->bytes -= row_size(sample->rows[i]);
			heap_freetuple(sample->rows[i]);
		}
	}
	sample->count = kept;
	sample->stride *= 2;
}

/* A row of the query, which has the live columns only, as a row of the table. */
static HeapTuple
table_row(Sample *sample, HeapTuple result, TupleDesc result_desc)
{
	TupleDesc	tupdesc = RelationGetDescr(sample->relation);
	Datum	   *values = palloc0(sizeof(Datum) * tupdesc->natts);
	bool	   *nulls = palloc(sizeof(bool) * tupdesc->natts);
	MemoryContext before;
	HeapTuple	row;
	int			number = 0;

	for (int i = 0; i < tupdesc->natts; i++)
	{
		nulls[i] = true;
		if (!TupleDescAttr(tupdesc, i)->attisdropped)
			values[i] = SPI_getbinval(result, result_desc, ++number, &nulls[i]);
	}
	before = MemoryContextSwitchTo(sample->context);
	row = heap_form_tuple(tupdesc, values, nulls);
	MemoryContextSwitchTo(before);
	pfree(values);
	pfree(nulls);
	return row;
}

static void
add_row(Sample *sample, HeapTuple result, TupleDesc result_desc)
{
	if (sample->seen++ % sample->stride != 0)
		return;
	if (sample->count == sample->limit)
		thin(sample);
	sample->rows[sample->count] = table_row(sample, result, result_desc);
	sample->bytes += row_size(sample->rows[sample->count++]);
	while (sample->bytes > (Size) maintenance_work_mem * 1024 && sample->count > 1)
		thin(sample);
}

static void
read_rows(Sample *sample)
{
	StringInfoData query;
	Portal		portal;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT * FROM ONLY %s",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(sample->relation)),
												RelationGetRelationName(sample->relation)));
	portal = SPI_cursor_open_with_args(NULL, query.data, 0, NULL, NULL, NULL, true, 0);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
			add_row(sample, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		SPI_freetuptable(SPI_tuptable);
		vacuum_delay_point();
	}
	SPI_cursor_close(portal);
}

static void
draw(Sample *sample, double percent)
{
	sampled_table = RelationGetRelid(sample->relation);
	sampled_percent = percent;
	PG_TRY();
	{
		SPI_connect();
		read_rows(sample);
		SPI_finish();
	}
	PG_FINALLY();
	{
		sampled_table = InvalidOid;
	}
	PG_END_TRY();
}

static int
acquire_rows(Relation relation, int elevel, HeapTuple *rows, int targrows,
			 double *totalrows, double *totaldeadrows)
{
	Sample		sample = {
		.rows = rows, .limit = targrows, .stride = 1,
		.context = CurrentMemoryContext, .relation = relation
	};

	*totaldeadrows = 0;
	*totalrows = count_rows(relation);
	draw(&sample, percent_of(*totalrows, targrows));
	ereport(elevel,
			(errmsg("\"%s\": %d rows in sample, %.0f total rows",
					RelationGetRelationName(relation), sample.count, *totalrows)));
	return sample.count;
}

/* A list of what the server has is no table of a session: nothing to sample. */
bool
rvbbit_analyze(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *totalpages)
{
	if (option_value(GetForeignTable(RelationGetRelid(relation))->options, "catalog") != NULL)
		return false;
	*func = acquire_rows;
	*totalpages = page_count(relation, count_rows(relation));
	return true;
}
