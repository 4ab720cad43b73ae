/* bench_proof.c: what proving costs: Freivalds' check beside the fp32 product that it checks and
 * beside one pass over the operands (DELIV-03); receipts beside the bare verification of their two
 * signatures (DELIV-02).
 *
 * Both sides of every ratio are measured in the same run, in turns, on the same threads; the median
 * of the rounds is printed. The product is OpenBLAS's sgemm; the pass is a sum over A, B and C as
 * they lie, in words of 64 bits. With several threads the product has all of them; checks and
 * passes are one a thread, each with operands of its own, and count by how many get done.
 *
 * Upstream: bench.c. Downstream: quant (freivalds, blas), proof.
 */
#include "base/random.h"
#include "bench.h"
#include "proof/note_random_test.h"
#include "quant/blas.h"
#include "quant/freivalds.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIDE = 2048, ROUNDS = 11, ROUNDS_MAX = 101, RECEIPTS = 4000 };
#define PRODUCT_SHARE_MAX 0.05
#define PASSES_MAX 20.0
#define RECEIPT_SHARE_MIN 0.85

static double since(uint64_t start) { return (double)(bench_now() - start) / 1e9; }

/* ---- Freivalds ---- */

struct operands {
    int8_t *a, *b;
    int32_t *c;
    float *fa, *fb, *fc;
};

/* In huge pages where there are any: with small ones a good part of a pass is the walk of page
 * tables. */
static void *matrix_take(size_t size)
{
    const size_t huge = (size_t)2 << 20;
    void *m = aligned_alloc(huge, (size + huge - 1) / huge * huge);
    if (m != NULL) (void)madvise(m, size, MADV_HUGEPAGE);
    return m;
}

/* Activations and weights as large as a vintage's may be, so that fp32 is exact. */
static bool operands_make(struct operands *o)
{
    struct random r = {2048};
    size_t n = (size_t)SIDE * SIDE;
    *o = (struct operands){.a = matrix_take(n), .b = matrix_take(n), .c = matrix_take(4 * n),
                           .fa = matrix_take(4 * n), .fb = matrix_take(4 * n),
                           .fc = matrix_take(4 * n)};
    if (o->a == NULL || o->b == NULL || o->c == NULL || o->fa == NULL || o->fb == NULL ||
        o->fc == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        o->a[i] = (int8_t)((int)random_below(&r, 255) - 127);
        o->b[i] = (int8_t)((int)random_below(&r, 9) - 4);
        o->fa[i] = o->a[i];
        o->fb[i] = o->b[i];
    }
    return true;
}

static void operands_free(struct operands *o)
{
    free(o->a);
    free(o->b);
    free(o->c);
    free(o->fa);
    free(o->fb);
    free(o->fc);
}

/* What one thread does, with operands of its own: so many checks, or passes, one behind the other.
 * A verifier has many products to check and one thread a processor; a thread that is begun for one
 * product comes too late for it (a wake-up can take as long as the check). */
enum { REPEAT = 16 };
struct worker {
    struct operands o;
    const uint8_t *seed;
    uint64_t number;
    bool reads;   /* passes, not checks */
    uint64_t sum;
    uint32_t good;
};

static uint64_t pass_over(const void *bytes, size_t size)
{
    const uint64_t *words = bytes;
    uint64_t sum = 0;
    for (size_t i = 0; i < size / 8; i++) sum += words[i];
    return sum;
}

static void *worker_run(void *context)
{
    struct worker *w = context;
    size_t n = (size_t)SIDE * SIDE;
    w->good = 0;
    for (uint32_t i = 0; i < REPEAT; i++) {
        if (w->reads)
            w->sum += pass_over(w->o.a, n) + pass_over(w->o.b, n) + pass_over(w->o.c, 4 * n);
        else
            w->good += freivalds_verify(w->o.a, w->o.b, w->o.c, SIDE, SIDE, SIDE, w->seed,
                                        w->number + i, 1) ? 1 : 0;
    }
    return NULL;
}

/* Seconds for each of the threads x REPEAT, all threads at once. */
static double workers_run(struct worker *workers, unsigned threads, bool reads)
{
    pthread_t thread[FREIVALDS_THREADS_MAX];
    bool started[FREIVALDS_THREADS_MAX] = {false};
    uint64_t start = bench_now();
    for (unsigned i = 0; i < threads; i++) workers[i].reads = reads;
    for (unsigned i = 1; i < threads; i++)
        started[i] = pthread_create(&thread[i], NULL, worker_run, &workers[i]) == 0;
    for (unsigned i = 0; i < threads; i++)
        if (!started[i]) (void)worker_run(&workers[i]);
    for (unsigned i = 1; i < threads; i++)
        if (started[i]) (void)pthread_join(thread[i], NULL);
    return since(start) / (threads * REPEAT);
}

