/*-------------------------------------------------------------------------
 *
 * interrupt.c
 *	  The main thread's side of a request: waiting, acting on interrupts,
 *	  stopping what cannot wait, and the end of the backend.
 *
 * The main thread never makes a call that can block.  It waits for the helper
 * and meanwhile does what PostgreSQL asks of it, by CHECK_FOR_INTERRUPTS().
 * If that raises an error the request is interrupted, and abandoned when it
 * has not ended after GRACE: DuckDB does not stop in each of its phases.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/s_lock.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "python.h"
#include "rvbbit.h"
#include "worker.h"

/* Milliseconds that an interrupted request may take to end; 200 in all. */
#define GRACE 100

/* Milliseconds that closing a scan may take before it is left to itself. */
#define CLOSE_GRACE 1000

/* Calls left to themselves at any one time; more would only burn the cores. */
#define MAX_ORPHANS 2

/* Looks at the request before the wait: a hand-over is shorter than a sleep. */
#define SPINS 1000

static bool prepared = false;
static bool exiting = false;
static int	done_fd = -1;
static WaitEventSet *wait_set = NULL;
static uint32 wait_event = 0;
static uint64 last_task = 0;

/* the request that the helper has now */
static Request *in_flight = NULL;

static bool
is_done(Request *request)
{
	return atomic_load(&request->state) == REQUEST_DONE;
}

/* Wait without acting on interrupts; false when the time is over. */
static bool
wait_quietly(Request *request, int milliseconds)
{
	while (!is_done(request) && milliseconds > 0)
	{
		struct pollfd fd = {.fd = done_fd, .events = POLLIN};
		uint64		count;

		if (poll(&fd, 1, 5) > 0 && read(done_fd, &count, sizeof(count)) < 0)
			milliseconds--;
		milliseconds -= 5;
	}
	return is_done(request);
}

/*
 * End a request that nobody waits for any more.  False if it had to be
 * abandoned: then it is gone, and its stream too.
 */
static bool
stop(Request *request, int grace)
{
	bool		done;

	in_flight = NULL;
	worker_interrupt(request->task);
	done = wait_quietly(request, grace);
	lifetime_set_exit();
	if (!done && worker_abandon(request))
	{
		stats_add(STAT_ABANDONED, 1);
		return false;
	}
	worker_stop_interrupting(request->task);
	return true;
}

/* FATAL comes here without passing any PG_CATCH. */
static void
stop_at_exit(int code, Datum arg)
{
	(void) code;
	(void) arg;
	exiting = true;
	if (in_flight == NULL)
		return;
	stats_add(STAT_CANCELS, 1);
	(void) stop(in_flight, GRACE);
}

