/*-------------------------------------------------------------------------
 *
 * python.c
 *	  The embedded interpreter: the only file that includes Python.h.
 *
 * The main thread holds the GIL after it started Python and gives it away at
 * the first request.  It takes it back after each request only where another
 * extension (plpython3u, Multicorn2) runs Python in this process too, and so
 * expects to find it held: elsewhere a call that was abandoned could hold up the main
 * thread.
 *
 *-------------------------------------------------------------------------
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "python.h"

#define BRAIN "rvbbit_fdw.native"

/* the module BRAIN, once it is imported */
static PyObject *brain = NULL;

/* the main thread's state while it does not hold the GIL */
static PyThreadState *main_state = NULL;

/* does somebody else use the interpreter in this process? */
static bool shared = false;

/* this thread's state while it does not hold the GIL */
static __thread PyThreadState *thread_state = NULL;

/*
 * plpython3u calls this before Py_Initialize(), which it believes to be its
 * own.  After ours, libpython's version would abort the process, so this one
 * stands before it: it adds the module to the running interpreter.
 */
__attribute__((visibility("default"))) int
PyImport_AppendInittab(const char *name, PyObject *(*init) (void))
{
	PyObject   *module;
	int			result;

	if (!Py_IsInitialized())
	{
		int			(*next) (const char *, PyObject *(*) (void));

		*(void **) &next = dlsym(RTLD_NEXT, "PyImport_AppendInittab");
		return next == NULL ? -1 : next(name, init);
	}
	shared = true;
	python_take_gil();
	module = init();
	if (module == NULL)
		return -1;
	result = PyDict_SetItemString(PyImport_GetModuleDict(), name, module);
	Py_DECREF(module);
	return result;
}

/*
 * Multicorn2 calls this one when it is loaded, and runs Python in the main
 * thread from then on.
 */
__attribute__((visibility("default"))) void
Py_Initialize(void)
{
	void		(*next) (void);

	if (Py_IsInitialized())
	{
		shared = true;
		python_take_gil();
		return;
	}
	*(void **) &next = dlsym(RTLD_NEXT, "Py_Initialize");
	if (next != NULL)
		next();
}

bool
python_started(void)
{
	return Py_IsInitialized();
}

bool
python_is_shared(void)
{
	return shared;
}

/*
 * An interpreter that takes nothing from the environment and does not touch
 * the locale, which belongs to PostgreSQL.  site is needed for the .pth file
 * that names our package.
 */
static PyStatus
initialize(void)
{
	PyPreConfig preconfig;
	PyConfig	config;
	PyStatus	status;

	PyPreConfig_InitIsolatedConfig(&preconfig);
	preconfig.utf8_mode = 1;
	status = Py_PreInitialize(&preconfig);
	if (PyStatus_Exception(status))
		return status;
	PyConfig_InitIsolatedConfig(&config);
	config.install_signal_handlers = 0;
	config.site_import = 1;
	status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	return status;
}

/* Start the interpreter if nobody did.  Main thread. */
bool
python_start(char *error, size_t size)
{
	PyStatus	status;

	if (brain != NULL || main_state != NULL)
		return true;
	if (Py_IsInitialized())
	{
		shared = true;
		return true;
	}
	status = initialize();
	if (!PyStatus_Exception(status))
		return true;
	snprintf(error, size, "%s", status.err_msg ? status.err_msg : "unknown reason");
	return false;
}

/* Let the helper threads run Python.  Main thread. */
void
python_give_gil(void)
{
	if (main_state == NULL)
		main_state = PyEval_SaveThread();
}

/* Take the GIL back, if somebody expects the main thread to hold it. */
void
python_take_gil(void)
{
	if (!shared || main_state == NULL)
		return;
	PyEval_RestoreThread(main_state);
	main_state = NULL;
}

void
python_enter_thread(void)
{
	(void) PyGILState_Ensure();
	thread_state = PyEval_SaveThread();
}

void
python_leave_thread(void)
{
	PyEval_RestoreThread(thread_state);
	PyGILState_Release(PyGILState_UNLOCKED);
}

/* A batch of so many rows need not be the last one. */
#define FULL_BATCH 100000

static void close_stream(RvbbitStream *stream);

static bool
import_brain(void)
{
	if (brain == NULL)
		brain = PyImport_ImportModule(BRAIN);
	return brain != NULL;
}

static char *
copy_text(PyObject *text)
{
	const char *utf8;

	if (text == NULL || text == Py_None)
		return NULL;
	utf8 = PyUnicode_AsUTF8(text);
	if (utf8 == NULL)
	{
		PyErr_Clear();
		return NULL;
	}
	return strdup(utf8);
}

