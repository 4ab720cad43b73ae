/* agent_weights.h: buyers' weights in a directory, each file named by its digest, pulled from the
 * buyer's gateway by who has to work with them or to check that work.
 *
 * Invariants: (1) a file has its name only after all of it was there, was of the digest, and is
 * weights of its workload's shape; (2) no more is asked for or kept than such a file has bytes; (3)
 * what came before a kill, or before the gateway fell silent, is not asked for again; (4) what was
 * not used for 70 days goes when other weights come.
 *
 * Upstream: peer (the gateway's /weights). Downstream: agent_work, deliver, intake, verify_watch.
 */
#ifndef DOJIMA_CLI_AGENT_WEIGHTS_H
#define DOJIMA_CLI_AGENT_WEIGHTS_H

#include "cli/agent.h"
#include "work/work.h"

enum { AGENT_WEIGHTS_PART = 4 << 20 }; /* bytes of one answer, at most */

enum agent_weights_state {
    AGENT_WEIGHTS_here,
    AGENT_WEIGHTS_coming, /* so far so good: call again */
    AGENT_WEIGHTS_absent, /* they do not come now */
    AGENT_WEIGHTS_wrong,  /* what came is not these weights, and is gone */
};

/* DATA/weights, made when it is not there. */
void agent_weights_directory(const char *data, char *path, size_t size);
void agent_weights_path(const char *directory, const struct digest *weights, char *path,
                        size_t size);
/* Whether they are here; if so, they count as used now. */
bool agent_weights_have(const char *directory, const struct digest *weights);
/* The whole file, to be freed, unless it has more bytes than weights of the workload; NULL and the
 * reason. */
uint8_t *agent_weights_read(const char *path, const struct work_workload *w, size_t *size,
                            struct work_error *error);
/* What /weights asks for: {digest, offset, size}. False: refused. */
struct agent_weights_part {
    struct digest digest;
    uint64_t offset, size;
};
bool agent_weights_asked(const struct peer_request *request, struct agent_weights_part *part,
                         struct peer_response *response);
/* Its answer: `size` bytes at most of what the part asks for, or NULL. */
void agent_weights_give(const void *bytes, size_t size, struct peer_response *response);

/* Pulls them from a gateway, in parts, for a while. What is not here or coming has its reason. */
enum agent_weights_state agent_weights_pull(struct agent *a, const char *endpoint,
                                            const char *directory, const struct digest *weights,
                                            const struct work_workload *w,
                                            struct work_error *error);

#endif