static void product(const struct blas *b, const struct operands *o)
{
    b->sgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANSPOSE, BLAS_NO_TRANSPOSE, SIDE, SIDE, SIDE, 1, o->fa,
             SIDE, o->fb, SIDE, 0, o->fc, SIDE);
}

/* OpenBLAS's threads look for more work before they sleep, on the processors that are to check. */
enum { LINGER_US = 100000 };

static int measure(const struct blas *blas, struct worker *workers, unsigned threads,
                   uint32_t rounds)
{
    double multiply[ROUNDS_MAX], check[ROUNDS_MAX], read[ROUNDS_MAX];
    struct operands *o = &workers[0].o;
    uint8_t seed[FREIVALDS_SEED_SIZE] = {0};
    uint64_t sum = 0;
    blas->set_threads((int)threads);
    for (uint32_t i = 0; i < rounds; i++) {
        seed[0] = (uint8_t)i;
        uint64_t start = bench_now();
        product(blas, o);
        multiply[i] = since(start);
        (void)usleep(LINGER_US);
        bool good = true;
        for (unsigned t = 0; t < threads; t++) {
            workers[t].seed = seed;
            workers[t].number = i;
        }
        check[i] = workers_run(workers, threads, false);
        for (unsigned t = 0; t < threads; t++) good = good && workers[t].good == REPEAT;
        read[i] = workers_run(workers, threads, true);
        for (unsigned t = 0; t < threads; t++) sum += workers[t].sum;
        o->c[i * 7919] ^= 1; /* one wrong entry, and it must be found */
        bool wrong = freivalds_verify(o->a, o->b, o->c, SIDE, SIDE, SIDE, seed, i, threads);
        o->c[i * 7919] ^= 1;
        if (!good || wrong) {
            printf("  the check is wrong: %s\n", good ? "a wrong product passed"
                                                      : "a right product did not");
            return 1;
        }
    }
    double m = bench_median(multiply, rounds), c = bench_median(check, rounds);
    double r = bench_median(read, rounds);
    bool met = c <= PRODUCT_SHARE_MAX * m && c <= PASSES_MAX * r;
    printf("  %u thread%s: product %.2f ms (%.0f GFLOP/s), check %.3f ms, one pass %.3f ms\n"
           "    check / product %.2f%% (at most %.0f%%), check / pass %.2f (at most %.0f): %s\n",
           threads, threads == 1 ? "" : "s", 1e3 * m, 2e-9 * SIDE * SIDE * SIDE / m, 1e3 * c,
           1e3 * r, 100 * c / m, 100 * PRODUCT_SHARE_MAX, c / r, PASSES_MAX,
           met ? "met" : "MISSED");
    return met && sum != 1 ? 0 : 1;
}

static uint64_t hash_of(const int32_t *c, size_t count)
{
    uint64_t h = 1;
    for (size_t i = 0; i < count; i++) h = random_mix(h ^ (uint64_t)(uint32_t)c[i]);
    return h;
}

static void workers_free(struct worker *workers, unsigned threads)
{
    for (unsigned i = 0; i < threads; i++) operands_free(&workers[i].o);
}

/* Operands for each thread, all the same. */
static bool workers_make(struct worker *workers, unsigned threads)
{
    for (unsigned i = 0; i < threads; i++) {
        if (!operands_make(&workers[i].o)) return false;
    }
    return true;
}

static void products_make(const struct blas *blas, struct worker *workers, unsigned threads)
{
    struct operands *first = &workers[0].o;
    blas->set_threads((int)threads);
    product(blas, first);
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) first->c[i] = (int32_t)first->fc[i];
    for (unsigned i = 1; i < threads; i++)
        memcpy(workers[i].o.c, first->c, 4 * (size_t)SIDE * SIDE);
}

