/* port.h: a client goes to another clearing member with all that it has (CLEAR-02).
 *
 * Accounts are margined and kept one by one (gross, segregated): an account's balances, positions,
 * pledged collateral and open call are its own. So porting changes one thing, whose account it is,
 * in one command, and conserves every balance by construction; its orders are cancelled, because
 * the old member's limits let them in. The receiving member must have consented. It works the same
 * when the old member is in default.
 *
 * Upstream: core. Downstream: account, order, call.
 */
#ifndef DOJIMA_CORE_PORT_H
#define DOJIMA_CORE_PORT_H

#include "core/state.h"

void port_accept(struct core *c, const struct command *cmd); /* or taken back */
void port(struct core *c, const struct command *cmd);

#endif
