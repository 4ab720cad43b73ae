/* config.h: the venue's configuration file as the requests that it stands for.
 *
 * {"venue": {params of officer_venue_set}, "clearing": {... officer_set_clearing},
 *  "certification": {... officer_set_certification},
 *  "accounts": [{... officer_create_account}], "indices": [{... officer_create_index}],
 *  "products": [{... officer_create_product}], "instruments": [{... officer_list_instrument}],
 *  "spreads": [{... officer_list_spread}], "margins": [{... officer_set_margin}],
 *  "states": [{... officer_set_state}]}
 * in this order, whatever the file's. What goes wrong is what the request's answer says.
 *
 * Upstream: a file. Downstream: gate/rpc.
 */
#ifndef DOJIMA_NODE_CONFIG_H
#define DOJIMA_NODE_CONFIG_H

#include "gate/rpc.h"

enum { CONFIG_ERROR_SIZE = 512 };

/* Applies the text as requests of this caller (an officer). 0, or -1 with the reason in error.
 *
 * `known` NULL: a venue that begins; all of the file is applied. Else the names of a venue that has
 * run before, kept up to date while this goes on: what exists is left as it is, so that the same
 * file read again sends nothing; the settings of venue, clearing and certification, and the states
 * and margins of products that were there before, are the officers' by then and stay. */
int config_apply(struct rpc *r, const struct rpc_caller *officer, const char *text, size_t length,
                 const struct directory *known, char error[CONFIG_ERROR_SIZE]);

/* Reads the file first. */
int config_apply_file(struct rpc *r, const struct rpc_caller *officer, const char *path,
                      const struct directory *known, char error[CONFIG_ERROR_SIZE]);

#endif
