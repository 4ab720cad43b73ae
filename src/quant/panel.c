/* panel.c: see panel.h. */
#include "quant/panel.h"

#include "base/time_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OFFER_SLOTS = PANEL_OFFERS_MAX * 2, PROVIDER_SLOTS = PANEL_PROVIDERS_MAX * 2 };
#define PANEL_PRICE_MAX 1e6

/* ---- names ---- */

static uint32_t hash_of(const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (; *name != 0; name++) h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return (uint32_t)(h ^ (h >> 32));
}

int panel_open(struct panel *p, bool steps, bool once, bool lenient)
{
    *p = (struct panel){.steps = steps, .once = once, .lenient = lenient};
    p->offer_slots = calloc(OFFER_SLOTS, sizeof *p->offer_slots);
    p->provider_slots = calloc(PROVIDER_SLOTS, sizeof *p->provider_slots);
    p->providers = calloc(PANEL_PROVIDERS_MAX, sizeof *p->providers);
    if (p->offer_slots != NULL && p->provider_slots != NULL && p->providers != NULL) return 0;
    panel_close(p);
    return -1;
}

void panel_close(struct panel *p)
{
    free(p->offers);
    free(p->providers);
    free(p->quotes);
    free(p->offer_slots);
    free(p->provider_slots);
    *p = (struct panel){0};
}

/* Room for one more; false: no memory. */
static bool grow(void **items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity) return true;
    uint32_t more = *capacity == 0 ? 256 : *capacity * 2;
    void *moved = realloc(*items, more * size);
    if (moved == NULL) return false;
    *items = moved;
    *capacity = more;
    return true;
}

/* UINT32_MAX: too many. */
static uint32_t provider_of(struct panel *p, const char *name)
{
    uint32_t slot = hash_of(name) % PROVIDER_SLOTS;
    for (; p->provider_slots[slot] != 0; slot = (slot + 1) % PROVIDER_SLOTS) {
        uint32_t i = p->provider_slots[slot] - 1;
        if (strcmp(p->providers[i], name) == 0) return i;
    }
    if (p->provider_count == PANEL_PROVIDERS_MAX) return UINT32_MAX;
    memcpy(p->providers[p->provider_count], name, strlen(name) + 1);
    p->provider_slots[slot] = ++p->provider_count;
    return p->provider_count - 1;
}

static uint32_t offer_of(struct panel *p, const char *name, const char *provider)
{
    uint32_t slot = hash_of(name) % OFFER_SLOTS;
    for (; p->offer_slots[slot] != 0; slot = (slot + 1) % OFFER_SLOTS) {
        uint32_t i = p->offer_slots[slot] - 1;
        if (strcmp(p->offers[i].name, name) == 0) return i;
    }
    uint32_t of = provider_of(p, provider);
    void *offers = p->offers;
    if (of == UINT32_MAX || p->offer_count == PANEL_OFFERS_MAX) return UINT32_MAX;
    if (!grow(&offers, p->offer_count, &p->offer_capacity, sizeof *p->offers)) return UINT32_MAX;
    p->offers = offers;
    p->offers[p->offer_count] = (struct panel_offer){.provider = of, .quoted_ms = -1};
    memcpy(p->offers[p->offer_count].name, name, strlen(name) + 1);
    p->offer_slots[slot] = ++p->offer_count;
    return p->offer_count - 1;
}

/* ---- quotes ---- */

const char *panel_skip_text(enum panel_skip skip)
{
    static const char *const texts[PANEL_SKIP_count] = {
        "the price is no finite number above 0", "the time is none, or goes back",
        "the offer was quoted at this time already", "flagged by its maker"};
    return texts[skip];
}

static int skip(struct panel *p, enum panel_skip why, const char *file, uint64_t line,
                struct quant_error *error)
{
    p->skipped[why] += 1;
    if (p->lenient || why == PANEL_SKIP_flagged) return 0;
    return quant_fail(error, file, line, "%s", panel_skip_text(why));
}

