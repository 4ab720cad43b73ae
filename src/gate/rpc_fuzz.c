/* rpc_fuzz.c: any request, as a body or as a query string, gives one JSON object, and only commands
 * that are valid reach the machine. The first byte chooses the form. */
#include "gate/rpc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned char events_bytes[4096];
static struct outbox outbox = {.bytes = events_bytes, .capacity = sizeof events_bytes};

static int fuzz_submit(void *context, struct command *c, const struct outbox **events)
{
    (void)context;
    ASSERT(command_is_valid(c, c->header.size));
    outbox_reset(&outbox, 1, TS(1));
    *events = &outbox;
    return 0;
}

static void fuzz_query(void *context, const struct query *q, const struct outbox **events)
{
    (void)context;
    ASSERT(q->kind < QUERY_kind_count);
    outbox_reset(&outbox, 1, TS(1));
    if (q->kind == QUERY_spot) { /* INDEX-01: an auction that is done, day-ahead or balancing */
        struct event_spot_auction *a = outbox_push(&outbox, EVENT_spot_auction, sizeof *a);
        memset(&a->id, 0, sizeof *a - sizeof a->header);
        a->id = q->order_id == 0 ? 1 : q->order_id;
        a->hours = 24;
        a->steps = 1;
        a->kind = (uint8_t)(q->order_id % SPOT_kind_count);
        a->state = SPOT_STATE_done;
    }
    for (uint8_t kind = 0; kind < 2 && q->kind == QUERY_spot_bids; kind++) {
        struct event_spot_bid *b = outbox_push(&outbox, EVENT_spot_bid, sizeof *b);
        memset(&b->id, 0, sizeof *b - sizeof b->header);
        b->id = kind;
        b->kind = kind;
        b->qty[0] = QTY(3);
    }
    *events = &outbox;
}

static ts_t fuzz_now(void *context)
{
    (void)context;
    return TS(1);
}

static void check(const struct rpc_answer *a)
{
    static struct json_token tokens[1 << 16];
    struct json j = {.tokens = tokens, .capacity = 1 << 16};
    ASSERT(json_parse(&j, a->bytes, a->length) == JSON_OK && tokens[0].kind == JSON_object);
}

static struct rpc *fuzz_open(void)
{
    static struct venue venue = {.submit = fuzz_submit, .query = fuzz_query, .now = fuzz_now};
    struct directory *d = directory_open();
    ASSERT(d != NULL);
    outbox_reset(&outbox, 1, TS(1));
    struct event_product *p = outbox_push(&outbox, EVENT_product, sizeof *p);
    memset(&p->id, 0, sizeof *p - sizeof p->header);
    p->id = 1;
    p->terms.name[0] = 'Z';
    struct event_instrument *i = outbox_push(&outbox, EVENT_instrument, sizeof *i);
    memset(&i->id, 0, sizeof *i - sizeof i->header);
    i->id = 1;
    i->product = 1;
    i->name[0] = 'I';
    i->tick = PRICE(1);
    ASSERT(directory_apply(d, &outbox) == 0);
    struct rpc *r = rpc_open(&venue, d);
    ASSERT(r != NULL);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rpc *r;
    struct rpc_caller caller = {.scopes = RPC_SCOPE_all, .principal = 1, .account = 1};
    struct rpc_answer answer;
    if (r == NULL) r = fuzz_open();
    if (size < 1) return 0;
    const char *text = (const char *)data + 1;
    size_t length = size - 1;
    if (data[0] & 1) {
        struct rpc_request q;
        const char *end = memchr(text, '?', length);
        size_t method = end == NULL ? length : (size_t)(end - text);
        size_t rest = end == NULL ? length : method + 1;
        enum reject e = rpc_read_get(r, text, method, text + rest, length - rest, &q);
        if (e == REJECT_none) rpc_run(r, &caller, &q, &answer);
        else rpc_refuse(r, &caller, &q, e, NULL, &answer);
    } else {
        rpc_handle(r, &caller, text, length, &answer);
    }
    check(&answer);
    return 0;
}
