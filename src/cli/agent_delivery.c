/* agent_delivery.c: see agent_delivery.h. */
#include "cli/agent_delivery.h"

#include <string.h>

uint128_t delivery_flop(int64_t work)
{
    return (uint128_t)(work < 0 ? 0 : work) * 1000000000;
}

bool delivery_is(const struct delivery_allocation *d, const char *state)
{
    return strcmp(d->state, state) == 0;
}

const struct delivery_allocation *delivery_find(const struct deliveries_seen *d, uint64_t id)
{
    for (uint32_t i = 0; i < d->count; i++) {
        if (d->list[i].id == id) return &d->list[i];
    }
    return NULL;
}

const struct delivery_hour *delivery_hour_find(const struct delivery_allocation *d, int64_t hour)
{
    for (uint32_t i = 0; i < d->hour_count; i++) {
        if (d->hours[i].hour == hour) return &d->hours[i];
    }
    return NULL;
}

bool delivery_make_up(const struct delivery_allocation *d, int64_t hour, struct delivery_hour *h)
{
    int64_t due = d->work_short;
    if (!delivery_is(d, "making_up") || hour < d->end_hour || hour + 1 > d->make_up_until)
        return false;
    for (uint32_t i = 0; i < d->hour_count; i++)
        if (d->hours[i].make_up) due -= d->hours[i].work_claimed;
    *h = (struct delivery_hour){.hour = hour, .make_up = true, .state = "due", .work_due = due};
    return due > 0;
}

/* ---- products: what is delivered, and when its canary is due ---- */

struct product_seen {
    char name[DELIVERY_WORD_SIZE];
    uint32_t vintage;
    int64_t canary_days;
    int64_t canary_second;
    int64_t make_up_hours;
};

enum { PRODUCTS_MAX = 64 };

/* HH:MM[:SS]; otherwise [12:00]. */
static int64_t second_of(const char *text)
{
    unsigned hour = 12, minute = 0, second = 0;
    if (sscanf(text, "%2u:%2u:%2u", &hour, &minute, &second) < 2) return 12 * 3600;
    return (int64_t)hour * 3600 + minute * 60 + second;
}

static bool products_ask(struct agent *a, struct product_seen *list, uint32_t *count)
{
    struct client *c = &a->client;
    char time[DELIVERY_WORD_SIZE];
    client_begin(c);
    if (agent_call(a, "public/get_products") != CLIENT_ok) return false;
    *count = 0;
    for (uint32_t t = client_each(c, c->result, 0); t != 0 && *count < PRODUCTS_MAX;
         t = client_each(c, c->result, t)) {
        struct product_seen *p = &list[*count];
        uint32_t terms = json_member(&c->answer, t, "delivery");
        if (terms == 0 || c->tokens[terms].kind != JSON_object) continue;
        (void)agent_text(c, t, "product", p->name, sizeof p->name);
        p->vintage = (uint32_t)agent_int(c, terms, "vintage", 0);
        p->canary_days = agent_int(c, terms, "canary_days", 1);
        p->canary_second = second_of(agent_text(c, terms, "canary_time", time, sizeof time));
        p->make_up_hours = agent_int(c, terms, "make_up_seconds", 0) / 3600;
        *count += 1;
    }
    return true;
}

static void product_apply(const struct product_seen *list, uint32_t count,
                          struct delivery_allocation *d)
{
    size_t length = strcspn(d->instrument, "-");
    for (uint32_t i = 0; i < count; i++) {
        const struct product_seen *p = &list[i];
        if (strlen(p->name) != length || memcmp(p->name, d->instrument, length) != 0) continue;
        int64_t day = d->first_hour / 24 - p->canary_days;
        d->vintage = p->vintage;
        d->make_up_until = d->end_hour + p->make_up_hours;
        d->canary_ms = (day * 86400 + p->canary_second) * 1000;
    }
}

/* ---- reading ---- */

static int64_t hour_of(const struct client *c, uint32_t object, const char *name)
{
    return agent_int(c, object, name, 0) / DELIVERY_HOUR_MS;
}