/* A failure that the brain could not describe: it is not there, or broken. */
static void
set_plain_error(Request *request, const char *message, PyObject *exception)
{
	bool		no_room = exception && PyErr_GivenExceptionMatches(exception, PyExc_MemoryError);
	PyObject   *detail = exception && !no_room ? PyObject_Str(exception) : NULL;

	request->failed = true;
	request->error.sqlstate = strdup(no_room ? "53200" : "XX000");
	request->error.message = strdup(no_room ? "out of memory" : message);
	request->error.detail = copy_text(detail);
	Py_XDECREF(detail);
	PyErr_Clear();
}

/* Take (sqlstate, message, detail, hint, context); steals the reference. */
static bool
set_described_error(Request *request, PyObject *described)
{
	RequestError *error = &request->error;

	if (described == NULL || !PyTuple_Check(described) || PyTuple_Size(described) != 5)
	{
		Py_XDECREF(described);
		return false;
	}
	request->failed = true;
	error->sqlstate = copy_text(PyTuple_GetItem(described, 0));
	error->message = copy_text(PyTuple_GetItem(described, 1));
	error->detail = copy_text(PyTuple_GetItem(described, 2));
	error->hint = copy_text(PyTuple_GetItem(described, 3));
	error->context = copy_text(PyTuple_GetItem(described, 4));
	Py_DECREF(described);
	return true;
}

/* Turn the exception that was raised into the request's error. */
static void
set_raised_error(Request *request)
{
	PyObject   *exception = PyErr_GetRaisedException();

	if (brain == NULL)
		set_plain_error(request, "could not load the Python package \"rvbbit_fdw\"", exception);
	else if (!set_described_error(request, PyObject_CallMethod(brain, "describe", "O", exception)))
		set_plain_error(request, "could not describe an error", exception);
	Py_XDECREF(exception);
}

static void
set_stream_error(Request *request, struct ArrowArrayStream *stream)
{
	const char *text = stream->get_last_error(stream);
	PyObject   *described;

	described = PyObject_CallMethod(brain, "describe_text", "Ks",
									(unsigned long long) request->task, text ? text : "");
	if (!set_described_error(request, described))
		set_plain_error(request, "could not read from DuckDB", NULL);
}

static void
release_pins(Request *request)
{
	for (int i = 0; i < request->released_count; i++)
	{
		char		text[64];
		PyObject   *reply;

		snprintf(text, sizeof(text), "{\"version\": 1, \"pin\": %llu}",
				 (unsigned long long) request->released[i]);
		reply = PyObject_CallMethod(brain, "call", "Kss", (unsigned long long) request->task,
									"release_pin", text);
		if (reply == NULL)
			PyErr_Clear();
		Py_XDECREF(reply);
	}
}

static void
run_call(Request *request)
{
	PyObject   *reply;

	reply = PyObject_CallMethod(brain, "call", "Kss", (unsigned long long) request->task,
								request->operation, request->text);
	request->reply = copy_text(reply);
	if (request->reply == NULL)
		set_raised_error(request);
	Py_XDECREF(reply);
}

/* Move the stream out of its capsule, which then has nothing to release. */
static bool
take_stream(Request *request, PyObject *capsule)
{
	struct ArrowArrayStream *source = PyCapsule_GetPointer(capsule, "arrow_array_stream");

	if (source == NULL)
		return false;
	request->stream->stream = *source;
	request->stream->ended = false;
	source->release = NULL;
	return true;
}

/* Take the reply and the stream. */
static bool
take_opened(Request *request, PyObject *result)
{
	if (!PyTuple_Check(result) || PyTuple_Size(result) != 2)
	{
		PyErr_SetString(PyExc_TypeError, "open_scan did not return two values");
		return false;
	}
	request->reply = copy_text(PyTuple_GetItem(result, 0));
	return take_stream(request, PyTuple_GetItem(result, 1));
}

static void
read_schema(Request *request)
{
	RvbbitStream *stream = request->stream;
	int			rc;

	Py_BEGIN_ALLOW_THREADS
	rc = stream->stream.get_schema(&stream->stream, &stream->schema);
	Py_END_ALLOW_THREADS
	if (rc != 0)
		set_stream_error(request, &stream->stream);
}

static void
release_array(struct ArrowArray *array)
{
	if (array->release)
		array->release(array);
	array->release = NULL;
}

/* What DuckDB keeps for a query; batches that were read stay. */
static void
release_result(RvbbitStream *stream)
{
	if (stream->stream.release)
		stream->stream.release(&stream->stream);
	stream->stream.release = NULL;
}

static void
release_rows(RvbbitStream *stream)
{
	release_array(&stream->batch);
	release_array(&stream->ahead);
	release_result(stream);
}

