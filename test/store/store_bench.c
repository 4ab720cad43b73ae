/* store_bench.c: rows a second into the history, a made-up stream, to a file that is then removed.
 * usage: store_bench [COMMANDS] [FILE] */
#include "made.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    long commands = argc > 1 ? strtol(argv[1], NULL, 10) : 200000;
    const char *path = argc > 2 ? argv[2] : "store_bench.db";
    static struct made m;
    size_t capacity = (size_t)commands * 1536 + MADE_STEP_BYTES, size = 0;
    unsigned char *bytes = malloc(capacity);
    if (commands <= 0 || bytes == NULL) return 2;
    made_start(&m, 1, NS_PER_MS * 5);
    for (long i = 0; i < commands && size + MADE_STEP_BYTES <= capacity; i++)
        size += made_step(&m, bytes + size);
    struct store *s = NULL;
    if (store_open(path, &s) != STORE_OK) {
        (void)fprintf(stderr, "%s\n", store_error(s));
        return 1;
    }
    double start = now();
    int status = store_apply(s, bytes, size);
    if (status == STORE_OK) status = store_flush(s);
    double seconds = now() - start;
    if (status != STORE_OK) (void)fprintf(stderr, "%s\n", store_error(s));
    (void)printf("store: %llu commands, %llu trades, %llu rows in %.3f s: %.0f rows/s, "
                 "%.0f commands/s\n", (unsigned long long)m.seq, (unsigned long long)m.trade_id,
                 (unsigned long long)store_rows(s), seconds, (double)store_rows(s) / seconds,
                 (double)m.seq / seconds);
    store_close(s);
    if (argc <= 2) (void)remove(path);
    free(bytes);
    return status != STORE_OK;
}