/* At the first request of a backend. */
static void
prepare(void)
{
	if (prepared)
		return;
	lifetime_start_python();
	if (done_fd < 0)
		done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (done_fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create an event descriptor: %m")));
	ReserveExternalFD();
	wait_event = WaitEventExtensionNew("RvbbitRequest");
	wait_set = compat_create_wait_event_set(3);
	AddWaitEventToSet(wait_set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(wait_set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(wait_set, WL_SOCKET_READABLE, done_fd, NULL, NULL);
	before_shmem_exit(stop_at_exit, (Datum) 0);
	lifetime_limit_memory();
	prepared = true;
}

static Request *
new_request(RequestKind kind, RvbbitStream *stream)
{
	Request    *request = calloc(1, sizeof(Request));

	if (request == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	atomic_init(&request->state, REQUEST_RUNNING);
	request->kind = kind;
	request->stream = stream;
	request->task = stream ? stream->task : ++last_task;
	request->released = pin_take_released(&request->released_count);
	return request;
}

/* One wait; true if something happened that may have to be acted upon. */
static void
wait_once(long timeout)
{
	WaitEvent	event;
	uint64		count;

	if (WaitEventSetWait(wait_set, timeout, &event, 1, wait_event) == 0)
		return;
	if (event.events & WL_LATCH_SET)
		ResetLatch(MyLatch);
	if (event.events & WL_SOCKET_READABLE)
		(void) !read(done_fd, &count, sizeof(count));
}

static void
wait_for_orphans(void)
{
	while (worker_orphans() >= MAX_ORPHANS)
	{
		CHECK_FOR_INTERRUPTS();
		wait_once(10);
	}
}

static void
spin(Request *request)
{
	for (int i = 0; i < SPINS && !is_done(request); i++)
		SPIN_DELAY();
}

/*
 * Wait until the request is done.  On an error the request is stopped and
 * freed, and *stream set to NULL if it went with it.
 */
static void
wait_for(Request *request, RvbbitStream **stream)
{
	spin(request);
	PG_TRY();
	{
		while (!is_done(request))
		{
			wait_once(-1);
			CHECK_FOR_INTERRUPTS();
		}
		in_flight = NULL;
	}
	PG_CATCH();
	{
		stats_add(STAT_CANCELS, 1);
		if (stop(request, GRACE))
			request_free(request);
		else if (stream != NULL)
			*stream = NULL;
		python_take_gil();
		PG_RE_THROW();
	}
	PG_END_TRY();
	lifetime_set_exit();
	python_take_gil();
}

static void
start(Request *request)
{
	python_give_gil();
	if (worker_start(request, done_fd))
	{
		in_flight = request;
		return;
	}
	python_take_gil();
	request_free(request);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
			 errmsg("could not start a thread")));
}

/* The brain's UTF-8 in the server's encoding and in palloc'ed memory. */
static char *
to_server(const char *text)
{
	return text ? pstrdup(pg_any_to_server(text, strlen(text), PG_UTF8)) : NULL;
}

static int
sqlstate_code(const char *text)
{
	if (text == NULL || strlen(text) != 5)
		return ERRCODE_INTERNAL_ERROR;
	return MAKE_SQLSTATE(text[0], text[1], text[2], text[3], text[4]);
}

/* Take the error out of a request that failed, and free it. */
static void
take_failure(Request *request, RvbbitFailure *failure)
{
	failure->failed = true;
	failure->code = sqlstate_code(request->error.sqlstate);
	failure->message = to_server(request->error.message);
	failure->detail = to_server(request->error.detail);
	failure->hint = to_server(request->error.hint);
	failure->context = to_server(request->error.context);
	request_free(request);
}

/* Make a PostgreSQL error of a failure. */
void
rvbbit_raise(const RvbbitFailure *failure)
{
	ereport(ERROR,
			(errcode(failure->code),
			 errmsg_internal("%s", failure->message ? failure->message : "unknown error"),
			 failure->detail ? errdetail_internal("%s", failure->detail) : 0,
			 failure->hint ? errhint("%s", failure->hint) : 0,
			 failure->context ? errcontext("%s", failure->context) : 0));
}

/* Raise the error of a request, if it has one; that frees the request. */
static void
check_failed(Request *request)
{
	RvbbitFailure failure;

	if (!request->failed)
		return;
	take_failure(request, &failure);
	rvbbit_raise(&failure);
}

static char *
to_request(const char *text)
{
	return strdup(pg_server_to_any(text, strlen(text), PG_UTF8));
}

/* Parse the reply, free the request, pass on what the brain has to say. */
static Jsonb *
finish(Request *request)
{
	char	   *text = to_server(request->reply);
	Jsonb	   *reply;

	request_free(request);
	reply = reply_parse(text);
	reply_report(reply);
	return reply;
}

/*
 * Run one operation of the brain; the reply is a JSON object.  Raises the
 * brain's error, or what CHECK_FOR_INTERRUPTS() raises.
 */
Jsonb *
rvbbit_call(const char *operation, const char *text)
{
	Request    *request;

	prepare();
	wait_for_orphans();
	request = new_request(REQUEST_CALL, NULL);
	request->operation = operation;
	request->text = to_request(text);
	start(request);
	wait_for(request, NULL);
	check_failed(request);
	return finish(request);
}

static RvbbitStream *
new_stream(void)
{
	RvbbitStream *stream = calloc(1, sizeof(RvbbitStream));

	if (stream == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	stream->task = ++last_task;
	return stream;
}

/*
 * Open a scan: its stream with its schema and the first batch, and the reply;
 * NULL and the failure if the brain or DuckDB gave an error.  Interrupts are
 * raised.
 */
Jsonb *
rvbbit_try_open(RvbbitStream **stream, const char *text, RvbbitFailure *failure)
{
	Request    *request;

	failure->failed = false;
	prepare();
	wait_for_orphans();
	*stream = new_stream();
	request = new_request(REQUEST_OPEN, *stream);
	request->text = to_request(text);
	start(request);
	wait_for(request, stream);
	if (!request->failed)
		return finish(request);
	stream_free(*stream);
	*stream = NULL;
	take_failure(request, failure);
	return NULL;
}

/* Have something done with an open stream; false, with the failure, if that did not go. */
static bool
try_with_stream(RequestKind kind, RvbbitStream **stream, const char *text, RvbbitFailure *failure)
{
	Request    *request;

	failure->failed = false;
	wait_for_orphans();
	request = new_request(kind, *stream);
	request->text = text ? to_request(text) : NULL;
	start(request);
	wait_for(request, stream);
	if (request->failed)
		take_failure(request, failure);
	else
		request_free(request);
	return !failure->failed;
}

/*
 * Run an open scan once more, with other parameters; the schema stays.  After
 * a failure it can only be closed.
 */
bool
rvbbit_try_again(RvbbitStream **stream, const char *parameters, RvbbitFailure *failure)
{
	return try_with_stream(REQUEST_AGAIN, stream, parameters, failure);
}

/* Read the next batch; false at the end, or with the failure. */
bool
rvbbit_try_next(RvbbitStream **stream, RvbbitFailure *failure)
{
	failure->failed = false;
	return !(*stream)->ended && try_with_stream(REQUEST_NEXT, stream, NULL, failure) &&
		(*stream)->batch.release != NULL;
}

/*
 * Close a scan.  Never raises an error and takes no longer than CLOSE_GRACE:
 * it runs in memory-context callbacks, also in an aborted transaction.
 */
void
rvbbit_close(RvbbitStream **stream)
{
	Request    *request;

	if (*stream == NULL || exiting)
		return;
	request = calloc(1, sizeof(Request));
	if (request == NULL)
		return;
	atomic_init(&request->state, REQUEST_RUNNING);
	request->kind = REQUEST_CLOSE;
	request->stream = *stream;
	request->task = (*stream)->task;
	python_give_gil();
	if (worker_start(request, done_fd))
	{
		spin(request);
		if (wait_quietly(request, GRACE) || stop(request, CLOSE_GRACE))
		{
			stream_free(*stream);
			request_free(request);
		}
	}
	python_take_gil();
	*stream = NULL;
}