/* Read a batch; at the end it has nothing to release. */
static void
read_batch(Request *request, struct ArrowArray *batch)
{
	RvbbitStream *stream = request->stream;
	int			rc;

	Py_BEGIN_ALLOW_THREADS
	rc = stream->stream.get_next(&stream->stream, batch);
	Py_END_ALLOW_THREADS
	if (rc != 0)
		set_stream_error(request, &stream->stream);
	else if (batch->release == NULL)
	{
		stream->ended = true;
		release_result(stream);
	}
}

/*
 * Have the next batch.  One that is not full is mostly the last; what follows
 * it is read as well, so that the main thread need not ask for it.
 */
static void
run_next(Request *request)
{
	RvbbitStream *stream = request->stream;

	release_array(&stream->batch);
	stream->batch = stream->ahead;
	stream->ahead.release = NULL;
	if (stream->batch.release == NULL)
		read_batch(request, &stream->batch);
	if (!request->failed && !stream->ended && stream->batch.length < FULL_BATCH)
		read_batch(request, &stream->ahead);
}

static void
run_open(Request *request)
{
	PyObject   *result;

	result = PyObject_CallMethod(brain, "open_scan", "Ks", (unsigned long long) request->task,
								 request->text);
	if (result != NULL && take_opened(request, result))
		read_schema(request);
	else
		set_raised_error(request);
	Py_XDECREF(result);
	if (!request->failed)
		run_next(request);
	if (request->failed)
		close_stream(request->stream);
}

/* Run an open scan once more, with other parameters. */
static void
run_again(Request *request)
{
	PyObject   *capsule;

	release_rows(request->stream);
	capsule = PyObject_CallMethod(brain, "open_again", "Ks", (unsigned long long) request->task,
								  request->text);
	if (capsule != NULL && take_stream(request, capsule))
		run_next(request);
	else
		set_raised_error(request);
	Py_XDECREF(capsule);
}

/* Release all that a stream holds, and its scan in the brain.  Needs the GIL. */
static void
close_stream(RvbbitStream *stream)
{
	PyObject   *result;

	release_rows(stream);
	if (stream->schema.release)
		stream->schema.release(&stream->schema);
	stream->schema.release = NULL;
	result = PyObject_CallMethod(brain, "close_scan", "K", (unsigned long long) stream->task);
	if (result == NULL)
		PyErr_Clear();
	Py_XDECREF(result);
}

/* Do what a request asks for.  Helper thread. */
void
python_run(Request *request)
{
	PyEval_RestoreThread(thread_state);
	if (!import_brain())
		set_raised_error(request);
	else
	{
		release_pins(request);
		switch (request->kind)
		{
			case REQUEST_CALL:
				run_call(request);
				break;
			case REQUEST_OPEN:
				run_open(request);
				break;
			case REQUEST_AGAIN:
				run_again(request);
				break;
			case REQUEST_NEXT:
				run_next(request);
				break;
			case REQUEST_CLOSE:
				close_stream(request->stream);
				break;
		}
	}
	thread_state = PyEval_SaveThread();
}

/* An abandoned request has ended: close what it opened.  Helper thread. */
void
python_undo(Request *request)
{
	if (request->stream == NULL || brain == NULL)
		return;
	PyEval_RestoreThread(thread_state);
	close_stream(request->stream);
	thread_state = PyEval_SaveThread();
}

/* Make a task stop soon.  Interrupter thread. */
void
python_interrupt(uint64_t task)
{
	PyGILState_STATE gil = PyGILState_Ensure();
	PyObject   *result;

	if (brain != NULL)
	{
		result = PyObject_CallMethod(brain, "interrupt", "K", (unsigned long long) task);
		if (result == NULL)
			PyErr_Clear();
		Py_XDECREF(result);
	}
	PyGILState_Release(gil);
}

/*
 * Import the brain and let it make what backends inherit.  Postmaster: no
 * other thread may exist before or after.
 */
bool
python_preload(char *error, size_t size)
{
	PyObject   *result = NULL;

	if (import_brain())
		result = PyObject_CallMethod(brain, "preload", NULL);
	if (result != NULL)
	{
		Py_DECREF(result);
		return true;
	}
	else
	{
		PyObject   *exception = PyErr_GetRaisedException();
		PyObject   *text = exception ? PyObject_Str(exception) : NULL;
		char	   *copy = copy_text(text);

		snprintf(error, size, "%s", copy ? copy : "unknown reason");
		free(copy);
		Py_XDECREF(text);
		Py_XDECREF(exception);
		Py_CLEAR(brain);
		return false;
	}
}
