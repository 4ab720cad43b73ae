/* pool.h: a few threads that share pieces of one job after the other.
 *
 * Which thread takes which piece is left to chance; nothing that is computed may depend on it.
 *
 * Upstream: base. Downstream: engine, backends, check.
 */
#ifndef DOJIMA_WORK_POOL_H
#define DOJIMA_WORK_POOL_H

#include <stdint.h>

enum { POOL_THREADS_MAX = 256 };

struct pool;

/* threads 0: as many as there are processors. NULL: no memory or no thread. */
struct pool *pool_open(uint32_t threads);
void pool_close(struct pool *p); /* NULL: nothing */
uint32_t pool_threads(const struct pool *p);

/* Calls piece(context, index, thread) for every index below `count`, and returns when all have
 * ended; thread < pool_threads: for scratch memory of its own. Not from within a piece. */
void pool_run(struct pool *p, uint32_t count,
              void (*piece)(void *context, uint32_t index, uint32_t thread), void *context);

#endif
