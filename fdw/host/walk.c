/*-------------------------------------------------------------------------
 *
 * walk.c
 *	  PostgreSQL's expression trees as JSON (PROTOCOL.md, "Expression tree").
 *
 * Everything is named, nothing is numbered by OID: the brain knows no catalog.
 * What has no column in it and is not volatile becomes a parameter, which
 * PostgreSQL computes when the scan starts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

#include "rvbbit.h"
#include "walk.h"

/*
 * Levels of a tree that are written, and bytes of a constant: what is beyond
 * them costs DuckDB more to bind than PostgreSQL to check.
 */
#define MAX_DEPTH 100
#define MAX_CONSTANT (128 * 1024)
#define MAX_ELEMENTS 5000

void
walk_type(Walk *walk, Oid type, int32 typmod)
{
	request_string(&walk->buf, "type", type_name(type));
	if (typmod != -1)
		appendStringInfo(&walk->buf, ",\"typmod\":%d", typmod);
}

void
walk_collation(Walk *walk, Oid collation)
{
	if (OidIsValid(collation))
		request_string(&walk->buf, "collation", collation_name(collation));
}

/* [node, node, ...] */
void
walk_list(Walk *walk, List *nodes)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoChar(&walk->buf, '[');
	foreach(lc, nodes)
	{
		appendStringInfoString(&walk->buf, separator);
		walk_node(walk, lfirst(lc));
		separator = ",";
	}
	appendStringInfoChar(&walk->buf, ']');
}

static void
end_with_arguments(Walk *walk, List *nodes)
{
	appendStringInfoString(&walk->buf, ",\"arguments\":");
	walk_list(walk, nodes);
	appendStringInfoChar(&walk->buf, '}');
}

static void
end_with_argument(Walk *walk, void *node)
{
	appendStringInfoString(&walk->buf, ",\"argument\":");
	walk_node(walk, node);
	appendStringInfoChar(&walk->buf, '}');
}

static void
begin_node(Walk *walk, const char *name)
{
	appendStringInfoChar(&walk->buf, '{');
	request_string(&walk->buf, "node", name);
}

/* A node with the type of an expression, and a collation. */
static void
begin_typed(Walk *walk, const char *name, void *node, Oid collation)
{
	begin_node(walk, name);
	walk_type(walk, exprType(node), exprTypmod(node));
	walk_collation(walk, collation);
}

static void
write_other(Walk *walk, const char *what)
{
	begin_node(walk, "other");
	request_string(&walk->buf, "tag", what);
	appendStringInfoChar(&walk->buf, '}');
}

static const char *
name_other(Node *node)
{
	switch (nodeTag(node))
	{
		case T_SubLink:
		case T_SubPlan:
		case T_AlternativeSubPlan:
			return "a subquery";
		case T_RowExpr:
		case T_RowCompareExpr:
		case T_FieldSelect:
		case T_FieldStore:
		case T_ConvertRowtypeExpr:
		case T_NullTest:
			return "a row";
		case T_Var:
			return castNode(Var, node)->varattno == 0 ? "a whole row" :
				castNode(Var, node)->varattno < 0 ? "a system column" :
				"a column of another table";
		case T_ArrayExpr:
		case T_SubscriptingRef:
			return "an array of several dimensions, a slice, or an element of something else than an array";
		case T_ArrayCoerceExpr:
			return "a cast of an array";
		case T_CoerceToDomain:
		case T_CoerceToDomainValue:
			return "a cast to a domain";
		case T_CaseTestExpr:
		case T_CaseExpr:
			return "CASE of another CASE";
		case T_Const:
			return "a very long constant";
		case T_FuncExpr:
		case T_OpExpr:
			return "a function that returns a set, or takes any number of arguments as an array";
		default:
			return "an expression of a kind that is not known";
	}
}

