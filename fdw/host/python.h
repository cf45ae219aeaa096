/*-------------------------------------------------------------------------
 *
 * python.h
 *	  The embedded interpreter, behind functions that know neither PostgreSQL
 *	  nor each other's threads.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVBBIT_PYTHON_H
#define RVBBIT_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker.h"

/* main thread */
extern bool python_started(void);
extern bool python_start(char *error, size_t size);
extern bool python_preload(char *error, size_t size);
extern void python_give_gil(void);
extern void python_take_gil(void);
extern bool python_is_shared(void);

/* helper and interrupter threads */
extern void python_enter_thread(void);
extern void python_leave_thread(void);
extern void python_run(Request *request);
extern void python_undo(Request *request);
extern void python_interrupt(uint64_t task);

#endif							/* RVBBIT_PYTHON_H */
