/* bench.c: `dojima bench`: the table of sub-benchmarks, and what they share.
 *
 * Upstream: node (main). Downstream: bench_*.c.
 */
#include "bench.h"

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct bench *const benches[] = {&bench_book, &bench_core_mix, &bench_core_span,
                                             &bench_core_lobster, &bench_durable, &bench_recovery,
                                             &bench_node, &bench_margin, &bench_end_of_day,
                                             &bench_cascade, &bench_kill, &bench_freivalds,
                                             &bench_receipts, &bench_detection, &bench_spot,
                                             &bench_work};
enum { BENCHES = sizeof benches / sizeof benches[0] };

uint64_t bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What one reading of the clock costs, in ns: the median of many. */
static uint64_t timer_ns(void)
{
    static uint64_t cost;
    if (cost != 0) return cost;
    enum { READINGS = 10001 };
    static uint32_t times[READINGS];
    for (int i = 0; i < READINGS; i++) {
        uint64_t start = bench_now();
        times[i] = (uint32_t)(bench_now() - start);
    }
    qsort(times, READINGS, sizeof times[0], compare_u32);
    cost = times[READINGS / 2] == 0 ? 1 : times[READINGS / 2];
    return cost;
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_double);
    return count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void bench_percentiles_print(uint32_t *times, size_t count)
{
    static const struct {
        const char *name;
        double share;
    } points[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}};
    uint64_t cost = timer_ns();
    qsort(times, count, sizeof *times, compare_u32);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        size_t at = (size_t)((double)count * points[i].share);
        if (at >= count) at = count - 1;
        uint64_t ns = times[at] > cost ? times[at] - cost : 0;
        if (ns < 10 * cost) printf("  %s <%llu ns", points[i].name, 10ull * cost);
        else printf("  %s %llu ns", points[i].name, (unsigned long long)ns);
    }
    printf("\n");
}

struct bench_heap bench_heap_now(void)
{
    struct mallinfo2 m = mallinfo2();
    return (struct bench_heap){m.uordblks, m.hblkhd};
}

bool bench_heap_same(struct bench_heap before)
{
    struct bench_heap now = bench_heap_now();
    if (now.used == before.used && now.mapped == before.mapped) return true;
    printf("  the heap changed while commands ran: %zu -> %zu bytes\n",
           before.used + before.mapped, now.used + now.mapped);
    return false;
}

static void help(void)
{
    printf("usage: dojima bench [--commands N] [--rounds N] [--file FILE] [NAME...]\n\n"
           "Runs the named benchmarks, or all. Each prints its figures, the hash of the state it\n"
           "ended in, and what it leaves out.\n\n");
    for (int i = 0; i < BENCHES; i++) {
        printf("  %-14s %s\n", benches[i]->name, benches[i]->summary);
    }
    printf("\n  --commands N   how many operations a round\n"
           "  --rounds N     how many rounds; the median is printed\n"
           "  --file FILE    order flow for core-lobster [under $DOJIMA_SHARED]\n");
}

static int run_one(const struct bench *b, const struct bench_options *options)
{
    printf("== %s: %s\n", b->name, b->summary);
    return b->run(options);
}

int bench_main(int argc, char **argv)
{
    static const struct option long_options[] = {{"commands", required_argument, NULL, 'c'},
                                                 {"rounds", required_argument, NULL, 'r'},
                                                 {"file", required_argument, NULL, 'f'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {NULL, 0, NULL, 0}};
    struct bench_options options = {0};
    int c;
    optind = 1;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'c': options.commands = strtoull(optarg, NULL, 10); break;
        case 'r': options.rounds = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'f': options.file = optarg; break;
        case 'h': help(); return 0;
        default: return 2;
        }
    }
    int worst = 0;
    printf("timer: %llu ns a reading\n", (unsigned long long)timer_ns());
    for (int i = 0; i < BENCHES && optind == argc; i++) {
        int status = run_one(benches[i], &options);
        if (status > worst) worst = status;
    }
    for (; optind < argc; optind++) {
        int i = 0;
        while (i < BENCHES && strcmp(benches[i]->name, argv[optind]) != 0) i++;
        if (i == BENCHES) {
            fprintf(stderr, "dojima bench: no benchmark is called %s\n", argv[optind]);
            return 2;
        }
        int status = run_one(benches[i], &options);
        if (status > worst) worst = status;
    }
    return worst;
}
