/*-------------------------------------------------------------------------
 *
 * lifetime.c
 *	  How Python begins in a backend, and how a backend that used it ends.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "storage/ipc.h"

#include "python.h"
#include "rvbbit.h"

/* a directory to remove at exit, malloc'ed */
static char *cleanup_directory = NULL;

/*
 * plpython3u was loaded before us but has not started Python yet.  It must do
 * so first: in a running interpreter it would abort the process, because its
 * call of PyImport_AppendInittab() is bound to libpython's.
 */
static void
let_plpython_start_python(void)
{
	LOCAL_FCINFO(fcinfo, 1);
	InlineCodeBlock *block = makeNode(InlineCodeBlock);
	FmgrInfo	function;
	PGFunction	handler;

	handler = (PGFunction) load_external_function("$libdir/plpython3",
												  "plpython3_inline_handler", false, NULL);
	if (handler == NULL)
		return;
	block->source_text = "pass";
	block->atomic = true;
	memset(&function, 0, sizeof(function));
	function.fn_addr = handler;
	function.fn_mcxt = CurrentMemoryContext;
	function.fn_nargs = 1;
	InitFunctionCallInfoData(*fcinfo, &function, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = PointerGetDatum(block);
	fcinfo->args[0].isnull = false;
	(void) FunctionCallInvoke(fcinfo);
}

/* Start the interpreter in this backend, if the postmaster has not. */
void
lifetime_start_python(void)
{
	char		error[256];

	if (!python_started() && dlsym(RTLD_DEFAULT, "PyInit_plpy") != NULL)
		let_plpython_start_python();
	if (!python_start(error, sizeof(error)))
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("could not start Python"),
				 errdetail_internal("%s", error)));
}

/* The private memory of this process in bytes; 0 if it cannot be known. */
static uint64
private_memory(void)
{
	unsigned long pages = 0;
	FILE	   *file = fopen("/proc/self/statm", "r");

	if (file == NULL)
		return 0;
	if (fscanf(file, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return (uint64) pages * sysconf(_SC_PAGESIZE);
}

/*
 * DuckDB does not count all that it allocates: one text of 2 GB made by a
 * stored view passes by its limit, and the kernel would kill the server.  So
 * the process has a limit too, beyond which an allocation is an ordinary
 * error.  It leaves PostgreSQL's own work in this backend some room.
 */
void
lifetime_limit_memory(void)
{
	struct rlimit limit;
	uint64		now = private_memory();

	if (rvbbit_process_limit == 0 || now == 0 || getrlimit(RLIMIT_DATA, &limit) != 0)
		return;
	limit.rlim_cur = Min(limit.rlim_max, now + (uint64) rvbbit_process_limit * 1024);
	(void) setrlimit(RLIMIT_DATA, &limit);
}

static void
remove_directory(const char *path)
{
	char		name[MAXPGPATH];
	DIR		   *dir = opendir(path);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
	{
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (unlink(name) != 0 && (errno == EISDIR || errno == EPERM))
			remove_directory(name);
	}
	closedir(dir);
	(void) rmdir(path);
}

static void
cleanup_at_exit(int code, Datum arg)
{
	(void) code;
	(void) arg;
	if (cleanup_directory != NULL)
		remove_directory(cleanup_directory);
}

/*
 * A call that was abandoned may still run in DuckDB: its destructors, which
 * exit() would run now, would pull the ground from under it.  PostgreSQL has
 * done everything by then.
 */
static void
leave_at_once(int status, void *arg)
{
	(void) arg;
	if (proc_exit_inprogress)
		_exit(status);
}

/*
 * Handlers run in reverse order, so ours must come after those of all that
 * the first request has loaded.
 */
void
lifetime_set_exit(void)
{
	static bool registered = false;

	if (!registered)
		(void) on_exit(leave_at_once, NULL);
	registered = true;
}

/* Have a directory of this backend's removed when it ends. */
void
lifetime_remove_at_exit(const char *directory)
{
	if (cleanup_directory != NULL && strcmp(cleanup_directory, directory) == 0)
		return;
	if (cleanup_directory == NULL)
		on_proc_exit(cleanup_at_exit, (Datum) 0);
	free(cleanup_directory);
	cleanup_directory = strdup(directory);
}
