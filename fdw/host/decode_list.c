/*-------------------------------------------------------------------------
 *
 * decode_list.c
 *	  Arrow lists to PostgreSQL's arrays.
 *
 * A list of lists becomes one array of as many dimensions, which has to be
 * rectangular: lists inside are all as long as each other, and none is null.
 * The elements of a row then lie side by side in the innermost Arrow array.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "varatt.h"

#include "decode.h"

/* Elements between two looks for an interrupt. */
#define ELEMENTS_PER_CHECK 4096

/* One level of lists. */
typedef struct Level
{
	int64		size;			/* of each list; -1: by offsets */

	/* the batch */
	const uint8 *validity;
	const int64 *offsets;
	int64		offset;			/* of the first list */

	void	   *exact[2];		/* for decode_check.c */
} Level;

struct RvbbitList
{
	RvbbitColumn element;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	bool		copied;			/* elements lie in Arrow as in an array */
	int			depth;
	Level		levels[MAXDIM];
};

/* Elements, or the lists of one level: "count" of them from "start". */
typedef struct Range
{
	int64		start;
	int64		count;
} Range;

/* "+L" is a list with offsets of 64 bits, "+w:n" one of n elements. */
static bool
parse_level(const char *format, int64 *size)
{
	*size = -1;
	if (strcmp(format, "+L") == 0)
		return true;
	return sscanf(format, "+w:" INT64_FORMAT, size) == 1 && *size >= 0;
}

/* Are the elements what the array has in memory, if none of them is null? */
static bool
is_copied(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
			return true;
		default:
			return false;
	}
}

static Range
list_range(const Level *level, int64 row)
{
	int64		at = row + level->offset;
	Range		range = {at * level->size, level->size};

	if (level->size < 0)
	{
		range.start = level->offsets[at];
		range.count = level->offsets[at + 1] - range.start;
	}
	return range;
}