int panel_add(struct panel *p, const char *file, uint64_t line, int64_t ms, const char *provider,
              const char *offer, double price, struct quant_error *error)
{
    int64_t last = p->quote_count > 0 ? p->quotes[p->quote_count - 1].ms : 0;
    if (!isfinite(price) || price <= 0 || price > PANEL_PRICE_MAX)
        return skip(p, PANEL_SKIP_price, file, line, error);
    if (ms < last) return skip(p, PANEL_SKIP_time, file, line, error);
    if (offer[0] == 0 || strlen(offer) >= PANEL_NAME_SIZE || strlen(provider) >= PANEL_NAME_SIZE)
        return quant_fail(error, file, line, "the names make no offer");
    uint32_t of = offer_of(p, offer, provider);
    if (of == UINT32_MAX || p->quote_count == PANEL_QUOTES_MAX)
        return quant_fail(error, file, line, "too many offers, providers or quotes");
    if (p->once && p->offers[of].quoted_ms == ms)
        return skip(p, PANEL_SKIP_duplicate, file, line, error);
    void *quotes = p->quotes;
    if (!grow(&quotes, p->quote_count, &p->quote_capacity, sizeof *p->quotes))
        return quant_fail(error, file, line, "no memory");
    p->quotes = quotes;
    p->quotes[p->quote_count++] = (struct panel_quote){.ms = ms, .price = price, .offer = of};
    p->offers[of].quoted_ms = ms;
    return 0;
}

/* ---- formats ---- */

enum { KEYS_MAX = 5 };

static const struct format {
    const char *name;
    const char *time;
    const char *price;       /* of one GPU, or of `divisor` of them; behind _: the kind */
    const char *divisor;
    const char *gpu;
    const char *provider;
    const char *keys[KEYS_MAX];
    const char *kind;        /* the column that --kind is of */
    const char *flag;        /* rows with this in it are wrong ... */
    const char *flag_text;
    const char *same_day;    /* a time that must be of the day of `time`, else it is carried over */
    bool kind_in_price;      /* the price's column ends in the kind */
    bool steps, once;
} formats[] = {
    {.name = "aws-csv", .time = "ts_utc", .price = "usd_hour_spot", .divisor = "gpus",
     .gpu = "gpu_model", .provider = "region", .keys = {"az", "instance_type", "product"},
     .steps = true, .once = true},
    {.name = "gcp", .time = "ts_utc", .price = "usd_gpu_hour_", .gpu = "gpu_model",
     .provider = "region", .keys = {"machine", "region"}, .flag = "flag",
     .flag_text = "INCOMPLETE_PRICE", .kind_in_price = true, .steps = true, .once = true},
    {.name = "gpurentalprices", .time = "date", .price = "usd_gpu_hour", .gpu = "gpu",
     .provider = "provider", .keys = {"provider", "gpu", "vram_gb", "kind", "min_gpus"},
     .kind = "kind", .same_day = "fetched_at_utc"},
    {.name = "primeintellect", .time = "ts_utc", .price = "avg_usd_gpu_hour", .gpu = "series",
     .provider = "provider", .keys = {"series", "provider"}, .once = true},
    {.name = "vast", .time = "date", .price = "dph_total", .divisor = "num_gpus",
     .gpu = "queried_model", .provider = "host_id", .keys = {"queried_model", "machine_id",
                                                             "num_gpus"}},
    {.name = "vast-filtered", .time = "date", .price = "dph_per_gpu_usd", .gpu = "model_id",
     .provider = "listing_id", .keys = {"model_id", "listing_id"}},
};

const char *panel_format_name(uint32_t i)
{
    return i < sizeof formats / sizeof formats[0] ? formats[i].name : NULL;
}

struct columns {
    int time, price, divisor, gpu, provider, kind, flag, same_day, keys[KEYS_MAX];
};

static int column_of(struct csv *c, const char *title, int *column)
{
    *column = title == NULL ? -1 : csv_column(c, title);
    return title == NULL || *column >= 0 ? 0 : csv_bad(c, "there is no column %s", title);
}

static int columns_find(struct csv *c, const struct format *f, const struct panel_options *o,
                        struct columns *at)
{
    char price[QUANT_NAME_SIZE];
    (void)snprintf(price, sizeof price, "%s%.20s", f->price,
                   !f->kind_in_price ? "" : o->kind != NULL ? o->kind : "ondemand");
    int status = column_of(c, f->time, &at->time) | column_of(c, price, &at->price) |
                 column_of(c, f->divisor, &at->divisor) | column_of(c, f->gpu, &at->gpu) |
                 column_of(c, f->provider, &at->provider) | column_of(c, f->kind, &at->kind) |
                 column_of(c, f->flag, &at->flag) | column_of(c, f->same_day, &at->same_day);
    for (int i = 0; i < KEYS_MAX; i++) status |= column_of(c, f->keys[i], &at->keys[i]);
    return status;
}

