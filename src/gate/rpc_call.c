/* rpc_call.c: from a call to the machine and back; names to ids. */
#include "gate/rpc_internal.h"

#include <string.h>

enum { SEE_ALL = RPC_SCOPE_auditor | RPC_SCOPE_officer | RPC_SCOPE_clear };

struct command *command_begin(struct rpc_call *c, enum command_kind kind, size_t bytes)
{
    ASSERT(bytes <= COMMAND_SIZE_MAX && bytes % 8 == 0);
    memset(c->command, 0, bytes);
    c->command->header = (struct command_header){
        .size = (uint32_t)bytes,
        .kind = (uint16_t)kind,
        .received_ts = c->caller->received_ts,
        .account = c->caller->account,
        .session = c->caller->session,
        .nonce = c->caller->nonce,
        .principal = c->caller->principal,
    };
    return c->command;
}

/* The core's refusal of the whole command: a reject event of this kind of command. A mass quote's
 * entries are refused one by one, beside a count. */
static const struct event_reject *whole_reject(const struct rpc_call *c,
                                               const struct outbox *events)
{
    const struct event_reject *found = NULL;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_reject *e = (const struct event_reject *)(const void *)h;
        if (h->kind == EVENT_reject && e->command == c->command->header.kind) found = e;
        if (h->kind == EVENT_count && c->command->header.kind == COMMAND_mass_quote) return NULL;
    }
    return found;
}

int command_submit(struct rpc_call *c, const struct outbox **events)
{
    ASSERT(command_is_valid(c->command, c->command->header.size));
    if (c->venue->submit(c->venue->context, c->command, events) != 0) return RPC_UNAVAILABLE;
    c->seq = (*events)->seq;
    const struct event_reject *e = whole_reject(c, *events);
    if (e == NULL) return REJECT_none;
    c->reject = *e;
    return e->reason > REJECT_none && e->reason < REJECT_count ? e->reason
                                                               : REJECT_malformed_request;
}

const struct outbox *query_ask(struct rpc_call *c, const struct query *q)
{
    const struct outbox *events = NULL;
    c->venue->query(c->venue->context, q, &events);
    ASSERT(events != NULL);
    if (events->seq > c->seq) c->seq = events->seq;
    return events;
}

int past_ask(struct rpc_call *c, const struct query *q, const struct outbox **events)
{
    if (c->venue->past == NULL) return REJECT_not_offered;
    if (c->venue->past(c->venue->context, q, events) != 0) return REJECT_capacity_exhausted;
    if ((*events)->seq > c->seq) c->seq = (*events)->seq;
    return REJECT_none;
}

const void *event_find(const struct outbox *events, enum event_kind kind)
{
    const struct event_header *h = outbox_next(events, NULL);
    while (h != NULL && h->kind != kind) h = outbox_next(events, h);
    return h;
}

static inline uint32_t id_find(const struct rpc_call *c, uint32_t object, const char *name,
                               enum directory_kind kind)
{
    char text[80];
    size_t n = param_text(c, object, name, text, sizeof text);
    return directory_find(c->names, kind, text, n);
}

uint32_t id_of(const struct rpc_call *c, uint32_t object, const char *name,
               enum directory_kind kind)
{
    return id_find(c, object, name, kind);
}

static int named(struct rpc_call *c, const char *name, enum directory_kind kind,
                 enum reject otherwise, uint32_t *id)
{
    *id = 0;
    if (param_find(c, c->params, name) == 0) return REJECT_none;
    *id = id_find(c, c->params, name, kind);
    return *id == 0 ? (int)otherwise : REJECT_none;
}

int instrument_of(struct rpc_call *c, const char *name, uint32_t *id)
{
    return named(c, name, DIRECTORY_instrument, REJECT_unknown_instrument, id);
}

int product_of(struct rpc_call *c, const char *name, uint32_t *id)
{
    return named(c, name, DIRECTORY_product, REJECT_unknown_product, id);
}