/* The lists of a range, which have to be alike, as one range of what they hold. */
static Range
flatten(RvbbitColumn *column, const Level *level, Range lists, int *length)
{
	Range		inner = {0, 0};

	for (int64 i = 0; i < lists.count; i++)
	{
		Range		range = list_range(level, lists.start + i);

		if (level->validity != NULL && !bit_is_set(level->validity, lists.start + i + level->offset))
			value_error(column, ERRCODE_ARRAY_SUBSCRIPT_ERROR,
						"has a null in place of an inner list, which an array cannot hold", NULL);
		if (i == 0)
			inner.start = range.start;
		else if (range.count != *length)
			value_error(column, ERRCODE_ARRAY_SUBSCRIPT_ERROR,
						"has inner lists of different lengths, which an array cannot hold", NULL);
		if (range.count < 0 || range.count > (int64) MaxArraySize - inner.count)
			value_error(column, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "has too many elements for an array", NULL);
		*length = (int) range.count;
		inner.count += range.count;
		if (i % ELEMENTS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return inner;
}

/* The elements of a row and the array's dimensions. */
static Range
elements_of(RvbbitColumn *column, int64 row, int *dims)
{
	RvbbitList *list = column->list;
	Range		range = {row, 1};

	for (int i = 0; i < list->depth; i++)
		range = flatten(column, &list->levels[i], range, &dims[i]);
	return range;
}

static bool
has_nulls(const RvbbitColumn *element, Range range)
{
	if (element->validity == NULL)
		return false;
	for (int64 i = 0; i < range.count; i++)
		if (column_is_null(element, range.start + i))
			return true;
	return false;
}

/* An array without nulls, its elements as they lie in Arrow. */
static Datum
copy_elements(RvbbitList *list, Range range, int *dims)
{
	Size		header = ARR_OVERHEAD_NONULLS(list->depth);
	Size		bytes = (Size) range.count * list->typlen;
	ArrayType  *array = palloc(header + bytes);

	SET_VARSIZE(array, header + bytes);
	array->ndim = list->depth;
	array->dataoffset = 0;
	array->elemtype = list->element.type;
	for (int i = 0; i < list->depth; i++)
	{
		ARR_DIMS(array)[i] = dims[i];
		ARR_LBOUND(array)[i] = 1;
	}
	memcpy(ARR_DATA_PTR(array),
		   (const char *) list->element.values + (range.start + list->element.offset) * list->typlen, bytes);
	return PointerGetDatum(array);
}

static Datum
build_elements(RvbbitList *list, Range range, int *dims)
{
	RvbbitColumn *element = &list->element;
	Datum	   *values = palloc(sizeof(Datum) * range.count);
	bool	   *nulls = palloc(sizeof(bool) * range.count);
	int			lower[MAXDIM] = {1, 1, 1, 1, 1, 1};

	for (int64 i = 0; i < range.count; i++)
	{
		if (i % ELEMENTS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		nulls[i] = column_is_null(element, range.start + i);
		values[i] = nulls[i] ? (Datum) 0 : element->decode(element, range.start + i);
	}
	return PointerGetDatum(construct_md_array(values, nulls, list->depth, dims, lower, element->type,
											  list->typlen, list->typbyval, list->typalign));
}

static Datum
decode_list(RvbbitColumn *column, int64 row)
{
	RvbbitList *list = column->list;
	int			dims[MAXDIM] = {0};
	Range		range = elements_of(column, row, dims);

	if (dims[0] > 0 && range.count == 0)
		value_error(column, ERRCODE_ARRAY_SUBSCRIPT_ERROR,
					"has inner lists that are empty, which an array cannot hold", NULL);
	if (range.count == 0)
		return PointerGetDatum(construct_empty_array(list->element.type));
	if (list->copied && !has_nulls(&list->element, range))
		return copy_elements(list, range, dims);
	return build_elements(list, range, dims);
}

/* Choose how lists are decoded whose elements that decoder takes. */
void
list_choose(RvbbitColumn *column, const char *decoder, const struct ArrowSchema *schema,
			MemoryContext context)
{
	RvbbitList *list = MemoryContextAllocZero(context, sizeof(RvbbitList));
	RvbbitColumn *element = &list->element;

	while (list->depth < MAXDIM && schema->n_children == 1 &&
		   parse_level(schema->format, &list->levels[list->depth].size))
	{
		list->depth++;
		schema = schema->children[0];
	}
	element->type = get_element_type(column->type);
	if (list->depth == 0 || !OidIsValid(element->type))
		elog(ERROR, "decoder \"%s[]\" does not fit Arrow format \"%s\" and type %u of column \"%s\"",
			 decoder, schema->format, column->type, column->name);
	element->typmod = column->typmod;
	element->name = column->name;
	element->table = column->table;
	column_choose(element, decoder, schema, context);
	get_typlenbyvalalign(element->type, &list->typlen, &list->typbyval, &list->typalign);
	list->copied = is_copied(element->type);
	column->list = list;
	column->decode = decode_list;
}

/* Point the lists and their elements at a batch. */
void
list_bind(RvbbitColumn *column, const struct ArrowArray *array)
{
	RvbbitList *list = column->list;

	for (int i = 0; i < list->depth; i++)
	{
		Level	   *level = &list->levels[i];

		if (array->n_children != 1)
			elog(ERROR, "an Arrow list of column \"%s\" has " INT64_FORMAT " children",
				 column->name, (int64) array->n_children);
		level->offset = i == 0 ? column->offset : array->offset;
		level->validity = array->null_count == 0 ? NULL : array->buffers[0];
		level->offsets = level->size < 0 ? array->buffers[1] : NULL;
#ifdef RVBBIT_CHECK_DECODER
		level->validity = check_exact(&level->exact[0], level->validity, (level->offset + array->length + 7) / 8);
		level->offsets = check_exact(&level->exact[1], level->offsets,
									 (level->offset + array->length + 1) * sizeof(int64));
#endif
		array = array->children[0];
	}
	column_bind(&list->element, array, 0);
}