static bool time_of(const struct csv *c, int column, int64_t *ms)
{
    struct csv_field f = csv_field(c, column);
    int32_t day;
    ts_t ts;
    if (f.length == 10 && quant_day(f.text, f.length, &day)) {
        *ms = (int64_t)day * 86400000;
        return *ms >= 0;
    }
    if (time_parse(f.text, f.length, &ts) != 0) return false;
    *ms = int64_div_floor(ts.v, NS_PER_MS);
    return *ms >= 0;
}

/* The offer's name: its keys, with a stroke between. */
static bool name_of(const struct csv *c, const struct columns *at, char name[PANEL_NAME_SIZE])
{
    size_t used = 0;
    for (int i = 0; i < KEYS_MAX && at->keys[i] >= 0; i++) {
        struct csv_field f = csv_field(c, at->keys[i]);
        if (used + f.length + 2 > PANEL_NAME_SIZE) return false;
        if (i > 0) name[used++] = '/';
        memcpy(name + used, f.text, f.length);
        used += f.length;
    }
    name[used] = 0;
    for (size_t k = 0; k < used; k++) {
        if (name[k] < ' ' || name[k] > '~') return false;
    }
    return used > 0;
}

static bool is_wanted(const struct csv *c, const struct columns *at, const struct format *f,
                      const struct panel_options *o)
{
    if (o->gpu != NULL && !csv_is(c, at->gpu, o->gpu)) return false;
    if (o->kind != NULL && !f->kind_in_price && !csv_is(c, at->kind, o->kind)) return false;
    return !f->kind_in_price || !csv_empty(c, at->price); /* lists without this kind */
}

static bool is_flagged(const struct csv *c, const struct columns *at, const struct format *f)
{
    int32_t day, other;
    if (f->flag != NULL && csv_is(c, at->flag, f->flag_text)) return true;
    if (f->same_day == NULL || !csv_date(c, at->time, &day)) return false;
    return csv_date(c, at->same_day, &other) && other != day;
}

static int row_read(struct panel *p, struct csv *c, const struct columns *at,
                    const struct format *f)
{
    char name[PANEL_NAME_SIZE], provider[QUANT_NAME_SIZE];
    double price, divisor = 1;
    int64_t ms;
    if (is_flagged(c, at, f)) return skip(p, PANEL_SKIP_flagged, c->name, c->line, c->error);
    if (!csv_number(c, at->price, &price) ||
        (at->divisor >= 0 && (!csv_number(c, at->divisor, &divisor) || divisor < 1)))
        return skip(p, PANEL_SKIP_price, c->name, c->line, c->error);
    if (!time_of(c, at->time, &ms)) return skip(p, PANEL_SKIP_time, c->name, c->line, c->error);
    if (!name_of(c, at, name) || !csv_name(c, at->provider, provider))
        return csv_bad(c, "the names make no offer");
    return panel_add(p, c->name, c->line, ms, provider, name, price / divisor, c->error);
}

int panel_read_csv(struct panel *p, const struct panel_options *options, const char *file,
                   const char *text, size_t length, struct quant_error *error)
{
    const struct format *f = NULL;
    struct columns at;
    struct csv c;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, options->format) == 0) f = &formats[i];
    }
    if (f == NULL) return quant_fail(error, file, 0, "no such format: %s", options->format);
    if (panel_open(p, f->steps, f->once, options->lenient) != 0)
        return quant_fail(error, file, 0, "no memory");
    csv_open(&c, file, text, length, error);
    int more = csv_next(&c);
    if (more == 0) (void)quant_fail(error, file, 0, "the file is empty");
    int status = more == 1 ? columns_find(&c, f, options, &at) : -1;
    while (status == 0 && (more = csv_next(&c)) == 1) {
        if (is_wanted(&c, &at, f, options)) status = row_read(p, &c, &at, f);
    }
    if (status == 0 && more == 0 && p->quote_count == 0)
        status = quant_fail(error, file, 0, "no price is left of what was asked for");
    if (status == 0 && more == 0) return 0;
    panel_close(p);
    return -1;
}
