/*-------------------------------------------------------------------------
 *
 * query.h
 *	  Whole (sub)queries that DuckDB runs.
 *
 * query.c looks at each query before it is planned and marks the maximal
 * parts that DuckDB can run (query_check.c: by their structure; the brain: by
 * what they compute).  query_plan.c turns a marked part into a custom scan,
 * which has PostgreSQL's own plan for it as a child; query_exec.c runs it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVBBIT_QUERY_H
#define RVBBIT_QUERY_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "nodes/extensible.h"
#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "nodes/pathnodes.h"

/*
 * What a marked subquery carries, and later the plan: nodes that copyObject()
 * can copy.
 */
typedef enum MarkField
{
	MARK_TREE,					/* for the brain: String, JSON */
	MARK_PARAMETERS,			/* expressions to compute at the start */
	MARK_SERVER,				/* List of one OID */
	MARK_SQL					/* for EXPLAIN: String */
} MarkField;

/* How the node is called in plans. */
#define QUERY_NODE_NAME "DuckDB Query"

/* query_check.c */
extern Oid	query_session_table(RangeTblEntry *rte);
extern bool query_reads_sessions(Query *query);
extern const char *query_refusal(Query *query, Oid *server);
extern bool query_gains(Query *query);
extern bool query_stays_apart(Query *query);

/* query_order.c */
extern Node *query_ordered_where(Query *query, Node *where);

/* query_walk.c */
extern char *walk_query(Query *query, ParamListInfo bound, List **parameters);

/* query_finish.c */
extern Query *query_split(Query *query, Bitmapset *local, bool having, Query **outer);
extern Bitmapset *query_finished(Query *query, bool *having);

/* query.c */
extern List *query_mark_of(RangeTblEntry *rte);
extern bool query_is_alone(Query *around, RangeTblEntry *rte);
extern bool query_is_inside(RangeTblEntry *rte);
extern char *query_reason_of(RangeTblEntry *rte);
extern List *query_mark_for(Query *query, Oid server, ParamListInfo bound);
extern Query *query_select_all(Query *query);
extern void query_fence(Query *query);
extern RangeTblEntry *query_put_around(Query *around, Query *query);
extern void query_install_hooks(void);

/* query_narrow.c */
extern List *query_narrowed(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte);

/* query_plan.c */
extern const CustomScanMethods query_scan_methods;
extern bool query_is_zero(Node *offset);
extern void query_add_path(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte);

/* query_verify.c */
extern char *query_row_as_text(TupleTableSlot *slot);
extern void query_compare(List *found, List *expected, bool is_open);

/* query_exec.c */
extern Node *query_create_state(CustomScan *plan);

#endif							/* RVBBIT_QUERY_H */
