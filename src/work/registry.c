/* registry.c: the vintages (UNIT-01, UNIT-07): what counts as work, and for how much.
 *
 * A workload that has been published is never changed: a new one gets a new number, and a new
 * vintage new products. work_test.c pins the digest of each vintage.
 *
 * Upstream: work.h. Downstream: everything that measures or is paid for work.
 */
#include <string.h>

#include "base/assert.h"
#include "work/work.h"

enum { ALL_GRADES = WORK_GRADE_offline | WORK_GRADE_server | WORK_GRADE_interactive };

/* Shapes: Llama 2 70B (Touvron et al. 2023, and its published configuration), on which MLPerf
 * Inference defines the latency grades (UNIT-03), with tasks of the mean length of its OpenOrca
 * set, 294 tokens in and out; TinyLlama 1.1B (Zhang et al. 2024) for processors. The products of
 * gemm-1b and gemm-70b are theirs from the residual stream into the MLP at a prompt's length. */
static const struct work_workload vintage_2026[] = {
    {.name = "gemm-1b", .id = 1, .kind = WORK_KIND_gemm, .grades = WORK_GRADE_offline,
     .rows = 1024, .depth = 2048, .columns = 11264, .seed = 202601},
    {.name = "gemm-70b", .id = 2, .kind = WORK_KIND_gemm, .grades = WORK_GRADE_offline,
     .rows = 2048, .depth = 8192, .columns = 57344, .seed = 202602},
    {.name = "llama-2-70b", .id = 3, .kind = WORK_KIND_decoder, .grades = ALL_GRADES,
     .shape = {80, 8192, 64, 8, 128, 28672, 32000, 4096},
     .prompt_count = 294, .answer_count = 294, .seed = 202603},
    {.name = "tinyllama-1.1b", .id = 4, .kind = WORK_KIND_decoder, .grades = WORK_GRADE_offline,
     .shape = {22, 2048, 32, 4, 64, 5632, 32000, 2048},
     .prompt_count = 128, .answer_count = 16, .seed = 202604},
    {.name = "test", .id = 5, .kind = WORK_KIND_decoder, .test = true,
     .shape = {2, 64, 4, 2, 16, 192, 256, 128},
     .prompt_count = 16, .answer_count = 8, .seed = 202605},
    {.name = "gemm-test", .id = 6, .kind = WORK_KIND_gemm, .test = true,
     .rows = 32, .depth = 64, .columns = 48, .seed = 202606},
    {.name = "test-30m", .id = 7, .kind = WORK_KIND_decoder, .test = true,
     .shape = {8, 512, 8, 4, 64, 1536, 4096, 512},
     .prompt_count = 64, .answer_count = 16, .seed = 202607},
};

static const struct work_vintage vintages[] = {
    {2026, vintage_2026, sizeof vintage_2026 / sizeof vintage_2026[0]},
};

const struct work_vintage *work_vintage_find(uint32_t year)
{
    for (size_t i = 0; i < sizeof vintages / sizeof vintages[0]; i++)
        if (vintages[i].year == year) return &vintages[i];
    return NULL;
}

const struct work_workload *work_workload_find(uint32_t year, uint32_t id)
{
    const struct work_vintage *v = work_vintage_find(year);
    for (uint32_t i = 0; v != NULL && i < v->count; i++)
        if (v->workloads[i].id == id) return &v->workloads[i];
    return NULL;
}

const struct work_workload *work_workload_named(uint32_t year, const char *name)
{
    const struct work_vintage *v = work_vintage_find(year);
    for (uint32_t i = 0; v != NULL && i < v->count; i++)
        if (strcmp(v->workloads[i].name, name) == 0) return &v->workloads[i];
    return NULL;
}

uint32_t work_workload_vintage(const struct work_workload *w)
{
    for (size_t i = 0; i < sizeof vintages / sizeof vintages[0]; i++)
        for (uint32_t k = 0; k < vintages[i].count; k++)
            if (&vintages[i].workloads[k] == w) return vintages[i].year;
    return 0;
}

struct digest work_vintage_digest(const struct work_vintage *v)
{
    struct digest_stream s = {0};
    digest_begin(&s);
    for (uint32_t i = 0; i < v->count; i++) {
        const struct work_workload *w = &v->workloads[i];
        const struct work_shape *h = &w->shape;
        const uint64_t fields[] = {
            v->year, w->id, w->kind, w->grades, w->test, w->rows, w->depth, w->columns,
            h->layers, h->width, h->heads, h->kv_heads, h->head_size, h->hidden, h->vocabulary,
            h->context, w->prompt_count, w->answer_count, w->seed};
        digest_add(&s, w->name, strlen(w->name) + 1);
        digest_add(&s, fields, sizeof fields);
    }
    struct digest d = digest_end(&s);
    digest_free(&s);
    return d;
}

/* Weights of the four matrices of a layer. */
static uint64_t layer_weights(const struct work_shape *h)
{
    uint64_t kv = (uint64_t)h->kv_heads * h->head_size;
    return h->width * (2 * (uint64_t)h->width + 2 * kv) + 3 * (uint64_t)h->width * h->hidden;
}

uint64_t work_parameters(const struct work_shape *h)
{
    return h->layers * (layer_weights(h) + 2 * (uint64_t)h->width) + h->width +
           2 * (uint64_t)h->width * h->vocabulary;
}

uint64_t work_flop(const struct work_workload *w, uint32_t prompt_count, uint32_t answer_count)
{
    if (w->kind == WORK_KIND_gemm) return 2 * (uint64_t)w->rows * w->depth * w->columns;
    const struct work_shape *h = &w->shape;
    uint64_t positions = (uint64_t)prompt_count + answer_count - 1;
    uint64_t linear = 2 * h->layers * layer_weights(h) * positions;
    uint64_t seen = positions * (positions + 1) / 2; /* sum of p + 1 */
    uint64_t attention = 4 * (uint64_t)h->width * h->layers * seen;
    return linear + attention + 2 * (uint64_t)h->width * h->vocabulary * answer_count;
}
