/* driver.c: the trader's commands alone, for trade_test.py: driver COMMAND [ARGUMENTS]. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"order", cli_order}, {"cancel", cli_cancel}, {"book", cli_book},
        {"positions", cli_positions}, {"account", cli_account}, {"trades", cli_trades},
        {"instruments", cli_instruments}};
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, argv[1]) == 0) return commands[i].run(argc - 1, argv + 1);
    }
    (void)fprintf(stderr, "usage: driver COMMAND\n");
    return 2;
}