static void
write_call(Walk *walk, const char *kind, const char *name, Node *node, Oid collation, List *arguments)
{
	begin_node(walk, "call");
	request_string(&walk->buf, "kind", kind);
	request_string(&walk->buf, "name", name);
	walk_type(walk, exprType(node), exprTypmod(node));
	walk_collation(walk, collation);
	end_with_arguments(walk, arguments);
}

static bool
write_column(Walk *walk, Var *var)
{
	if (var->varattno <= 0 || walk->classify(walk, var) != WALK_COLUMN)
		return false;
	begin_node(walk, "column");
	appendStringInfo(&walk->buf, ",\"number\":%d", var->varattno);
	walk->write_column(walk, var);
	walk_type(walk, var->vartype, var->vartypmod);
	walk_collation(walk, var->varcollid);
	appendStringInfoChar(&walk->buf, '}');
	return true;
}

/* Is a value too long to be sent? */
bool
walk_is_large(Oid type, Datum value)
{
	if (get_typlen(type) != -1)
		return false;
	if (toast_raw_datum_size(value) > MAX_CONSTANT)
		return true;
	if (!type_is_array(type))
		return false;
	return ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(value)),
						  ARR_DIMS(DatumGetArrayTypeP(value))) > MAX_ELEMENTS;
}

static bool
write_constant(Walk *walk, Const *constant)
{
	if (!constant->constisnull && walk_is_large(constant->consttype, constant->constvalue))
		return false;
	begin_node(walk, "constant");
	walk_type(walk, constant->consttype, constant->consttypmod);
	walk_collation(walk, constant->constcollid);
	appendStringInfoString(&walk->buf, ",\"value\":");
	write_value(&walk->buf, constant->consttype, constant->constvalue, constant->constisnull);
	appendStringInfoChar(&walk->buf, '}');
	return true;
}

static void
write_parameter(Walk *walk, Node *node)
{
	begin_node(walk, "parameter");
	appendStringInfo(&walk->buf, ",\"index\":%d", list_length(walk->parameters));
	walk_type(walk, exprType(node), exprTypmod(node));
	walk_collation(walk, exprCollation(node));
	appendStringInfoChar(&walk->buf, '}');
	walk->parameters = lappend(walk->parameters, node);
}

static bool
write_function(Walk *walk, FuncExpr *call)
{
	bool		is_cast = call->funcformat != COERCE_EXPLICIT_CALL &&
		call->funcformat != COERCE_SQL_SYNTAX;

	/* Then an array stands for the arguments, which the name does not say. */
	if (call->funcretset ||
		(call->funcvariadic && get_func_variadictype(call->funcid) == ANYOID))
		return false;
	write_call(walk, is_cast ? "cast" : "function", function_name(call->funcid),
			   (Node *) call, call->inputcollid, call->args);
	return true;
}

static bool
write_operator(Walk *walk, OpExpr *call)
{
	if (call->opretset)
		return false;
	write_call(walk, "operator", operator_name(call->opno), (Node *) call, call->inputcollid,
			   call->args);
	return true;
}

/* IS DISTINCT FROM and NULLIF, which have the fields of an operator's call. */
static bool
write_comparison(Walk *walk, OpExpr *call, const char *name)
{
	begin_node(walk, name);
	request_string(&walk->buf, "name", operator_name(call->opno));
	walk_type(walk, exprType((Node *) call), exprTypmod((Node *) call));
	walk_collation(walk, call->inputcollid);
	end_with_arguments(walk, call->args);
	return true;
}

static bool
write_any(Walk *walk, ScalarArrayOpExpr *any)
{
	begin_node(walk, "any");
	request_string(&walk->buf, "name", operator_name(any->opno));
	walk_collation(walk, any->inputcollid);
	appendStringInfo(&walk->buf, ",\"all\":%s", any->useOr ? "false" : "true");
	end_with_arguments(walk, any->args);
	return true;
}

static bool
write_boolean(Walk *walk, BoolExpr *expression)
{
	static const char *const names[] = {
		[AND_EXPR] = "and", [OR_EXPR] = "or", [NOT_EXPR] = "not"
	};

	begin_node(walk, names[expression->boolop]);
	end_with_arguments(walk, expression->args);
	return true;
}

