/* bench_margin.c: the margin of 100,000 accounts, ten of forty instruments each, over 1,250 joint
 * moves and their mirrors (CLEAR-05), beside the bare product of the same arrays.
 *
 * The floor is measured in the same run in two ways: the product whose profits are stored for all
 * accounts and scenarios, which is what a library's sparse-dense multiply gives, and the product
 * that leaves them in each block's buffer and never in memory, the least that this code can do. The
 * first is what the bound is about; the ratio to the second is printed too. And OpenBLAS's dense
 * product, where it is installed.
 *
 * Upstream: bench.c. Downstream: quant.
 */
#include "base/random.h"
#include "bench.h"
#include "quant/blas.h"
#include "quant/remargin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ACCOUNTS = 100000,
    INSTRUMENTS = 40,
    HELD = 10,
    MOVES = 1250,
    TILES = 1280, /* moves as stored: whole tiles */
    STRESSED = 40,
    ROUNDS = 5,
    ROUNDS_MAX = 64,
};
#define RATIO_MAX 3.0
#define SECONDS_MAX 10.0

struct world {
    struct risk risk;
    struct stress_set stress;
    struct risk_instrument instruments[INSTRUMENTS];
    double z[INSTRUMENTS * MOVES], shock[INSTRUMENTS * STRESSED];
    struct position *positions;
    uint32_t *first;
    struct requirement *results;
    double *profits; /* NULL where there is no room */
    uint32_t accounts;
};

static double unit(struct random *r) { return (double)(random_next(r) >> 11) * 0x1p-53; }

/* About normal, with a fat tail. */
static double draw_move(struct random *r)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) sum += unit(r);
    return random_below(r, 40) == 0 ? 3 * sum : sum;
}

static void make_risk(struct world *w, struct random *r)
{
    for (uint32_t i = 0; i < INSTRUMENTS; i++)
        w->instruments[i] = (struct risk_instrument){
            .product = i / 8 * 8, .contract_size = 7200, .half_spread = 0.02, .adv = 400,
            .floor_share = 0.15, .floor_ct = 0.05, .ct_per_lot = 7200, .price = 1 + 2 * unit(r),
            .scale = 2, .sigma = 0.01 + 0.02 * unit(r), .sigma_long = 0.01 + 0.02 * unit(r)};
    for (uint32_t s = 0; s < MOVES; s++) {
        double common = draw_move(r);
        for (uint32_t i = 0; i < INSTRUMENTS; i++)
            w->z[i * MOVES + s] = 0.7 * common + 0.714 * draw_move(r);
    }
    for (uint32_t i = 0; i < INSTRUMENTS * STRESSED; i++) w->shock[i] = 1.5 * unit(r) - 0.75;
    w->stress.count = STRESSED;
    w->risk = (struct risk){.method = {.tail_ppm = 10000, .stress_weight_ppm = 250000,
                                       .offset_max_ppm = 800000, .participation = 0.15,
                                       .horizon = 2, .window = MOVES},
                            .stress = &w->stress, .instruments = w->instruments,
                            .count = INSTRUMENTS, .scenarios = MOVES, .z = w->z,
                            .stressed = STRESSED, .shock = w->shock};
}

static void make_positions(struct world *w, struct random *r)
{
    for (uint32_t a = 0; a < w->accounts; a++) {
        uint8_t taken[INSTRUMENTS] = {0};
        w->first[a] = a * HELD;
        for (uint32_t k = 0; k < HELD; k++) {
            uint32_t i = (uint32_t)random_below(r, INSTRUMENTS);
            while (taken[i]) i = (i + 1) % INSTRUMENTS;
            taken[i] = 1;
            int64_t lots = 1 + (int64_t)random_below(r, 100);
            w->positions[a * HELD + k] = (struct position){
                .account = a, .instrument = i, .lots = random_below(r, 2) == 0 ? lots : -lots};
        }
    }
    w->first[w->accounts] = w->accounts * HELD;
}

/* The same product by OpenBLAS, whose matrix of positions is dense: three quarters of it zeros. */
static void measure_blas(const struct world *w, uint32_t threads, uint32_t rounds)
{
    double seconds[ROUNDS_MAX];
    struct quant_error error = {0};
    struct blas b;
    double *dense = calloc((size_t)w->accounts * INSTRUMENTS, sizeof *dense);
    if (dense == NULL || w->profits == NULL || blas_open(&b, &error) != 0) {
        printf("  OpenBLAS: %s\n", error.text[0] != 0 ? error.text : "no memory");
        free(dense);
        return;
    }
    for (uint32_t k = 0; k < w->accounts * HELD; k++) {
        const struct position *p = &w->positions[k];
        const struct risk_instrument *n = &w->instruments[p->instrument];
        dense[(size_t)p->account * INSTRUMENTS + p->instrument] =
            (double)p->lots * n->contract_size * n->sigma * n->scale;
    }
    b.set_threads((int)threads);
    for (uint32_t i = 0; i < rounds; i++) {
        uint64_t start = bench_now();
        b.dgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANSPOSE, BLAS_NO_TRANSPOSE, (int)w->accounts, MOVES,
                INSTRUMENTS, 1, dense, INSTRUMENTS, w->z, MOVES, 0, w->profits, MOVES);
        seconds[i] = (double)(bench_now() - start) / 1e9;
    }
    double s = bench_median(seconds, rounds);
    printf("  %u thread%s, OpenBLAS's dense product (%s): %.3f s, %.0f GFLOP/s\n", threads,
           threads == 1 ? "" : "s", b.core, s, 2e-9 * w->accounts * INSTRUMENTS * MOVES / s);
    free(dense);
    blas_close(&b);
}

