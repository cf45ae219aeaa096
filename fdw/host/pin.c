/*-------------------------------------------------------------------------
 *
 * pin.c
 *	  Which snapshots a statement shares.
 *
 * A pin is a number under which the brain keeps the snapshots that were taken
 * for one run of the executor, so that all scans of a statement see the same
 * state of a session.  From REPEATABLE READ on it lasts for the transaction.
 * Pins that have ended are sent along with the next request.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "utils/memutils.h"

#include "rvbbit.h"

typedef struct Pin
{
	dlist_node	node;
	EState	   *estate;
	uint64		number;
	MemoryContextCallback callback;
} Pin;

static dlist_head pins = DLIST_STATIC_INIT(pins);
static uint64 last_pin = 0;
static uint64 transaction_pin = 0;

/* ended, not yet told to the brain; malloc'ed, its size a power of two */
static uint64 *released = NULL;
static int	released_count = 0;

/* Must not fail: a pin that cannot be remembered lasts for the backend. */
static void
remember_released(uint64 number)
{
	if ((released_count & (released_count - 1)) == 0)
	{
		int			capacity = released_count == 0 ? 1 : released_count * 2;
		uint64	   *larger = realloc(released, capacity * sizeof(uint64));

		if (larger == NULL)
			return;
		released = larger;
	}
	released[released_count++] = number;
}

/* Hand over the pins that have ended; the caller frees the array. */
uint64 *
pin_take_released(int *count)
{
	uint64	   *result = released;

	*count = released_count;
	released = NULL;
	released_count = 0;
	return result;
}

static void
release_pin(void *argument)
{
	Pin		   *pin = argument;

	dlist_delete(&pin->node);
	remember_released(pin->number);
}

static Pin *
new_pin(EState *estate)
{
	Pin		   *pin = MemoryContextAlloc(estate->es_query_cxt, sizeof(Pin));

	pin->estate = estate;
	pin->number = ++last_pin;
	pin->callback.func = release_pin;
	pin->callback.arg = pin;
	dlist_push_head(&pins, &pin->node);
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &pin->callback);
	return pin;
}

static void
end_transaction(XactEvent event, void *arg)
{
	(void) arg;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			if (transaction_pin != 0)
				remember_released(transaction_pin);
			transaction_pin = 0;
			break;
		default:
			break;
	}
}

static uint64
pin_for_transaction(void)
{
	static bool registered = false;

	if (!registered)
		RegisterXactCallback(end_transaction, NULL);
	registered = true;
	if (transaction_pin == 0)
		transaction_pin = ++last_pin;
	return transaction_pin;
}

/* The pin of the statement, or of the transaction, that runs this executor. */
uint64
pin_for(EState *estate)
{
	dlist_iter	iter;

	if (IsolationUsesXactSnapshot())
		return pin_for_transaction();
	/* A recheck of a row is part of the statement that asks for it. */
	if (estate->es_epq_active != NULL)
		estate = estate->es_epq_active->parentestate;
	dlist_foreach(iter, &pins)
	{
		Pin		   *pin = dlist_container(Pin, node, iter.cur);

		if (pin->estate == estate)
			return pin->number;
	}
	return new_pin(estate)->number;
}
