/* main.c: `dojima` and its subcommands, as one table. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

struct subcommand {
    const char *name;
    cli_function *run;
    const char *help;
};

static const struct subcommand subcommands[] = {
    {"serve", cli_serve, "the node: engine, gates, history, trading page"},
    {"keys", cli_keys, "make, list and revoke API keys"},
    {"script", cli_script, "feed JSON-RPC requests to a fresh venue at virtual time"},
    {"deliver", cli_deliver, "a provider's agent: delivers allocations with proof"},
    {"intake", cli_intake, "a buyer's gateway: gives tasks, countersigns what it received"},
    {"demo", cli_demo, "a whole story on one machine, told step by step"},
    {"store", cli_store, "the SQL history: make it again"},
    {"statement", cli_statement, "an account's day from it: money, positions, margin, trades"},
    {"replay", cli_replay, "recover a data directory read-only: hash, events, verification"},
    {"import", cli_import, "real order flow through the core, with figures"},
    {"margin", cli_margin, "margin of a portfolio, explained; its backtest; a node's margin run"},
    {"hours", cli_hours, "a civil day of any time zone as hours of UTC"},
    {"index", cli_index, "reference prices again from their publication; indices of series"},
    {"certify", cli_certify, "what this machine does of a reference workload, measured and signed"},
    {"report", cli_report, "the quantitative disclosures of PFMI"},
    {"verify", cli_verify, "certificates, receipts, verdicts and proofs, checked offline"},
    {"bench", bench_main, "the benchmarks"},
    {"order", cli_order, "enter an order at a running node"},
    {"cancel", cli_cancel, "cancel orders at a running node"},
    {"book", cli_book, "the order book of an instrument"},
    {"positions", cli_positions, "an account's positions"},
    {"account", cli_account, "an account's balances and margin"},
    {"trades", cli_trades, "the latest trades"},
    {"instruments", cli_instruments, "what is listed"},
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

static void usage(FILE *to)
{
    fprintf(to, "Usage: dojima SUBCOMMAND [OPTION...] [ARGUMENT...]\n\n"
                "An exchange and clearing house for compute futures.\n\n");
    for (int i = 0; i < SUBCOMMANDS; i++)
        fprintf(to, "  %-12s %s\n", subcommands[i].name, subcommands[i].help);
    fprintf(to, "\n`dojima SUBCOMMAND --help` says more. Exit status: 0, 1 failure, 2 usage.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("dojima 0.1.0");
        return 0;
    }
    for (int i = 0; i < SUBCOMMANDS; i++) {
        if (strcmp(argv[1], subcommands[i].name) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "dojima: there is no subcommand `%s`\n", argv[1]);
    usage(stderr);
    return 2;
}
