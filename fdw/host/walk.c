/*-------------------------------------------------------------------------
 *
 * walk.c
 *	  PostgreSQL's expression trees as JSON (PROTOCOL.md, "Expression tree").
 *
 * Everything is named, nothing is numbered by OID: the brain knows no catalog.
 * What has no column of the scanned table in it and is not volatile becomes a
 * parameter, which PostgreSQL computes when the scan starts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "rvbbit.h"

typedef struct Walk
{
	StringInfoData buf;
	Index		relid;			/* the scanned relation in the query */
	Oid			table;			/* and in the catalog */
	List	   *parameters;		/* expressions to compute at the start */
} Walk;

static void write_node(Walk *walk, Node *node);

/* Values are written under these settings, whatever the session's are. */
int
fixed_output_begin(void)
{
	int			nestlevel = NewGUCNestLevel();

	(void) set_config_option("datestyle", "ISO", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("intervalstyle", "postgres", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("extra_float_digits", "1", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("timezone", "UTC", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return nestlevel;
}

void
fixed_output_end(int nestlevel)
{
	AtEOXact_GUC(true, nestlevel);
}

static char *
qualified(Oid namespace, const char *name)
{
	return psprintf("%s.%s", get_namespace_name_or_temp(namespace), name);
}

/* schema.name of a type, such as pg_catalog.int4 */
char *
type_name(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	form = (Form_pg_type) GETSTRUCT(tuple);
	name = qualified(form->typnamespace, NameStr(form->typname));
	ReleaseSysCache(tuple);
	return name;
}

/* schema.name(argument types) of a function */
static char *
function_name(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	StringInfoData buf;
	Form_pg_proc form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	initStringInfo(&buf);
	appendStringInfo(&buf, "%s(", qualified(form->pronamespace, NameStr(form->proname)));
	for (int i = 0; i < form->pronargs; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? "," : "", type_name(form->proargtypes.values[i]));
	appendStringInfoChar(&buf, ')');
	ReleaseSysCache(tuple);
	return buf.data;
}

/* schema.name(argument types) of an operator */
static char *
operator_name(Oid operator)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char	   *left = "";
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	if (OidIsValid(form->oprleft))
		left = psprintf("%s,", type_name(form->oprleft));
	name = psprintf("%s(%s%s)", qualified(form->oprnamespace, NameStr(form->oprname)),
					left, type_name(form->oprright));
	ReleaseSysCache(tuple);
	return name;
}

static void
write_scalar(StringInfo buf, Oid type, Datum value, bool isnull)
{
	Oid			output;
	bool		is_varlena;

	if (isnull)
	{
		appendStringInfoString(buf, "null");
		return;
	}
	getTypeOutputInfo(type, &output, &is_varlena);
	escape_json(buf, OidOutputFunctionCall(output, value));
}

static void
write_array(StringInfo buf, ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int16		length;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &elements, &nulls, &count);
	appendStringInfoChar(buf, '[');
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(buf, ',');
		write_scalar(buf, ARR_ELEMTYPE(array), elements[i], nulls[i]);
	}
	appendStringInfoChar(buf, ']');
}

/* null, text, or the elements of a one-dimensional array */
void
write_value(StringInfo buf, Oid type, Datum value, bool isnull)
{
	if (!isnull && type_is_array(type))
	{
		ArrayType  *array = DatumGetArrayTypeP(value);

		if (ARR_NDIM(array) <= 1)
		{
			write_array(buf, array);
			return;
		}
	}
	write_scalar(buf, type, value, isnull);
}

static void
write_type(Walk *walk, Oid type, int32 typmod)
{
	request_string(&walk->buf, "type", type_name(type));
	appendStringInfo(&walk->buf, ",\"typmod\":%d", typmod);
}

/* schema.name of a collation */
static char *
collation_name(Oid collation)
{
	HeapTuple	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	Form_pg_collation form;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	name = qualified(form->collnamespace, NameStr(form->collname));
	ReleaseSysCache(tuple);
	return name;
}

static void
write_collation(Walk *walk, Oid collation)
{
	if (!OidIsValid(collation))
	{
		appendStringInfoString(&walk->buf, ",\"collation\":null");
		return;
	}
	request_string(&walk->buf, "collation", collation_name(collation));
}

static void
write_list(Walk *walk, List *nodes)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoString(&walk->buf, ",\"arguments\":[");
	foreach(lc, nodes)
	{
		appendStringInfoString(&walk->buf, separator);
		write_node(walk, lfirst(lc));
		separator = ",";
	}
	appendStringInfoString(&walk->buf, "]}");
}

static void
begin_node(Walk *walk, const char *name)
{
	appendStringInfoChar(&walk->buf, '{');
	request_string(&walk->buf, "node", name);
}

static void
write_other(Walk *walk, Node *node)
{
	begin_node(walk, "other");
	appendStringInfo(&walk->buf, ",\"tag\":%d}", (int) nodeTag(node));
}

static void
write_call(Walk *walk, const char *kind, const char *name, Node *node, Oid collation, List *arguments)
{
	begin_node(walk, "call");
	request_string(&walk->buf, "kind", kind);
	request_string(&walk->buf, "name", name);
	write_type(walk, exprType(node), exprTypmod(node));
	write_collation(walk, collation);
	write_list(walk, arguments);
}

