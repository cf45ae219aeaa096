/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The helper thread and the interrupter thread.
 *
 * One helper runs one request at a time.  When a request is abandoned, its
 * helper is left to it as an *orphan* and the next request gets a new one.
 * The interrupter repeats its interrupts, because one that arrives before
 * the query has begun is lost.
 *
 * All signals are blocked in these threads and in those that DuckDB starts
 * from them: a PostgreSQL signal handler runs on the main thread or nowhere.
 *
 *-------------------------------------------------------------------------
 */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "python.h"

/* DuckDB recurses deeply: 1 MB was seen to overflow. */
#define STACK_SIZE (8 * 1024 * 1024)

/* how often an interrupt is repeated, in milliseconds */
#define INTERRUPT_PERIOD 5

/* a request in flight, and some orphans more than are ever allowed */
#define MAX_INTERRUPTED 16

typedef struct Worker
{
	sem_t		wake;
	Request    *request;
	int			done_fd;		/* eventfd that says: a request is done */
} Worker;

/* the helper that takes the next request; NULL: start one */
static Worker *worker = NULL;

static atomic_int orphans = 0;

/* the tasks that are to be interrupted, under this mutex */
static pthread_mutex_t interrupt_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t interrupt_wanted = PTHREAD_COND_INITIALIZER;
static uint64_t interrupted[MAX_INTERRUPTED];
static int	interrupted_count = 0;
static bool interrupter_started = false;

static bool
start_thread(void *(*body) (void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t	thread;
	sigset_t	all;
	sigset_t	before;
	int			rc;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, &attributes, body, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return rc == 0;
}

static void
wait_for_request(Worker *self)
{
	while (sem_wait(&self->wake) != 0 && errno == EINTR)
		;
}

static void
say_done(int fd)
{
	uint64_t	one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Do what is asked, and note how long it took. */
static void
run(Request *request)
{
	double		begin = now();

	python_run(request);
	if (request->stream != NULL)
		request->stream->seconds += now() - begin;
}

/*
 * The helper.  After the swap to DONE the request is the main thread's, so
 * nothing of it may be touched; if the swap is lost, it is ours.
 */
static void *
helper(void *argument)
{
	Worker	   *self = argument;

	python_enter_thread();
	for (;;)
	{
		Request    *request;
		int			running = REQUEST_RUNNING;

		wait_for_request(self);
		request = self->request;
		run(request);
		if (!atomic_compare_exchange_strong(&request->state, &running, REQUEST_DONE))
		{
			worker_stop_interrupting(request->task);
			python_undo(request);
			stream_free(request->stream);
			request_free(request);
			break;
		}
		say_done(self->done_fd);
	}
	python_leave_thread();
	sem_destroy(&self->wake);
	free(self);
	atomic_fetch_sub(&orphans, 1);
	return NULL;
}

static Worker *
start_worker(int done_fd)
{
	Worker	   *new_worker = calloc(1, sizeof(Worker));

	if (new_worker == NULL)
		return NULL;
	new_worker->done_fd = done_fd;
	sem_init(&new_worker->wake, 0, 0);
	if (start_thread(helper, new_worker))
		return new_worker;
	sem_destroy(&new_worker->wake);
	free(new_worker);
	return NULL;
}

/* Give a request to the helper; false if there can be no thread. */
bool
worker_start(Request *request, int done_fd)
{
	if (worker == NULL)
		worker = start_worker(done_fd);
	if (worker == NULL)
		return false;
	worker->request = request;
	sem_post(&worker->wake);
	return true;
}

/*
 * Leave a request to its helper.  False if it was done just now: then it is
 * still the caller's.
 */
bool
worker_abandon(Request *request)
{
	int			running = REQUEST_RUNNING;

	atomic_fetch_add(&orphans, 1);
	if (atomic_compare_exchange_strong(&request->state, &running, REQUEST_ABANDONED))
	{
		worker = NULL;
		return true;
	}
	atomic_fetch_sub(&orphans, 1);
	return false;
}

int
worker_orphans(void)
{
	return atomic_load(&orphans);
}

static void *
interrupter(void *argument)
{
	(void) argument;
	for (;;)
	{
		uint64_t	tasks[MAX_INTERRUPTED];
		int			count;
		struct timespec pause = {0, INTERRUPT_PERIOD * 1000000L};

		pthread_mutex_lock(&interrupt_mutex);
		while (interrupted_count == 0)
			pthread_cond_wait(&interrupt_wanted, &interrupt_mutex);
		count = interrupted_count;
		memcpy(tasks, interrupted, sizeof(tasks));
		pthread_mutex_unlock(&interrupt_mutex);
		for (int i = 0; i < count; i++)
			python_interrupt(tasks[i]);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Interrupt a task again and again, until worker_stop_interrupting(). */
void
worker_interrupt(uint64_t task)
{
	pthread_mutex_lock(&interrupt_mutex);
	if (interrupted_count < MAX_INTERRUPTED)
		interrupted[interrupted_count++] = task;
	if (!interrupter_started)
		interrupter_started = start_thread(interrupter, NULL);
	pthread_cond_signal(&interrupt_wanted);
	pthread_mutex_unlock(&interrupt_mutex);
}

void
worker_stop_interrupting(uint64_t task)
{
	pthread_mutex_lock(&interrupt_mutex);
	for (int i = 0; i < interrupted_count; i++)
		if (interrupted[i] == task)
			interrupted[i--] = interrupted[--interrupted_count];
	pthread_mutex_unlock(&interrupt_mutex);
}

void
request_free(Request *request)
{
	free(request->text);
	free(request->released);
	free(request->reply);
	free(request->error.sqlstate);
	free(request->error.message);
	free(request->error.detail);
	free(request->error.hint);
	free(request->error.context);
	free(request);
}

void
stream_free(RvbbitStream *stream)
{
	free(stream);
}
