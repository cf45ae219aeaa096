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

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

#include "rvbbit.h"

typedef struct Walk
{
	StringInfoData buf;
	Index		relid;			/* the scanned relation in the query */
	Oid			table;			/* and in the catalog */
	List	   *parameters;		/* expressions to compute at the start */
} Walk;

static void write_node(Walk *walk, Node *node);

static void
write_type(Walk *walk, Oid type, int32 typmod)
{
	request_string(&walk->buf, "type", type_name(type));
	appendStringInfo(&walk->buf, ",\"typmod\":%d", typmod);
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
