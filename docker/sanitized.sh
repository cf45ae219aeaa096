#!/bin/sh
# Starts the server with a host that was built with AddressSanitizer and UndefinedBehaviorSanitizer: the first fault
# ends the backend by SIGABRT, with a report in the log. Leaks are not looked for: PostgreSQL frees by contexts.
LD_LIBRARY_PATH=/opt/sanitizers
LD_PRELOAD="/opt/sanitizers/libasan.so.8 /opt/sanitizers/libubsan.so.1"
ASAN_OPTIONS=abort_on_error=1:detect_leaks=0:detect_stack_use_after_return=0:allocator_may_return_null=1
UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1
export LD_LIBRARY_PATH LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS
# The limit of a process counts what the sanitizer reserves.
exec /opt/rvbbit/entrypoint.sh "$@" -c rvbbit.process_limit=0
