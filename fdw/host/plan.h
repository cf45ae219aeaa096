/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  What DuckDB costs, and what the plan of a scan carries, from plan.c to
 *	  scan.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVBBIT_PLAN_H
#define RVBBIT_PLAN_H

#include "postgres.h"

#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"

/*
 * What DuckDB costs in units of cpu_tuple_cost and the like, as measured beside
 * a heap's scan: the start of a query, and so each rescan, takes as long as
 * about 400 pages that are in memory, and a row that is delivered as long as
 * three of a heap's.
 */
#define STARTUP_COST 400.0
#define ROW_COST 0.03

/*
 * How much more the start of a parameterised scan is charged for.  A rescan
 * costs a hundred times an index scan's, and estimates of outer rows are often
 * too low; reading all of a small table once never costs much.
 */
#define RESCAN_CAUTION 3.0

/*
 * fdw_private of the plan.  The conditions that DuckDB decides alone are in
 * fdw_recheck_quals too, what is left to PostgreSQL in the plan's qual.
 */
typedef enum PlanField
{
	PLAN_COLUMNS,				/* attribute numbers that are read: IntList */
	PLAN_ALL_COLUMNS,			/* the same if PostgreSQL checks everything */
	PLAN_CONDITIONS,			/* String, JSON; and how many of them DuckDB decides alone: Integer */
	PLAN_REASONS,				/* String for each clause of the plan's qual */
	PLAN_NOT_WHOLE,				/* String: why its query is not one of DuckDB's; empty: unknown */
	PLAN_FIELDS
} PlanField;

extern void plan_size(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void plan_paths(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern ForeignScan *plan_scan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *best_path,
							  List *tlist, List *scan_clauses, Plan *outer_plan);

#endif							/* RVBBIT_PLAN_H */
