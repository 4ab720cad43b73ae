/* directory.h: names to ids and back, built from the directory events alone.
 *
 * Assets, members, accounts, products and instruments come as events when they are created and all
 * at once in answer to QUERY_directory; states and kills change them. Ids are small and dense.
 *
 * Invariants: (1) an entry is found by name exactly when it is found by id; (2) entries never go.
 *
 * Upstream: msg. Downstream: rpc, fix, feeds that speak names.
 */
#ifndef DOJIMA_GATE_DIRECTORY_H
#define DOJIMA_GATE_DIRECTORY_H

#include "msg/event.h"

#include <stdbool.h>

struct directory;

enum directory_kind {
    DIRECTORY_asset = 0,
    DIRECTORY_member,
    DIRECTORY_account,
    DIRECTORY_product,
    DIRECTORY_instrument,
    DIRECTORY_index,
    DIRECTORY_resource,
    DIRECTORY_kind_count
};

enum { CURRENCY_SIZE = 32 };

struct directory *directory_open(void); /* NULL: no memory */
void directory_close(struct directory *d);

/* Takes note of every directory, state and killed event. 0, or -1 when there is no memory. */
int directory_apply(struct directory *d, const struct outbox *events);

/* The id of a name of `length` bytes; 0: none. */
uint32_t directory_find(const struct directory *d, enum directory_kind kind, const char *name,
                        size_t length);
uint32_t directory_find_text(const struct directory *d, enum directory_kind kind,
                             const char *name);

/* The highest id in use. */
uint32_t directory_count(const struct directory *d, enum directory_kind kind);

/* The latest event of this id; NULL: none. Valid until the next directory_apply. */
const struct event_asset *directory_asset(const struct directory *d, uint32_t id);
const struct event_member *directory_member(const struct directory *d, uint32_t id);
const struct event_account *directory_account(const struct directory *d, uint32_t id);
const struct event_product *directory_product(const struct directory *d, uint32_t id);
const struct event_instrument *directory_instrument(const struct directory *d, uint32_t id);

const struct token_class *directory_token_class(const struct directory *d, uint32_t id);
uint32_t directory_token_class_find(const struct directory *d, const struct token_class *class);

/* The name of an id, or "" when there is none. For DIRECTORY_asset, contracts have the names of
 * their instruments, tokens CT-2026-server-eu-2027031507: of these, valid until seven others have
 * been asked for. */
const char *directory_name(const struct directory *d, enum directory_kind kind, uint32_t id);

/* Deribit's base_currency: unique per product, kind of period and block, so that no two instruments
 * of one currency end on the same day. Months of the base block have the product's plain name. */
void directory_currency(const struct directory *d, const struct event_instrument *i,
                        char text[CURRENCY_SIZE]);

#endif