static bool
write_null_test(Walk *walk, NullTest *test)
{
	if (test->argisrow)
		return false;
	begin_node(walk, "null_test");
	appendStringInfo(&walk->buf, ",\"negated\":%s",
					 test->nulltesttype == IS_NOT_NULL ? "true" : "false");
	end_with_argument(walk, test->arg);
	return true;
}

static bool
write_boolean_test(Walk *walk, BooleanTest *test)
{
	static const char *const names[] = {
		[IS_TRUE] = "true", [IS_NOT_TRUE] = "not_true", [IS_FALSE] = "false",
		[IS_NOT_FALSE] = "not_false", [IS_UNKNOWN] = "unknown", [IS_NOT_UNKNOWN] = "not_unknown"
	};

	begin_node(walk, "boolean_test");
	request_string(&walk->buf, "test", names[test->booltesttype]);
	end_with_argument(walk, test->arg);
	return true;
}

static bool
write_relabel(Walk *walk, RelabelType *relabel)
{
	begin_typed(walk, "relabel", relabel, relabel->resultcollid);
	end_with_argument(walk, relabel->arg);
	return true;
}

static bool
write_io_cast(Walk *walk, CoerceViaIO *cast)
{
	begin_typed(walk, "io_cast", cast, cast->resultcollid);
	end_with_argument(walk, cast->arg);
	return true;
}

static bool
has_case(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CaseExpr) || IsA(node, CaseTestExpr))
		return true;
	return expression_tree_walker(node, has_case, context);
}

static void
write_when(Walk *walk, CaseWhen *when, Node *argument)
{
	Node	   *before = walk->case_argument;

	appendStringInfoChar(&walk->buf, '[');
	walk->case_argument = argument;
	walk_node(walk, (Node *) when->expr);
	walk->case_argument = before;
	appendStringInfoChar(&walk->buf, ',');
	walk_node(walk, (Node *) when->result);
	appendStringInfoChar(&walk->buf, ']');
}

/*
 * The x of CASE x WHEN is written into each condition, which is why it may not
 * be a CASE of the same kind: the text would double with each level.
 */
static bool
write_case(Walk *walk, CaseExpr *expression)
{
	const char *separator = "";
	ListCell   *lc;

	if (has_case((Node *) expression->arg, NULL))
		return false;
	begin_typed(walk, "case", expression, expression->casecollid);
	appendStringInfoString(&walk->buf, ",\"whens\":[");
	foreach(lc, expression->args)
	{
		appendStringInfoString(&walk->buf, separator);
		write_when(walk, lfirst_node(CaseWhen, lc), (Node *) expression->arg);
		separator = ",";
	}
	appendStringInfoString(&walk->buf, "],\"default\":");
	if (expression->defresult != NULL)
		walk_node(walk, (Node *) expression->defresult);
	else
		appendStringInfoString(&walk->buf, "null");
	appendStringInfoChar(&walk->buf, '}');
	return true;
}

static bool
write_case_argument(Walk *walk)
{
	if (walk->case_argument == NULL)
		return false;
	walk_node(walk, walk->case_argument);
	return true;
}

static bool
write_coalesce(Walk *walk, CoalesceExpr *expression)
{
	begin_typed(walk, "coalesce", expression, expression->coalescecollid);
	end_with_arguments(walk, expression->args);
	return true;
}

static bool
write_extreme(Walk *walk, MinMaxExpr *expression)
{
	begin_typed(walk, expression->op == IS_GREATEST ? "greatest" : "least", expression,
				expression->inputcollid);
	end_with_arguments(walk, expression->args);
	return true;
}

static bool
write_array(Walk *walk, ArrayExpr *array)
{
	if (array->multidims)
		return false;
	begin_typed(walk, "array", array, array->array_collid);
	end_with_arguments(walk, array->elements);
	return true;
}

