/*-------------------------------------------------------------------------
 *
 * walk.h
 *	  Expressions as JSON: what differs between those who send them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVBBIT_WALK_H
#define RVBBIT_WALK_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

typedef enum WalkVar
{
	WALK_COLUMN,				/* write it as a column */
	WALK_OUTER,					/* its value is known when the scan starts */
	WALK_OTHER					/* it cannot be used */
} WalkVar;

typedef struct Walk Walk;

struct Walk
{
	StringInfoData buf;
	List	   *parameters;		/* expressions to compute at the start */

	/* What is a Var of the query here? */
	WalkVar		(*classify) (Walk *walk, Var *var);

	/* Write the field of a column beyond its number: its name, its relation. */
	void		(*write_column) (Walk *walk, Var *var);

	/* Write a node that the walker does not write; false: it is "other".  May be NULL. */
	bool		(*write_unknown) (Walk *walk, Node *node);
	void	   *argument;		/* of the callbacks */

	/* the walker's own */
	Node	   *case_argument;	/* x of CASE x WHEN, while a condition is written */
	int			depth;
};

extern void walk_begin(Walk *walk);
extern void walk_node(Walk *walk, Node *node);
extern void walk_list(Walk *walk, List *nodes);
extern void walk_type(Walk *walk, Oid type, int32 typmod);
extern void walk_collation(Walk *walk, Oid collation);
extern bool walk_is_large(Oid type, Datum value);

#endif							/* RVBBIT_WALK_H */
