/* bench_detection.c: the table of detection: sellers who cheat in each of seven ways, caught beside
 * predicted, over 1,000 seeded hours a row; and honest sellers (DELIV-04).
 *
 * --commands N: hours a row [1,000]; --rounds N: hundreds of tasks an hour [20]. Every row must
 * agree with its prediction within four standard deviations, no falsified task that was opened may
 * pass, and no honest one may be found wrong.
 *
 * Upstream: bench.c. Downstream: work (detection).
 */
#include "bench.h"
#include "base/random.h"
#include "work/detection.h"

#include <math.h>
#include <stdio.h>

enum { RUNS = 1000, TASKS = 2000, FIVE_PERCENT = 50000, ONE_PERCENT = 10000 };

static const struct detection_case cases[] = {
    {CHEAT_none, 0, 90},
    {CHEAT_none, 0, 459},
    {CHEAT_garbage, DETECTION_ALL_PPM, 1},
    {CHEAT_reuse, DETECTION_ALL_PPM, 1},
    {CHEAT_skip, DETECTION_ALL_PPM, 1},
    {CHEAT_truncate, DETECTION_ALL_PPM, 1},
    {CHEAT_low_precision, DETECTION_ALL_PPM, 1},
    {CHEAT_replay, DETECTION_ALL_PPM, 1},
    {CHEAT_garbage, FIVE_PERCENT, 90},
    {CHEAT_reuse, FIVE_PERCENT, 90},
    {CHEAT_skip, FIVE_PERCENT, 90},
    {CHEAT_truncate, FIVE_PERCENT, 90},
    {CHEAT_low_precision, FIVE_PERCENT, 90},
    {CHEAT_replay, FIVE_PERCENT, 90},
    {CHEAT_garbage, ONE_PERCENT, 459},
    {CHEAT_skip, ONE_PERCENT, 459},
    {CHEAT_replay, ONE_PERCENT, 459},
    {CHEAT_one_in_100, ONE_PERCENT, 459},
    {CHEAT_one_in_100, ONE_PERCENT, 90},
};

/* Prints the row; false where it disagrees. */
static bool row_print(const struct detection_case *c, const struct detection_row *r)
{
    double low, high, z = 0;
    detection_interval(r->runs, r->caught, &low, &high);
    if (r->deviation > 0) z = (r->caught - r->predicted) / r->deviation;
    bool good = r->passed == 0 && r->accused == 0 && fabs(z) <= 4 &&
                (r->deviation > 0 || r->caught == (uint32_t)lround(r->predicted));
    printf("  | %-13s | %5.1f%% | %4u | %5u of %u | %7.1f | %6.2f%% to %6.2f%% | %+.1f | %llu of "
           "%llu | %llu |%s\n",
           c->kind == CHEAT_none ? "honest" : cheat_name(c->kind), c->share_ppm / 1e4, c->sampled,
           r->caught, r->runs, r->predicted, 100 * low, 100 * high, z,
           (unsigned long long)r->passed, (unsigned long long)r->opened,
           (unsigned long long)r->accused, good ? "" : " DISAGREES");
    (void)fflush(stdout);
    return good;
}

static int run(const struct bench_options *options)
{
    uint32_t runs = options->commands != 0 ? (uint32_t)options->commands : RUNS;
    uint32_t tasks = options->rounds != 0 ? options->rounds * 100 : TASKS;
    struct detection *d = NULL;
    struct work_error error = {{0}};
    uint64_t start = bench_now(), hash = 1;
    if (detection_open("test", tasks, &d, &error) != 0) {
        printf("  %s\n", error.text);
        return 2;
    }
    printf("  workload `test`, %u tasks an hour, %u seeded hours a row; each honest task verified "
           "once: %llu found wrong\n", tasks, runs, (unsigned long long)detection_accused(d));
    printf("  | seller | false | sampled | caught | predicted | 95%% interval of the rate | z | "
           "false tasks passed, of opened | honest tasks accused |\n"
           "  |---|---|---|---|---|---|---|---|---|\n");
    bool good = detection_accused(d) == 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct detection_row row;
        if (detection_run(d, &cases[i], runs, 1000000 * (i + 1), &row, &error) != 0) {
            printf("  %s\n", error.text);
            detection_close(d);
            return 2;
        }
        good = row_print(&cases[i], &row) && good;
        hash = random_mix(hash ^ row.hash);
    }
    detection_close(d);
    printf("  %.0f s; hash of every root and outcome %016llx: %s\n",
           (double)(bench_now() - start) / 1e9, (unsigned long long)hash,
           good ? "as predicted" : "NOT AS PREDICTED");
    return good ? 0 : 1;
}

const struct bench bench_detection = {
    "detection", "sellers who cheat: caught beside predicted; honest ones (DELIV-04)", run};