static bool
write_subscript(Walk *walk, SubscriptingRef *reference)
{
	if (reference->reflowerindexpr != NIL || reference->refassgnexpr != NULL ||
		list_length(reference->refupperindexpr) != 1 ||
		!type_is_array(reference->refcontainertype))
		return false;
	begin_typed(walk, "subscript", reference, reference->refcollid);
	end_with_arguments(walk, list_make2(reference->refexpr, linitial(reference->refupperindexpr)));
	return true;
}

static bool
is_not_computable(Node *node, void *context)
{
	Walk	   *walk = context;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
			return walk->classify(walk, castNode(Var, node)) != WALK_OUTER;
		case T_Param:
			return castNode(Param, node)->paramkind != PARAM_EXTERN &&
				castNode(Param, node)->paramkind != PARAM_EXEC;
		case T_CaseTestExpr:
		case T_CoerceToDomainValue:
		case T_PlaceHolderVar:
		case T_Aggref:
		case T_GroupingFunc:
		case T_WindowFunc:
		case T_SubLink:
		case T_SubPlan:
		case T_AlternativeSubPlan:
		case T_CurrentOfExpr:
			return true;
		default:
			return expression_tree_walker(node, is_not_computable, context);
	}
}

/* Can PostgreSQL compute this before the scan begins? */
static bool
is_computed_first(Walk *walk, Node *node)
{
	if (IsA(node, Const) || is_not_computable(node, walk))
		return false;
	return !contain_volatile_functions(node) && !expression_returns_set(node);
}

static bool
write_known(Walk *walk, Node *node)
{
	switch (nodeTag(node))
	{
		case T_Var:
			return write_column(walk, (Var *) node);
		case T_Const:
			return write_constant(walk, (Const *) node);
		case T_OpExpr:
			return write_operator(walk, (OpExpr *) node);
		case T_DistinctExpr:
			return write_comparison(walk, (OpExpr *) node, "distinct");
		case T_NullIfExpr:
			return write_comparison(walk, (OpExpr *) node, "nullif");
		case T_FuncExpr:
			return write_function(walk, (FuncExpr *) node);
		case T_ScalarArrayOpExpr:
			return write_any(walk, (ScalarArrayOpExpr *) node);
		case T_BoolExpr:
			return write_boolean(walk, (BoolExpr *) node);
		case T_NullTest:
			return write_null_test(walk, (NullTest *) node);
		case T_BooleanTest:
			return write_boolean_test(walk, (BooleanTest *) node);
		case T_RelabelType:
			return write_relabel(walk, (RelabelType *) node);
		case T_CoerceViaIO:
			return write_io_cast(walk, (CoerceViaIO *) node);
		case T_CaseExpr:
			return write_case(walk, (CaseExpr *) node);
		case T_CaseTestExpr:
			return write_case_argument(walk);
		case T_CoalesceExpr:
			return write_coalesce(walk, (CoalesceExpr *) node);
		case T_MinMaxExpr:
			return write_extreme(walk, (MinMaxExpr *) node);
		case T_ArrayExpr:
			return write_array(walk, (ArrayExpr *) node);
		case T_SubscriptingRef:
			return write_subscript(walk, (SubscriptingRef *) node);
		default:
			return false;
	}
}

/* Write one expression; fixed_output_begin() is the caller's. */
void
walk_node(Walk *walk, Node *node)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (walk->depth >= MAX_DEPTH)
	{
		write_other(walk, "an expression of more than 100 levels");
		return;
	}
	walk->depth++;
	if (is_computed_first(walk, node))
		write_parameter(walk, node);
	else if (!write_known(walk, node) &&
			 (walk->write_unknown == NULL || !walk->write_unknown(walk, node)))
		write_other(walk, name_other(node));
	walk->depth--;
}

void
walk_begin(Walk *walk)
{
	initStringInfo(&walk->buf);
	walk->parameters = NIL;
	walk->case_argument = NULL;
	walk->depth = 0;
}
