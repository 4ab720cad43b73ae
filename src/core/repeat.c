/* repeat.c: a client order id is used once per account and UTC day; MATCH-05.
 *
 * The first request's answer, a reject included, is kept as the very events that concern its
 * account; an identical repeat gets them again, flagged EVENT_FLAG_REPEAT, and is never executed.
 * The same id with another body is rejected. session.c forgets all at a new date.
 */
#include "core/state.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t key_of(const struct command *cmd)
{
    uint64_t h = XXH3_64bits_withSeed(cmd->order_new.client_order_id, CLIENT_ORDER_ID_SIZE,
                                      cmd->header.account);
    return h != 0 ? h : 1;
}

static uint64_t body_hash_of(const struct command *cmd)
{
    return XXH3_64bits(&cmd->order_new, cmd->header.size - sizeof cmd->header);
}

/* Writes the kept events again, under this command's sequence number. */
static void answer_again(struct core *c, const struct client_id *id)
{
    const unsigned char *at = c->answers + id->answer_offset;
    const unsigned char *end = at + id->answer_used;
    while (at < end) {
        struct event_header kept;
        memcpy(&kept, at, sizeof kept);
        unsigned char *e = outbox_push(c->out, (enum event_kind)kept.kind, kept.size);
        struct event_header *header = (struct event_header *)(void *)e;
        memcpy(e + sizeof kept, at + sizeof kept, kept.size - sizeof kept);
        header->flags |= EVENT_FLAG_REPEAT;
        header->ts = kept.ts;
        at += kept.size;
    }
}

enum repeat repeat_look(struct core *c, const struct command *cmd, uint64_t *body_hash)
{
    uint32_t account = cmd->header.account;
    *body_hash = body_hash_of(cmd);
    if (account == 0 || account > c->s->accounts) return REPEAT_first;
    uint32_t *found = map_find(&c->client_id_map, key_of(cmd));
    if (found == NULL) return REPEAT_first;
    const struct client_id *id = &c->client_ids[*found];
    bool same = id->account == account && id->body_hash == *body_hash &&
                memcmp(id->text, cmd->order_new.client_order_id, sizeof id->text) == 0;
    if (same) {
        answer_again(c, id);
        return REPEAT_answered;
    }
    reject_push(c, cmd, REJECT_duplicate_client_order_id, INT64_MIN);
    return REPEAT_rejected;
}

/* The largest answer: an order, its linked ones, and as many own trades as one command may
 * cause. */
static size_t answer_most(const struct core *c)
{
    size_t most = (LINKED_ORDERS_MAX + 2) * (sizeof(struct event_order) * 2 +
                                             sizeof(struct event_order_text)) +
                  (size_t)c->limits.fills_per_command * sizeof(struct event_trade);
    return most < c->limits.answer_bytes / 2 ? most : c->limits.answer_bytes / 2;
}

bool repeat_has_room(const struct core *c)
{
    return !map_full(&c->client_id_map) && c->s->client_ids < c->limits.client_ids &&
           c->s->answer_bytes_used + answer_most(c) <= c->limits.answer_bytes;
}

/* Whether the requester's answer is made of this event. */
static bool is_own(const struct event_header *h, uint32_t account)
{
    switch ((enum event_kind)h->kind) {
    case EVENT_reject: return true;
    case EVENT_order: return ((const struct event_order *)(const void *)h)->account == account;
    case EVENT_order_text: return true;
    case EVENT_trade: {
        const struct event_trade *t = (const struct event_trade *)(const void *)h;
        return t->account[0] == account || t->account[1] == account;
    }
    default: return false;
    }
}

void repeat_keep(struct core *c, const struct command *cmd, uint64_t body_hash, size_t from)
{
    uint32_t account = cmd->header.account;
    if (account == 0 || account > c->s->accounts) return;
    uint32_t index = ++c->s->client_ids;
    struct client_id *id = &c->client_ids[index];
    *id = (struct client_id){.body_hash = body_hash, .account = account,
                             .answer_offset = c->s->answer_bytes_used};
    memcpy(id->text, cmd->order_new.client_order_id, sizeof id->text);
    size_t most = answer_most(c);
    for (size_t at = from; at < c->out->used;) {
        const struct event_header *h = (const struct event_header *)(void *)(c->out->bytes + at);
        at += h->size;
        if (!is_own(h, account) || id->answer_used + h->size > most) continue;
        memcpy(c->answers + id->answer_offset + id->answer_used, h, h->size);
        id->answer_used += h->size;
    }
    c->s->answer_bytes_used += id->answer_used;
    map_insert(&c->client_id_map, key_of(cmd), index);
}
