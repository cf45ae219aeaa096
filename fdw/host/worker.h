/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  The helper thread that makes every call that can block, and the thread
 *	  that interrupts it.
 *
 * Nothing here knows PostgreSQL or Python.  A request and its stream are
 * malloc'ed.  The main thread owns them, but for the time between
 * worker_start() and the state DONE, when the helper does.  A request that
 * the main thread has abandoned belongs to the helper, which frees it, with
 * its stream, when the call returns at last.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVBBIT_WORKER_H
#define RVBBIT_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arrow.h"

typedef struct RvbbitStream
{
	uint64_t	task;			/* the scan's number in the brain */
	struct ArrowArrayStream stream;
	struct ArrowSchema schema;
	struct ArrowArray batch;
	struct ArrowArray ahead;	/* the one after it, if it was read already */
	bool		ended;			/* there is none after these */
	double		seconds;		/* that opening and reading took */
} RvbbitStream;

/* An error of the brain or of DuckDB; text is malloc'ed UTF-8, NULL if absent. */
typedef struct RequestError
{
	char	   *sqlstate;
	char	   *message;
	char	   *detail;
	char	   *hint;
	char	   *context;
} RequestError;

typedef enum RequestKind
{
	REQUEST_CALL,
	REQUEST_OPEN,
	REQUEST_AGAIN,
	REQUEST_NEXT,
	REQUEST_CLOSE
} RequestKind;

enum
{
	REQUEST_RUNNING,
	REQUEST_DONE,
	REQUEST_ABANDONED
};

typedef struct Request
{
	atomic_int	state;
	RequestKind kind;
	uint64_t	task;
	const char *operation;		/* CALL: a literal */
	char	   *text;			/* CALL, OPEN, AGAIN: JSON, malloc'ed */
	uint64_t   *released;		/* pins to release first, malloc'ed */
	int			released_count;
	RvbbitStream *stream;		/* OPEN, AGAIN, NEXT, CLOSE */

	/* results */
	char	   *reply;			/* CALL, OPEN: JSON, malloc'ed */
	bool		failed;
	RequestError error;
} Request;

extern bool worker_start(Request *request, int done_fd);
extern void worker_interrupt(uint64_t task);
extern void worker_stop_interrupting(uint64_t task);
extern bool worker_abandon(Request *request);
extern int	worker_orphans(void);
extern void request_free(Request *request);
extern void stream_free(RvbbitStream *stream);

#endif							/* RVBBIT_WORKER_H */