static uint64_t hash(const struct world *w)
{
    uint64_t h = 1;
    for (uint32_t a = 0; a < w->accounts; a++) {
        const struct requirement *q = &w->results[a];
        const int64_t parts[] = {q->filtered.value, q->stressed.value, q->long_run.value, q->core,
                                 q->concentration, q->total};
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            h = random_mix(h ^ (uint64_t)parts[i]);
    }
    return h;
}

static int measure(struct world *w, uint32_t threads, uint32_t rounds)
{
    double full[ROUNDS_MAX], stored[ROUNDS_MAX], kept[ROUNDS_MAX];
    struct quant_error error = {0};
    struct remargin m = {.risk = &w->risk, .positions = w->positions, .first = w->first,
                         .accounts = w->accounts, .threads = threads};
    for (uint32_t i = 0; i < rounds; i++) {
        uint64_t t0 = bench_now();
        if (remargin_run(&m, w->results, &error) != 0) break;
        uint64_t t1 = bench_now();
        if (remargin_product(&m, NULL, &error) != 0) break;
        uint64_t t2 = bench_now();
        if (w->profits != NULL && remargin_product(&m, w->profits, &error) != 0) break;
        uint64_t t3 = bench_now();
        full[i] = (double)(t1 - t0) / 1e9;
        kept[i] = (double)(t2 - t1) / 1e9;
        stored[i] = (double)(t3 - t2) / 1e9;
    }
    if (error.text[0] != 0) {
        printf("  %s\n", error.text);
        return 2;
    }
    double a = bench_median(full, rounds), b = bench_median(kept, rounds);
    double c = w->profits != NULL ? bench_median(stored, rounds) : b;
    printf("  %u thread%s, %s: margin %.3f s; bare product %.3f s stored, %.3f s kept in cache; "
           "ratio %.2f (at most %.0f), %.2f\n", threads, threads == 1 ? "" : "s",
           remargin_vectors(), a, c, b, a / c, RATIO_MAX, a / b);
    return a / c <= RATIO_MAX && a * ACCOUNTS / w->accounts < SECONDS_MAX ? 0 : 1;
}

static int run(const struct bench_options *options)
{
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL) return 2;
    struct random r = {20270104};
    uint32_t rounds = options->rounds != 0 ? options->rounds : ROUNDS;
    if (rounds > ROUNDS_MAX) rounds = ROUNDS_MAX;
    w->accounts = options->commands != 0 && options->commands < 10 * ACCOUNTS
                      ? (uint32_t)options->commands : ACCOUNTS;
    w->positions = malloc((size_t)w->accounts * HELD * sizeof *w->positions);
    w->first = malloc((w->accounts + 1) * sizeof *w->first);
    w->results = calloc(w->accounts, sizeof *w->results);
    size_t bytes = (size_t)w->accounts * TILES * sizeof(double);
    w->profits = malloc(bytes);
    int status = 2;
    if (w->positions != NULL && w->first != NULL && w->results != NULL) {
        make_risk(w, &r);
        make_positions(w, &r);
        if (w->profits != NULL) memset(w->profits, 0, bytes); /* its pages are there */
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        printf("  %u accounts, %d of %d instruments each, %d joint moves and their mirrors, %d "
               "stress scenarios\n", w->accounts, HELD, INSTRUMENTS, MOVES, STRESSED);
        uint32_t threads = cores > 2 ? 2 : cores < 1 ? 1 : (uint32_t)cores;
        (void)measure(w, 1, rounds);
        status = measure(w, threads, rounds);
        measure_blas(w, threads, rounds);
        printf("  hash of all results %016llx\n"
               "  float64, error of a profit below %.1e of the account's gross move; left out: "
               "reading and filtering the histories\n", (unsigned long long)hash(w),
               (HELD + 2) * 0x1p-53);
    }
    free(w->positions);
    free(w->first);
    free(w->results);
    free(w->profits);
    free(w);
    return status;
}

const struct bench bench_margin = {"margin", "initial margin of 100,000 accounts", run};