int account_named(struct rpc_call *c, const char *name, uint32_t *id)
{
    return named(c, name, DIRECTORY_account, REJECT_unknown_account, id);
}

int accounts_of(struct rpc_call *c, uint32_t object, const char *name, uint32_t most,
                uint32_t *ids, uint32_t *count)
{
    const struct json_token *tokens = c->json->tokens;
    uint32_t array = param_find(c, object, name);
    *count = 0;
    for (uint32_t i = array + 1; array != 0 && i < tokens[array].next; i = tokens[i].next) {
        char text[ACCOUNT_NAME_SIZE];
        if (*count == most || tokens[i].kind != JSON_string) return malformed(c, name);
        int n = json_text(c->json, i, text, sizeof text);
        uint32_t id = n < 0 ? 0 : directory_find(c->names, DIRECTORY_account, text, (size_t)n);
        if (id == 0) return REJECT_unknown_account;
        ids[(*count)++] = id;
    }
    return REJECT_none;
}

int member_of(struct rpc_call *c, const char *name, uint32_t *id)
{
    return named(c, name, DIRECTORY_member, REJECT_unknown_account, id);
}

/* An asset that is not given is USD. */
int asset_of(struct rpc_call *c, const char *name, uint32_t *id)
{
    if (param_find(c, c->params, name) == 0) {
        *id = ASSET_USD;
        return REJECT_none;
    }
    int reason = named(c, name, DIRECTORY_asset, REJECT_none, id);
    return *id == 0 ? malformed(c, name) : reason;
}

int account_own(struct rpc_call *c, uint32_t *id)
{
    *id = c->caller->account;
    return *id == 0 ? REJECT_unknown_account : REJECT_none;
}

/* The parameter `account`, which only these scopes may set to another's; else the caller's own. */
static int account_of(struct rpc_call *c, uint32_t scopes, uint32_t *id)
{
    int reason = account_named(c, "account", id);
    if (param_find(c, c->params, "account") == 0) return account_own(c, id);
    if ((c->caller->scopes & scopes) == 0 && (*id == 0 || *id != c->caller->account))
        return REJECT_unauthorised;
    return reason;
}

int account_read(struct rpc_call *c, uint32_t *id) { return account_of(c, SEE_ALL, id); }

int account_acting(struct rpc_call *c, uint32_t *id)
{
    return account_of(c, RPC_SCOPE_officer | RPC_SCOPE_clear, id);
}

bool sees_all(const struct rpc_call *c) { return (c->caller->scopes & SEE_ALL) != 0; }

uint32_t member_own(const struct rpc_call *c)
{
    const struct event_account *own = directory_account(c->names, c->caller->account);
    return own == NULL ? 0 : own->member;
}

int currency_of(struct rpc_call *c, struct currency *currency)
{
    memset(currency, 0, sizeof *currency);
    size_t n = param_text(c, c->params, "currency", currency->text, sizeof currency->text);
    if (n == 0 || strcmp(currency->text, "any") == 0 || strcmp(currency->text, "USD") == 0) {
        currency->text[0] = 0;
        return REJECT_none;
    }
    currency->product = directory_find(c->names, DIRECTORY_product, currency->text, n);
    if (currency->product != 0) return REJECT_none;
    uint32_t count = directory_count(c->names, DIRECTORY_instrument);
    for (uint32_t i = 1; i <= count; i++) {
        if (currency_has(c, currency, i)) return REJECT_none;
    }
    return REJECT_unknown_product;
}

bool currency_has(const struct rpc_call *c, const struct currency *currency, uint32_t instrument)
{
    const struct event_instrument *i = directory_instrument(c->names, instrument);
    if (i == NULL) return false;
    if (currency->text[0] == 0) return true;
    if (currency->product != 0) return i->product == currency->product;
    char own[CURRENCY_SIZE];
    directory_currency(c->names, i, own);
    return strcmp(own, currency->text) == 0;
}

uint64_t text_hash(const char *text, size_t length)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return h;
}
