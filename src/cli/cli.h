/* cli.h: the subcommands of dojima, one file each. argv[0] is the subcommand's name; the result is
 * the exit status: 0, 1 failure, 2 usage.
 *
 * Upstream: node/main.c (its table of subcommands). Downstream: everything.
 */
#ifndef DOJIMA_CLI_CLI_H
#define DOJIMA_CLI_CLI_H

/* A trader's commands against a running node (JSON-RPC over HTTP). */
int cli_order(int argc, char **argv);
int cli_cancel(int argc, char **argv);
int cli_book(int argc, char **argv);
int cli_positions(int argc, char **argv);
int cli_account(int argc, char **argv);
int cli_trades(int argc, char **argv);
int cli_instruments(int argc, char **argv);

/* Real order flow through the core in memory. */
int cli_import(int argc, char **argv);

#endif