static int run_freivalds(const struct bench_options *options)
{
    static struct worker workers[FREIVALDS_THREADS_MAX];
    struct blas blas;
    struct quant_error error = {0};
    uint32_t rounds = options->rounds != 0 ? options->rounds : ROUNDS;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = processors < 2 ? 1 : processors > 16 ? 16 : (unsigned)processors;
    if (rounds > ROUNDS_MAX) rounds = ROUNDS_MAX;
    bool made = workers_make(workers, threads);
    if (!made || blas_open(&blas, &error) != 0) {
        workers_free(workers, threads);
        printf("  %s\n", made ? error.text : "no memory");
        return 2;
    }
    printf("  %d x %d x %d, int8 x int8 -> int32, error at most 2^-%d; OpenBLAS %s, %u rounds of "
           "%d checks a thread\n",
           SIDE, SIDE, SIDE, FREIVALDS_ROUNDS * FREIVALDS_ROUND_BITS, blas.core, rounds, REPEAT);
    products_make(&blas, workers, threads);
    int worst = measure(&blas, workers, 1, rounds);
    if (threads > 1) {
        int status = measure(&blas, workers, threads, rounds);
        if (status > worst) worst = status;
    }
    printf("  hash of the checked product %016llx; left out: making the random vectors' seed, "
           "reading a file\n", (unsigned long long)hash_of(workers[0].o.c, (size_t)SIDE * SIDE));
    workers_free(workers, threads);
    return worst;
}

const struct bench bench_freivalds = {
    "freivalds", "verification of a matrix product beside the product (DELIV-03)", run_freivalds};

/* ---- receipts ---- */

struct note {
    char text[NOTE_SIZE_MAX];
    size_t length;
    size_t body; /* bytes that are signed */
    struct receipt receipt;
};

/* One round: all receipts in full, and their two signatures alone, in turns of a few. */
static void receipts_measure(const struct note *notes, uint32_t count, double *full, double *bare,
                             uint64_t *good)
{
    enum { TURN = 50 };
    *full = *bare = 0;
    for (uint32_t at = 0; at < count; at += TURN) {
        uint32_t end = at + TURN < count ? at + TURN : count;
        uint64_t start = bench_now();
        for (uint32_t i = at; i < end; i++) {
            struct receipt r;
            *good += receipt_parse(&r, notes[i].text, notes[i].length, NULL) == 0 &&
                     receipt_verify(&r, NULL) == 0;
        }
        *full += since(start);
        start = bench_now();
        for (uint32_t i = at; i < end; i++) {
            const struct note *n = &notes[i];
            const uint8_t *body = (const uint8_t *)n->text;
            *good += crypto_sign_verify_detached(n->receipt.seller_signature, body, n->body,
                                                 n->receipt.seller) == 0 &&
                     crypto_sign_verify_detached(n->receipt.buyer_signature, body, n->body,
                                                 n->receipt.buyer) == 0;
        }
        *bare += since(start);
    }
}

static int run_receipts(const struct bench_options *options)
{
    uint32_t count = options->commands != 0 ? (uint32_t)options->commands : RECEIPTS;
    uint32_t rounds = options->rounds != 0 ? options->rounds : ROUNDS / 2;
    double full[ROUNDS_MAX], bare[ROUNDS_MAX], share[ROUNDS_MAX];
    if (rounds > ROUNDS_MAX) rounds = ROUNDS_MAX;
    struct note *notes = calloc(count, sizeof *notes);
    if (notes == NULL || sodium_init() < 0) {
        free(notes);
        return 2;
    }
    struct random random = {7};
    uint64_t good = 0, h = 1;
    for (uint32_t i = 0; i < count; i++) {
        receipt_random(&notes[i].receipt, &random);
        notes[i].length = receipt_encode(&notes[i].receipt, notes[i].text);
        notes[i].text[notes[i].length] = 0;
        notes[i].body = (size_t)(strstr(notes[i].text, "\n--\n") + 1 - notes[i].text);
        h = random_mix(h ^ notes[i].receipt.buyer_signature[0] ^ notes[i].length << 8);
    }
    for (uint32_t i = 0; i < rounds; i++) {
        receipts_measure(notes, count, &full[i], &bare[i], &good);
        share[i] = bare[i] / full[i];
    }
    free(notes);
    double s = bench_median(share, rounds);
    bool met = s >= RECEIPT_SHARE_MIN && good == 2ull * rounds * count;
    printf("  %u receipts, %u rounds, one thread: %.0f a second from their text to both signatures "
           "verified,\n  two bare Ed25519 verifications %.0f a second: share %.1f%% (at least "
           "%.0f%%): %s\n  hash of the receipts %016llx\n", count, rounds,
           count / bench_median(full, rounds), count / bench_median(bare, rounds), 100 * s,
           100 * RECEIPT_SHARE_MIN, met ? "met" : "MISSED", (unsigned long long)h);
    return met ? 0 : 1;
}

const struct bench bench_receipts = {
    "receipts", "receipts verified beside their two bare signatures (DELIV-02)", run_receipts};
