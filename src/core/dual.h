/* dual.h: what needs two officers (GUARD-05, CLEAR-13).
 *
 * A command that may not be carried out by one officer is kept whole, as a request, until a second
 * officer with another key confirms it. It is then applied as if it arrived anew: every check runs
 * again, and what has become impossible meanwhile is dropped, and that is said.
 *
 * How a command asks: after all its checks and before it changes anything, its function calls
 *     if (dual_wait(c, cmd)) return;
 * and goes on when that is false. Text that explains (`reason`) is found by dual.c (reason_of).
 *
 * Invariants: (1) a request's place holds its command's bytes and zeros behind; (2) ids are given
 * once, ascending; (3) a request leaves its place before its command runs.
 */
#ifndef DOJIMA_CORE_DUAL_H
#define DOJIMA_CORE_DUAL_H

#include "msg/command.h"
#include "msg/event.h"

struct core;

enum { REQUEST_COMMAND_SIZE_MAX = 2048 }; /* header and body of what may wait */

struct pending_request {
    uint64_t id;    /* 0: free */
    uint64_t chain; /* the ledger chain that reserves its money; 0: none */
    union {
        struct command_header header;
        struct command_transfer_request {
            struct command_header header;
            struct command_transfer transfer;
        } money;
        unsigned char bytes[REQUEST_COMMAND_SIZE_MAX];
    };
};
ASSERT_SIZE(struct pending_request, 16 + REQUEST_COMMAND_SIZE_MAX);

/* True: the command has been answered and must change nothing: it awaits its second officer, lacks
 * its reason, or there is no room for another request. False: two officers stand behind it; carry
 * it out. */
bool dual_wait(struct core *c, const struct command *cmd);
/* Whether the command being applied is one that a second officer has confirmed. */
bool dual_confirmed(const struct core *c);
/* The request that dual_wait has just kept; NULL when it had no room. */
struct pending_request *dual_kept(struct core *c, const struct command *cmd);

/* COMMAND_confirm: the second officer's yes, or (refuse) any officer's no. */
void confirm(struct core *c, const struct command *cmd);
void query_requests(const struct core *c, struct outbox *out);

/* core.c's table, as confirm needs it. */
void command_apply(struct core *c, const struct command *cmd);
/* transfer.c: gives back what a request held of an account. */
void transfer_release(struct core *c, const struct pending_request *r);

#endif
