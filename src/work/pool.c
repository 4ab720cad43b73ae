/* pool.c: see pool.h. A thread that finds no work looks for some microseconds before it sleeps: a
 * forward pass has hundreds of short jobs, and to wake a thread costs more than most of them. */
#include "work/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/assert.h"

enum { LOOKS = 1000 };

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t begun, ended;
    uint32_t threads;         /* with the caller's */
    _Atomic uint64_t job;     /* counts jobs; odd: stop */
    _Atomic uint32_t next;    /* piece to be taken */
    _Atomic uint32_t working; /* threads that have not left the job */
    uint32_t count;
    void (*piece)(void *context, uint32_t index, uint32_t thread);
    void *context;
    struct worker {
        struct pool *pool;
        uint32_t number;
        pthread_t thread;
    } workers[POOL_THREADS_MAX];
};

static void look(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void take_pieces(struct pool *p, uint32_t thread)
{
    for (;;) {
        uint32_t i = atomic_fetch_add(&p->next, 1);
        if (i >= p->count) return;
        p->piece(p->context, i, thread);
    }
}

static uint64_t job_wait(struct pool *p, uint64_t seen)
{
    uint64_t job;
    for (int i = 0; i < LOOKS; i++) {
        if ((job = atomic_load(&p->job)) != seen) return job;
        look();
    }
    pthread_mutex_lock(&p->lock);
    while ((job = atomic_load(&p->job)) == seen) pthread_cond_wait(&p->begun, &p->lock);
    pthread_mutex_unlock(&p->lock);
    return job;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct pool *p = w->pool;
    uint64_t seen = 0;
    while (((seen = job_wait(p, seen)) & 1) == 0) {
        take_pieces(p, w->number);
        if (atomic_fetch_sub(&p->working, 1) != 1) continue;
        pthread_mutex_lock(&p->lock);
        pthread_cond_signal(&p->ended);
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

static uint32_t processors(void)
{
    cpu_set_t set;
    if (pthread_getaffinity_np(pthread_self(), sizeof set, &set) != 0) return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > POOL_THREADS_MAX ? POOL_THREADS_MAX : (uint32_t)n;
}

struct pool *pool_open(uint32_t threads)
{
    struct pool *p = calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    if (threads == 0) threads = processors();
    if (threads > POOL_THREADS_MAX) threads = POOL_THREADS_MAX;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->begun, NULL);
    pthread_cond_init(&p->ended, NULL);
    for (p->threads = 1; p->threads < threads; p->threads++) {
        struct worker *w = &p->workers[p->threads];
        *w = (struct worker){.pool = p, .number = p->threads};
        if (pthread_create(&w->thread, NULL, work, w) != 0) break;
    }
    return p;
}

static void job_begin(struct pool *p, uint64_t step)
{
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->job, step);
    pthread_cond_broadcast(&p->begun);
    pthread_mutex_unlock(&p->lock);
}

void pool_close(struct pool *p)
{
    if (p == NULL) return;
    job_begin(p, 1);
    for (uint32_t i = 1; i < p->threads; i++) pthread_join(p->workers[i].thread, NULL);
    pthread_cond_destroy(&p->ended);
    pthread_cond_destroy(&p->begun);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

uint32_t pool_threads(const struct pool *p)
{
    return p->threads;
}

void pool_run(struct pool *p, uint32_t count,
              void (*piece)(void *context, uint32_t index, uint32_t thread), void *context)
{
    if (p->threads == 1 || count == 1) {
        for (uint32_t i = 0; i < count; i++) piece(context, i, 0);
        return;
    }
    ASSERT(atomic_load(&p->working) == 0);
    p->count = count;
    p->piece = piece;
    p->context = context;
    atomic_store(&p->next, 0);
    atomic_store(&p->working, p->threads - 1);
    job_begin(p, 2);
    take_pieces(p, 0);
    for (int i = 0; i < LOOKS && atomic_load(&p->working) != 0; i++) look();
    if (atomic_load(&p->working) == 0) return;
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->working) != 0) pthread_cond_wait(&p->ended, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
