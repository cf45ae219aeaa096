/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Everything that depends on the version of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVBBIT_COMPAT_H
#define RVBBIT_COMPAT_H

#include "postgres.h"

#include "catalog/pg_database.h"
#include "optimizer/pathnode.h"
#include "storage/latch.h"

#if PG_VERSION_NUM < 170000 || PG_VERSION_NUM >= 180000
#error "rvbbit_fdw is built for PostgreSQL 17"
#endif

/* A wait event set that lives as long as the backend. */
#define compat_create_wait_event_set(nevents) \
	CreateWaitEventSet(NULL, (nevents))

/* A scan path: no pathkeys, no outer path, no pushed join. */
#define compat_scan_path(root, rel, rows, startup, total, required_outer) \
	create_foreignscan_path((root), (rel), NULL, (rows), (startup), (total), \
							NIL, (required_outer), NULL, NIL, NIL)

/* The name of a database's locale under the providers icu and builtin. */
#define COMPAT_DATABASE_LOCALE Anum_pg_database_datlocale

#endif							/* RVBBIT_COMPAT_H */
