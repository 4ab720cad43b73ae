/* recovery_main.c: the benchmarks of recovery.c as a program of their own: bench_durability
 * durable | recovery [COMMANDS]. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct bench bench_durable, bench_recovery;

int main(int argc, char **argv)
{
    struct bench_options o = {.commands = argc > 2 ? strtoull(argv[2], NULL, 10) : 0};
    if (argc > 1 && strcmp(argv[1], "durable") == 0) return bench_durable.run(&o);
    if (argc > 1 && strcmp(argv[1], "recovery") == 0) return bench_recovery.run(&o);
    (void)fprintf(stderr, "usage: bench_durability durable | recovery [COMMANDS]\n");
    return 2;
}
