/* worker.c: the projector on a thread of its own, behind a bounded queue.
 *
 * Two buffers: the event loop fills one, the worker empties the other; they are swapped under a
 * lock that is held for a copy of a few hundred bytes at most. When the filling one is full, what
 * comes is dropped and `behind` set. The worker then applies what it has (all of it lies before the
 * gap), clears `behind`, so that events gather again, and only then reads the journal up to what is
 * durable: every dropped event was released, therefore durable, before that moment. What is now
 * both in the journal's part and in the queue is passed over by the store's position.
 *
 * Upstream: node (released events), seq (through catch_up). Downstream: store.c.
 */
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store_worker {
    struct store_worker_options options;
    struct store *store; /* the worker's alone after start */
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;  /* something to do, or stop */
    pthread_cond_t idle;  /* all that was pushed is flushed */
    unsigned char *filling;
    unsigned char *emptying; /* the worker's between swaps */
    size_t filled;           /* bytes in `filling` */
    bool behind;             /* events were dropped */
    bool busy;
    bool stop;
    struct store_worker_stats stats;
};

static int catch_up(struct store_worker *w)
{
    if (w->options.catch_up == NULL) {
        (void)fprintf(stderr, "dojima: history: the queue was full and there is no journal\n");
        return STORE_FAILED;
    }
    int status = w->options.catch_up(w->options.context, w->store, store_last_seq(w->store));
    return status < 0 ? status : store_flush(w->store);
}

/* Applies one buffer and closes a gap behind it. On the worker's thread, without the lock. */
static int work_off(struct store_worker *w, size_t bytes)
{
    int status = store_apply(w->store, w->emptying, bytes);
    if (status == STORE_OK) status = store_flush(w->store);
    if (status != STORE_OK) (void)fprintf(stderr, "dojima: %s\n", store_error(w->store));
    return status;
}

static void note(struct store_worker *w, int status, bool caught_up)
{
    w->stats.last_seq = store_last_seq(w->store);
    w->stats.rows = store_rows(w->store);
    w->stats.catch_ups += caught_up;
    if (status != STORE_OK) w->stats.failed = true;
}

static void *run(void *argument)
{
    struct store_worker *w = argument;
    (void)pthread_mutex_lock(&w->lock);
    while (!w->stats.failed) {
        while (w->filled == 0 && !w->behind && !w->stop) {
            w->busy = false;
            (void)pthread_cond_broadcast(&w->idle);
            (void)pthread_cond_wait(&w->work, &w->lock);
        }
        if (w->filled == 0 && !w->behind) break;
        w->busy = true;
        unsigned char *full = w->filling;
        size_t bytes = w->filled;
        bool gap = w->behind;
        w->filling = w->emptying;
        w->emptying = full;
        w->filled = 0;
        w->behind = false;
        (void)pthread_mutex_unlock(&w->lock);
        int status = work_off(w, bytes);
        if (status == STORE_OK && gap) status = catch_up(w);
        (void)pthread_mutex_lock(&w->lock);
        note(w, status, gap);
    }
    w->busy = false;
    (void)pthread_cond_broadcast(&w->idle);
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void worker_free(struct store_worker *w)
{
    store_close(w->store);
    free(w->filling);
    free(w->emptying);
    (void)pthread_cond_destroy(&w->work);
    (void)pthread_cond_destroy(&w->idle);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

struct store_worker *store_worker_start(const struct store_worker_options *options)
{
    struct store_worker *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    w->options = *options;
    if (w->options.queue_bytes == 0) w->options.queue_bytes = (size_t)64 << 20;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->work, NULL);
    (void)pthread_cond_init(&w->idle, NULL);
    w->filling = malloc(w->options.queue_bytes);
    w->emptying = malloc(w->options.queue_bytes);
    w->behind = options->catch_up != NULL; /* the journal may be ahead of the history already */
    w->busy = true;
    if (w->filling == NULL || w->emptying == NULL) {
        (void)fprintf(stderr, "dojima: history: no memory for the queue\n");
        worker_free(w);
        return NULL;
    }
    if (store_open(options->path, &w->store) != STORE_OK) {
        const char *why = w->store == NULL ? "no memory" : store_error(w->store);
        (void)fprintf(stderr, "dojima: %s\n", why);
        worker_free(w);
        return NULL;
    }
    w->stats.last_seq = store_last_seq(w->store);
    if (pthread_create(&w->thread, NULL, run, w) != 0) {
        (void)fprintf(stderr, "dojima: history: no thread\n");
        worker_free(w);
        return NULL;
    }
    return w;
}

bool store_worker_push(struct store_worker *w, const void *bytes, size_t size)
{
    (void)pthread_mutex_lock(&w->lock);
    bool room = !w->behind && w->options.queue_bytes - w->filled >= size;
    if (room) {
        memcpy(w->filling + w->filled, bytes, size);
        w->filled += size;
    } else if (!w->behind) {
        w->behind = true;
        w->stats.overflows += 1;
    }
    bool wake = !w->busy;
    w->busy = true;
    (void)pthread_mutex_unlock(&w->lock);
    if (wake) (void)pthread_cond_signal(&w->work);
    return room;
}

void store_worker_drain(struct store_worker *w)
{
    (void)pthread_mutex_lock(&w->lock);
    while (w->busy && !w->stats.failed) (void)pthread_cond_wait(&w->idle, &w->lock);
    (void)pthread_mutex_unlock(&w->lock);
}

struct store_worker_stats store_worker_stats(struct store_worker *w)
{
    (void)pthread_mutex_lock(&w->lock);
    struct store_worker_stats stats = w->stats;
    (void)pthread_mutex_unlock(&w->lock);
    return stats;
}

void store_worker_stop(struct store_worker *w)
{
    if (w == NULL) return;
    (void)pthread_mutex_lock(&w->lock);
    w->stop = true;
    (void)pthread_cond_signal(&w->work);
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    worker_free(w);
}
