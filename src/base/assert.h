/* assert.h: assertions that stay on in release.
 *
 * An assertion states what must be true if the program is right. When one fails, the program is
 * wrong, and the only safe thing left is to stop at once and say where: the sequence number of the
 * command being applied is printed, so that `dojima replay --until` can stop just before it.
 * Nothing that a client can send may reach an assertion: input is validated into rejects first.
 *
 * Upstream: nothing. Downstream: everything.
 */
#ifndef DOJIMA_BASE_ASSERT_H
#define DOJIMA_BASE_ASSERT_H

#include <stdint.h>

/* The sequence number of the command that this thread is applying; 0 when none is. Written with
 * every command: the model spares a shared object the call that would find it. */
extern _Thread_local uint64_t assert_seq_current __attribute__((tls_model("initial-exec")));

/* Prints "file:line: seq N: expression" to standard error and aborts. Never returns. */
_Noreturn void assert_failed(const char *file, int line, const char *expression);

#define ASSERT(expression)                                                                        \
    (__builtin_expect(!!(expression), 1) ? (void)0                                                \
                                         : assert_failed(__FILE__, __LINE__, #expression))

#define ASSERT_SIZE(type, bytes)                                                                  \
    _Static_assert(sizeof(type) == (bytes), #type " must be " #bytes " bytes, without padding")

#endif
