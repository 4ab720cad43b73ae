/* node.h: the daemon: one loop with gate, sequencer and core in it. node.c has the wiring.
 *
 * Upstream: cli/serve.c. Downstream: everything.
 */
#ifndef DOJIMA_NODE_NODE_H
#define DOJIMA_NODE_NODE_H

#include "gate/gate.h"

struct node_options {
    const char *data;       /* the data directory; made when absent */
    const char *config;     /* a file; NULL: none */
    bool demo;
    uint32_t demo_rate;     /* commands a second; 0: the default */
    ts_t clock;             /* a demonstration's clock begins here; negative: the machine's */
    bool history;           /* SQL history beside the journal */
    bool quiet;             /* no log lines but warnings and errors */
    struct gate_options gate;
};

struct node_options node_options_default(void);

/* Serves until SIGTERM or SIGINT. The exit status: 0 after a clean end, 1 with one line on standard
 * error that says why it could not go on. */
int node_run(const struct node_options *options);

#endif
