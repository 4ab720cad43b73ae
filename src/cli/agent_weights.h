/* agent_weights.h: buyers' weights in a directory, each file named by its digest, pulled from the
 * buyer's gateway by who has to work with them or to check that work.
 *
 * Upstream: peer (the gateway's /weights). Downstream: agent_work, deliver, verify_watch.
 */
#ifndef DOJIMA_CLI_AGENT_WEIGHTS_H
#define DOJIMA_CLI_AGENT_WEIGHTS_H

#include "cli/agent.h"
#include "work/work.h"

enum { AGENT_WEIGHTS_PART = 4 << 20 }; /* bytes of one answer, at most; fewer: the last */

/* DATA/weights, made when it is not there. */
void agent_weights_directory(const char *data, char *path, size_t size);
void agent_weights_path(const char *directory, const struct digest *weights, char *path,
                        size_t size);
bool agent_weights_have(const char *directory, const struct digest *weights);
/* The whole file, to be freed; NULL and the reason. */
uint8_t *agent_weights_read(const char *path, size_t *size, struct work_error *error);
/* Pulls them from a gateway, in parts. False: said. */
bool agent_weights_pull(struct agent *a, const char *endpoint, const char *directory,
                        const struct digest *weights);

#endif
