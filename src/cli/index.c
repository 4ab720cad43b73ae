/* index.c: `dojima index`: reference prices recomputed from their publication (INDEX-02, INDEX-03),
 * and indices of external series (INDEX-04).
 *
 * Upstream: index_recompute.c, index_series.c, index_ccir.c. Downstream: the command line.
 */
#include "cli/index.h"

#include "cli/cli.h"
#include "cli/margin.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16 };

char *index_load(const char *path, size_t *length, struct quant_error *error)
{
    if (strcmp(path, "-") != 0) return margin_file_load(path, length, error);
    size_t used = 0, capacity = 0, got = 1;
    char *text = NULL;
    while (got > 0) {
        if (capacity - used < CHUNK) {
            capacity += capacity + CHUNK;
            char *moved = capacity > INDEX_FILE_MAX ? NULL : realloc(text, capacity);
            if (moved == NULL) break;
            text = moved;
        }
        got = fread(text + used, 1, capacity - used, stdin);
        used += got;
    }
    if (got == 0 && ferror(stdin) == 0) {
        *length = used;
        return text;
    }
    free(text);
    (void)quant_fail(error, "standard input", 0, "cannot be read, or is larger than 64 MB");
    return NULL;
}

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does;
} commands[] = {
    {"recompute", index_main_recompute, "reference prices again, from what was published"},
    {"series", index_main_series, "an index of GPU hours from a file of offers or spot prices"},
    {"ccir", index_main_ccir, "CCIR's indices again, from its offers"},
};

static int usage(FILE *out)
{
    (void)fputs("Usage: dojima index COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].does);
    (void)fputs("\n`dojima index COMMAND --help` says more.\n", out);
    return out == stdout ? 0 : 2;
}

int cli_index(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0) return usage(stdout);
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
        char name[48];
        if (strcmp(argv[1], commands[i].name) != 0) continue;
        (void)snprintf(name, sizeof name, "index %s", commands[i].name);
        argv[1] = name;
        return commands[i].run(argc - 1, argv + 1);
    }
    return usage(stderr);
}