static void
write_column(Walk *walk, Var *var)
{
	if (var->varno != (int) walk->relid || var->varlevelsup != 0 || var->varattno <= 0)
	{
		write_other(walk, (Node *) var);
		return;
	}
	begin_node(walk, "column");
	appendStringInfo(&walk->buf, ",\"number\":%d", var->varattno);
	request_string(&walk->buf, "name", get_attname(walk->table, var->varattno, false));
	write_type(walk, var->vartype, var->vartypmod);
	write_collation(walk, var->varcollid);
	appendStringInfoChar(&walk->buf, '}');
}

static void
write_constant(Walk *walk, Const *constant)
{
	begin_node(walk, "constant");
	write_type(walk, constant->consttype, constant->consttypmod);
	write_collation(walk, constant->constcollid);
	appendStringInfoString(&walk->buf, ",\"value\":");
	write_value(&walk->buf, constant->consttype, constant->constvalue, constant->constisnull);
	appendStringInfoChar(&walk->buf, '}');
}

static void
write_parameter(Walk *walk, Node *node)
{
	begin_node(walk, "parameter");
	appendStringInfo(&walk->buf, ",\"index\":%d", list_length(walk->parameters));
	write_type(walk, exprType(node), exprTypmod(node));
	write_collation(walk, exprCollation(node));
	appendStringInfoChar(&walk->buf, '}');
	walk->parameters = lappend(walk->parameters, node);
}

static void
write_function(Walk *walk, FuncExpr *call)
{
	bool		is_cast = call->funcformat != COERCE_EXPLICIT_CALL;

	write_call(walk, is_cast ? "cast" : "function", function_name(call->funcid),
			   (Node *) call, call->inputcollid, call->args);
}

static void
write_any(Walk *walk, ScalarArrayOpExpr *any)
{
	begin_node(walk, "any");
	request_string(&walk->buf, "name", operator_name(any->opno));
	write_collation(walk, any->inputcollid);
	appendStringInfo(&walk->buf, ",\"all\":%s", any->useOr ? "false" : "true");
	write_list(walk, any->args);
}

static void
write_boolean(Walk *walk, BoolExpr *expression)
{
	static const char *const names[] = {"and", "or", "not"};

	begin_node(walk, names[expression->boolop]);
	write_list(walk, expression->args);
}

static void
write_null_test(Walk *walk, NullTest *test)
{
	if (test->argisrow)
	{
		write_other(walk, (Node *) test);
		return;
	}
	begin_node(walk, "null_test");
	appendStringInfo(&walk->buf, ",\"negated\":%s,\"argument\":",
					 test->nulltesttype == IS_NOT_NULL ? "true" : "false");
	write_node(walk, (Node *) test->arg);
	appendStringInfoChar(&walk->buf, '}');
}

static void
write_relabel(Walk *walk, RelabelType *relabel)
{
	begin_node(walk, "relabel");
	write_type(walk, relabel->resulttype, relabel->resulttypmod);
	appendStringInfoString(&walk->buf, ",\"argument\":");
	write_node(walk, (Node *) relabel->arg);
	appendStringInfoChar(&walk->buf, '}');
}

/* Can PostgreSQL compute this before the scan begins? */
static bool
is_computed_first(Node *node)
{
	if (IsA(node, Const))
		return false;
	return !contain_var_clause(node) && !contain_volatile_functions(node) && !contain_subplans(node);
}

static void
write_node(Walk *walk, Node *node)
{
	check_stack_depth();
	if (is_computed_first(node))
	{
		write_parameter(walk, node);
		return;
	}
	switch (nodeTag(node))
	{
		case T_Var:
			write_column(walk, castNode(Var, node));
			break;
		case T_Const:
			write_constant(walk, castNode(Const, node));
			break;
		case T_OpExpr:
			write_call(walk, "operator", operator_name(castNode(OpExpr, node)->opno), node,
					   castNode(OpExpr, node)->inputcollid, castNode(OpExpr, node)->args);
			break;
		case T_FuncExpr:
			write_function(walk, castNode(FuncExpr, node));
			break;
		case T_ScalarArrayOpExpr:
			write_any(walk, castNode(ScalarArrayOpExpr, node));
			break;
		case T_BoolExpr:
			write_boolean(walk, castNode(BoolExpr, node));
			break;
		case T_NullTest:
			write_null_test(walk, castNode(NullTest, node));
			break;
		case T_RelabelType:
			write_relabel(walk, castNode(RelabelType, node));
			break;
		default:
			write_other(walk, node);
			break;
	}
}

/*
 * A list of conditions as a JSON array.  *parameters becomes the list of the
 * expressions that are to be computed when the scan starts.
 */
char *
walk_conditions(List *clauses, Index relid, Oid table, List **parameters)
{
	Walk		walk = {.relid = relid, .table = table};
	const char *separator = "";
	int			nestlevel;
	ListCell   *lc;

	initStringInfo(&walk.buf);
	nestlevel = fixed_output_begin();
	appendStringInfoChar(&walk.buf, '[');
	foreach(lc, clauses)
	{
		appendStringInfoString(&walk.buf, separator);
		write_node(&walk, lfirst(lc));
		separator = ",";
	}
	appendStringInfoChar(&walk.buf, ']');
	fixed_output_end(nestlevel);
	*parameters = walk.parameters;
	return walk.buf.data;
}
