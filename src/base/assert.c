/* assert.c: see assert.h. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Thread_local uint64_t assert_seq_current;

_Noreturn void assert_failed(const char *file, int line, const char *expression)
{
    (void)fprintf(stderr, "dojima: bug: %s:%d: seq %llu: assertion failed: %s\n", file, line,
                  (unsigned long long)assert_seq_current, expression);
    (void)fflush(stderr);
    abort();
}
