/* import_venue.c: a venue in memory for an importer: the real core, some accounts, no limits of
 * risk.
 *
 * Commands are stamped here as the sequencer would; nothing is journaled.
 */
#include "cli/import.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t import_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* Applies v->command; whether it was accepted. */
static bool step(struct import_venue *v, enum command_kind kind, uint32_t account, size_t size)
{
    struct command_header *h = &v->command.header;
    uint64_t seq = core_seq(v->core) + 1;
    *h = (struct command_header){.size = (uint32_t)size, .kind = (uint16_t)kind, .seq = seq,
                                 .ts = v->ts, .account = account, .principal = 1};
    ASSERT(command_is_valid(&v->command, size));
    outbox_reset(&v->out, seq, v->ts);
    int64_t start = import_now_ns();
    core_step(v->core, &v->command, &v->out);
    v->step_ns += import_now_ns() - start;
    v->commands += 1;
    const struct event_header *e = outbox_next(&v->out, NULL);
    bool rejected = e != NULL && e->kind == EVENT_reject;
    v->rejects += rejected;
    if (rejected) v->reason = ((const struct event_reject *)(const void *)e)->reason;
    return !rejected;
}

static const void *first_event(const struct import_venue *v, enum event_kind kind)
{
    for (const struct event_header *e = outbox_next(&v->out, NULL); e != NULL;
         e = outbox_next(&v->out, e)) {
        if (e->kind == kind) return e;
    }
    return NULL;
}

/* Keeps the core's reason as the error; 0, as an id that there is not. */
static uint32_t refused(struct import_venue *v, const char *what)
{
    const struct event_reject *e = first_event(v, EVENT_reject);
    const char *why = e == NULL ? "no answer" : reject_text((enum reject)e->reason)->sentence;
    (void)snprintf(v->error, sizeof v->error, "%s: %.120s", what, why);
    return 0;
}

static uint32_t make_account(struct import_venue *v, const char *name)
{
    v->command = (struct command){0};
    struct command_account_create *a = &v->command.account_create;
    (void)snprintf(a->account, sizeof a->account, "%s", name);
    (void)snprintf(a->member, sizeof a->member, "import");
    size_t size = command_size_full(COMMAND_account_create);
    if (!step(v, COMMAND_account_create, 0, size)) return 0;
    const struct event_account *e = first_event(v, EVENT_account);
    return e == NULL ? 0 : e->id;
}

int import_venue_open(struct import_venue *v, const struct import_options *options)
{
    uint32_t orders = options->orders == 0 ? IMPORT_ORDERS : options->orders;
    /* Live orders, levels and instruments of one file; the rest is not used. */
    const struct core_limits limits = {
        .members = 8, .accounts = 96, .products = 64, .instruments = 64, .balances = 8192,
        .exposures = 8192, .orders = orders, .orders_closed = 256, .levels = orders,
        .client_ids = 16, .answer_bytes = 4096, .trades = 1024, .postings = 1024,
        .settlements = 16, .requests = 16, .fills_per_command = 4096,
        .spreads_per_leg = 1};
    *v = (struct import_venue){.ts = TS(INT64_C(1799020800) * NS_PER_SECOND)};
    size_t bytes = core_bytes(&limits), out_bytes = core_outbox_bytes(&limits);
    v->memory = calloc(1, bytes + 63); /* pages that are not touched cost nothing */
    v->out.bytes = malloc(out_bytes);
    v->out.capacity = out_bytes;
    if (v->memory == NULL || v->out.bytes == NULL) {
        (void)snprintf(v->error, sizeof v->error, "no memory for the venue (%zu MB)",
                       (bytes + out_bytes) >> 20);
        return -1;
    }
    v->core = core_open(&limits, (void *)(((uintptr_t)v->memory + 63) & ~(uintptr_t)63));
    ASSERT(v->core != NULL);
    v->taking = make_account(v, "taking");
    bool made = v->taking != 0;
    for (int i = 0; made && i < IMPORT_HOLDERS; i++) {
        char name[ACCOUNT_NAME_SIZE];
        (void)snprintf(name, sizeof name, "resting%d", i);
        v->holders[i] = make_account(v, name);
        made = v->holders[i] != 0;
    }
    if (!made) (void)refused(v, "accounts");
    return made ? 0 : -1;
}

void import_venue_close(struct import_venue *v)
{
    core_close(v->core);
    free(v->memory);
    free(v->out.bytes);
    v->core = NULL;
    v->memory = NULL;
    v->out.bytes = NULL;
}