static void allocation_read(const struct client *c, uint32_t t, struct delivery_allocation *d)
{
    *d = (struct delivery_allocation){0};
    d->id = (uint64_t)agent_int(c, t, "allocation", 0);
    (void)agent_text(c, t, "instrument_name", d->instrument, sizeof d->instrument);
    (void)agent_text(c, t, "state", d->state, sizeof d->state);
    (void)agent_text(c, t, "resource", d->resource, sizeof d->resource);
    d->work_hour = agent_fixed(c, t, "work_per_hour", 9, 0);
    d->work_short = agent_fixed(c, t, "work_short", 9, 0);
    d->first_hour = hour_of(c, t, "start");
    d->end_hour = hour_of(c, t, "end");
    (void)agent_hex(c, t, "buyer_key", d->buyer_key, NOTE_KEY_SIZE);
    (void)agent_hex(c, t, "seller_key", d->seller_key, NOTE_KEY_SIZE);
    (void)agent_text(c, t, "buyer_endpoint", d->buyer_endpoint, sizeof d->buyer_endpoint);
    (void)agent_text(c, t, "seller_endpoint", d->seller_endpoint, sizeof d->seller_endpoint);
}

static void hour_read(const struct client *c, uint32_t t, struct delivery_hour *h)
{
    *h = (struct delivery_hour){0};
    h->hour = hour_of(c, t, "hour");
    h->make_up = client_true(c, t, "make_up");
    (void)agent_text(c, t, "state", h->state, sizeof h->state);
    h->work_due = agent_fixed(c, t, "work_due", 9, 0);
    h->work_claimed = agent_fixed(c, t, "work_claimed", 9, 0);
    h->tasks = (uint64_t)agent_int(c, t, "tasks", 0);
    (void)agent_hex(c, t, "root", h->root.v, DIGEST_BYTES);
}

/* Hours of one allocation: as many as there is room for. */
static bool hours_ask(struct agent *a, struct delivery_allocation *d)
{
    struct client *c = &a->client;
    client_begin(c);
    json_key_int(&c->params, "allocation", (int64_t)d->id);
    enum client_status status = agent_call(a, "public/get_delivery");
    if (status == CLIENT_unreachable) return false;
    if (status == CLIENT_refused) return true;
    uint32_t hours = json_member(&c->answer, c->result, "hours");
    for (uint32_t t = client_each(c, hours, 0); t != 0 && d->hour_count < DELIVERY_HOURS_MAX;
         t = client_each(c, hours, t))
        hour_read(c, t, &d->hours[d->hour_count++]);
    return true;
}

/* States in which somebody has something to do. */
static bool is_live(const struct delivery_allocation *d)
{
    return !delivery_is(d, "closed") && !delivery_is(d, "buying_in");
}

bool agent_deliveries(struct agent *a, struct deliveries_seen *d)
{
    struct client *c = &a->client;
    struct product_seen products[PRODUCTS_MAX];
    uint32_t product_count;
    d->count = 0;
    if (!products_ask(a, products, &product_count)) return false;
    client_begin(c);
    json_key_int(&c->params, "count", DELIVERY_ALLOCATIONS_MAX);
    enum client_status status = agent_call(a, "private/get_allocations");
    if (status == CLIENT_refused) agent_say(a, "no allocations are told: %s", c->sentence);
    if (status != CLIENT_ok) return false;
    for (uint32_t t = client_each(c, c->result, 0); t != 0 && d->count < DELIVERY_ALLOCATIONS_MAX;
         t = client_each(c, c->result, t)) {
        struct delivery_allocation *next = &d->list[d->count];
        allocation_read(c, t, next);
        product_apply(products, product_count, next);
        if (is_live(next)) d->count += 1;
    }
    for (uint32_t i = 0; i < d->count; i++) {
        if (!delivery_is(&d->list[i], "allotted") && !hours_ask(a, &d->list[i])) return false;
    }
    return true;
}

bool agent_verifiers(struct agent *a, struct verifiers *v)
{
    struct client *c = &a->client;
    char role[DELIVERY_WORD_SIZE];
    client_begin(c);
    if (agent_call(a, "public/get_accreditations") != CLIENT_ok) return false;
    v->count = 0;
    for (uint32_t t = client_each(c, c->result, 0); t != 0 && v->count < DELIVERY_VERIFIERS_MAX;
         t = client_each(c, c->result, t)) {
        (void)agent_text(c, t, "role", role, sizeof role);
        if (strcmp(role, "verifier") == 0 && client_true(c, t, "accredited") &&
            agent_hex(c, t, "public_key", v->keys[v->count], NOTE_KEY_SIZE)) v->count += 1;
    }
    return true;
}

bool verifiers_have(const struct verifiers *v, const uint8_t key[NOTE_KEY_SIZE])
{
    for (uint32_t i = 0; i < v->count; i++) {
        if (memcmp(v->keys[i], key, NOTE_KEY_SIZE) == 0) return true;
    }
    return false;
}
