/* cli.h: the subcommands of `dojima`, each in a file of its name. Exit status: 0, 1 failure,
 * 2 usage. */
#ifndef DOJIMA_CLI_CLI_H
#define DOJIMA_CLI_CLI_H

typedef int cli_function(int argc, char **argv); /* argv[0] is the subcommand's name */

cli_function cli_serve;
cli_function cli_keys;
cli_function cli_script;

/* A trader's commands against a running node (JSON-RPC over HTTP). */
cli_function cli_order;
cli_function cli_cancel;
cli_function cli_book;
cli_function cli_positions;
cli_function cli_account;
cli_function cli_trades;
cli_function cli_instruments;

/* A provider's agent, a buyer's gateway. */
cli_function cli_deliver;
cli_function cli_intake;

/* A whole story on one machine. */
cli_function cli_demo;

/* Real order flow through the core in memory. */
cli_function cli_import;

/* Margin of a file of positions, its backtest, a node's margin run. */
cli_function cli_margin;

/* Reference prices recomputed; indices of external series. */
cli_function cli_index;

/* What this machine does of a reference workload, measured and signed. */
cli_function cli_certify;

/* A civil day as hours of UTC. */
cli_function cli_hours;

/* Disclosures of a node. */
cli_function cli_report;

/* Certificates, receipts, verdicts and proofs, offline. */
cli_function cli_verify;

/* The benchmarks (bench/). */
cli_function bench_main;

/* The SQL history of a data directory: made again, read; an account's day. */
cli_function cli_store;
cli_function cli_statement;

/* A data directory, recovered read-only. */
cli_function cli_replay;

#endif