uint32_t import_venue_list(struct import_venue *v, const char *name, int64_t tick, uint32_t flags,
                           enum trading_state state)
{
    v->command = (struct command){0};
    struct command_product_create *p = &v->command.product_create;
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    p->flags = flags;
    p->tick = PRICE(tick);
    p->contract_size = E6;
    if (!step(v, COMMAND_product_create, 0, command_size_full(COMMAND_product_create)))
        return refused(v, name);
    const struct event_product *product = first_event(v, EVENT_product);
    ASSERT(product != NULL);
    uint32_t id = product->id;
    v->command = (struct command){0};
    v->command.instrument_list.product = id;
    (void)snprintf(v->command.instrument_list.period, PERIOD_NAME_SIZE, "2030");
    if (!step(v, COMMAND_instrument_list, 0, command_size_full(COMMAND_instrument_list)))
        return refused(v, name);
    const struct event_instrument *instrument = first_event(v, EVENT_instrument);
    ASSERT(instrument != NULL);
    uint32_t instrument_id = instrument->id;
    v->command = (struct command){0};
    v->command.state_set = (struct command_state_set){.product = id, .state = (uint32_t)state};
    if (!step(v, COMMAND_state_set, 0, command_size_full(COMMAND_state_set)))
        return refused(v, name);
    return instrument_id;
}

void import_venue_time(struct import_venue *v, ts_t ts)
{
    if (ts.v > v->ts.v) v->ts = ts;
}

uint64_t import_order_new(struct import_venue *v, const struct import_order *o)
{
    memset(&v->command, 0, COMMAND_ORDER_NEW_BARE_SIZE);
    v->command.order_new.instrument = o->instrument;
    v->command.order_new.flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY;
    v->command.order_new.side = (uint8_t)o->side;
    v->command.order_new.type = ORDER_TYPE_limit;
    v->command.order_new.tif = (uint8_t)o->tif;
    v->command.order_new.price = PRICE(o->price);
    v->command.order_new.qty = QTY(o->qty);
    v->command.order_new.target_order_id = o->target;
    if (!step(v, COMMAND_order_new, o->account, COMMAND_ORDER_NEW_BARE_SIZE)) return 0;
    const struct event_order *e = first_event(v, EVENT_order);
    ASSERT(e != NULL);
    return e->order_id;
}

bool import_order_edit(struct import_venue *v, uint32_t account, uint64_t order_id, int64_t qty)
{
    v->command.order_edit = (struct command_order_edit){
        .order_id = order_id, .flags = ORDER_FLAG_HAS_QTY, .qty = QTY(qty)};
    return step(v, COMMAND_order_edit, account, command_size_full(COMMAND_order_edit));
}

bool import_order_cancel(struct import_venue *v, uint32_t account, uint64_t order_id)
{
    v->command.order_cancel = (struct command_order_cancel){.order_id = order_id};
    return step(v, COMMAND_order_cancel, account, command_size_full(COMMAND_order_cancel));
}

void import_query(struct import_venue *v, enum query_kind kind, uint32_t instrument, uint32_t count)
{
    struct query q = {.kind = (uint32_t)kind, .instrument = instrument, .count = count,
                      .now = v->ts};
    outbox_reset(&v->out, core_seq(v->core), v->ts);
    core_query(v->core, &q, &v->out);
}

int64_t import_traded(const struct import_venue *v)
{
    int64_t lots = 0;
    for (const struct event_header *e = outbox_next(&v->out, NULL); e != NULL;
         e = outbox_next(&v->out, e)) {
        if (e->kind == EVENT_trade) lots += ((const struct event_trade *)(const void *)e)->qty.v;
    }
    return lots;
}

bool import_crossed(struct import_venue *v, uint32_t instrument)
{
    import_query(v, QUERY_book, instrument, 1);
    const struct event_level *best[2] = {NULL, NULL};
    for (const struct event_header *e = outbox_next(&v->out, NULL); e != NULL;
         e = outbox_next(&v->out, e)) {
        const struct event_level *l = (const void *)e;
        if (e->kind == EVENT_level && best[l->side] == NULL) best[l->side] = l;
    }
    return best[0] != NULL && best[1] != NULL && best[0]->price.v >= best[1]->price.v;
}

void import_venue_figures(const struct import_venue *v, struct import_report *r)
{
    import_figure(r, "commands", "commands to the core", (int64_t)v->commands);
    import_figure(r, "rejects", "of them refused", (int64_t)v->rejects);
    import_figure(r, "core_us", "time in the core, us", v->step_ns / 1000);
    import_figure(r, "core_commands_per_second", "commands a second in the core",
                  v->step_ns > 0 ? (int64_t)v->commands * NS_PER_SECOND / v->step_ns : 0);
}
