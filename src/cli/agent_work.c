/* agent_work.c: see agent_work.h. */
#include "cli/agent_work.h"

#include "cli/agent_weights.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4200 };

struct kept {
    struct agent_model model;
    uint32_t vintage;
    struct digest digest; /* of the weights asked for */
    uint8_t *bytes;       /* of a buyer's weights; NULL */
    uint64_t used;        /* when, counted */
};

struct agent_work {
    struct agent_work_options options;
    char directory[PATH_SIZE - 100];
    struct kept kept[AGENT_MODELS_MAX];
    uint64_t clock;
    atomic_uint waiting, claims;
    pthread_mutex_t mutex;
};

struct agent_work *agent_work_open(const struct agent_work_options *options)
{
    struct agent_work *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    w->options = *options;
    if (options->weights != NULL)
        (void)snprintf(w->directory, sizeof w->directory, "%s", options->weights);
    (void)pthread_mutex_init(&w->mutex, NULL);
    return w;
}

static void kept_close(struct kept *k)
{
    if (k->model.engine != NULL) work_engine_close(k->model.engine);
    if (k->model.weights != NULL) work_weights_close(k->model.weights);
    free(k->bytes);
    *k = (struct kept){0};
}

void agent_work_close(struct agent_work *w)
{
    if (w == NULL) return;
    for (int i = 0; i < AGENT_MODELS_MAX; i++) kept_close(&w->kept[i]);
    (void)pthread_mutex_destroy(&w->mutex);
    free(w);
}

/* ---- weights ---- */

bool agent_work_has(const struct agent_work *w, const struct digest *weights)
{
    return w->directory[0] != 0 && agent_weights_have(w->directory, weights);
}

static bool weights_open(struct agent_work *w, struct kept *k, struct work_error *error)
{
    static const struct digest none;
    char path[PATH_SIZE];
    size_t size;
    if (digest_equal(&k->digest, &none))
        return work_weights_seeded(k->model.workload, &k->model.weights, error) == 0;
    agent_weights_path(w->directory, &k->digest, path, sizeof path);
    k->bytes = agent_weights_read(path, k->model.workload, &size, error);
    if (k->bytes == NULL ||
        work_weights_bytes(k->model.workload, k->bytes, size, &k->model.weights, error) != 0)
        return false;
    struct digest digest = work_weights_digest(k->model.weights);
    if (digest_equal(&digest, &k->digest)) return true;
    (void)work_fail(error, "the weights in %.150s are others than those of their name", path);
    return false;
}

/* ---- models ---- */

static struct kept *find(struct agent_work *w, const struct work_spec *spec)
{
    struct kept *oldest = &w->kept[0];
    for (int i = 0; i < AGENT_MODELS_MAX; i++) {
        struct kept *k = &w->kept[i];
        if (k->model.workload != NULL && k->vintage == spec->vintage &&
            k->model.workload->id == spec->workload && digest_equal(&k->digest, &spec->weights))
            return k;
        if (k->used < oldest->used) oldest = k;
    }
    kept_close(oldest);
    return oldest;
}

static bool engine_open(struct agent_work *w, struct kept *k, struct work_error *error)
{
    const struct backend *backend = NULL;
    if (k->model.engine != NULL) return true;
    if (backend_find(w->options.backend, &backend, error) != 0) return false;
    struct work_engine_size size = work_engine_size(backend, w->options.grade);
    if (w->options.rows != 0) size.rows_max = w->options.rows;
    if (w->options.slots != 0) size.slots = w->options.slots;
    if (size.rows_max < size.slots) size.rows_max = size.slots; /* as when it was certified */
    const struct work_engine_options o = {.backend = backend, .slots = size.slots,
                                          .backend_options = {.threads = w->options.threads},
                                          .rows_batch = size.rows_max};
    return work_engine_open(k->model.workload, k->model.weights, &o, &k->model.engine,
                            error) == 0;
}

const struct agent_model *agent_work_enter(struct agent_work *w, const struct work_spec *spec,
                                           bool engine, struct work_error *error)
{
    (void)atomic_fetch_add(&w->waiting, 1);
    (void)pthread_mutex_lock(&w->mutex);
    (void)atomic_fetch_sub(&w->waiting, 1);
    struct kept *k = find(w, spec);
    bool good = true;
    if (k->model.workload == NULL) {
        k->vintage = spec->vintage;
        k->digest = spec->weights;
        k->model.workload = work_workload_find(spec->vintage, spec->workload);
        if (k->model.workload == NULL) good = work_fail(error, "there is no such workload") == 0;
        else good = weights_open(w, k, error);
    }
    if (good && engine) good = engine_open(w, k, error);
    if (good) {
        k->used = ++w->clock;
        return &k->model;
    }
    kept_close(k);
    (void)pthread_mutex_unlock(&w->mutex);
    return NULL;
}

void agent_work_leave(struct agent_work *w) { (void)pthread_mutex_unlock(&w->mutex); }

void agent_work_claim(struct agent_work *w) { (void)atomic_fetch_add(&w->claims, 1); }
void agent_work_release(struct agent_work *w) { (void)atomic_fetch_sub(&w->claims, 1); }
bool agent_work_claimed(struct agent_work *w) { return atomic_load(&w->claims) > 0; }

bool agent_work_wanted(struct agent_work *w)
{
    return atomic_load(&w->waiting) > 0 || agent_work_claimed(w);
}
