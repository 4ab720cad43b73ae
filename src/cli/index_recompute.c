/* index_recompute.c: `dojima index recompute`: every reference price, and every final settlement at
 * a mean of hours, again from the publication alone (INDEX-02, INDEX-03).
 *
 * Upstream: index_json.c, quant/reference. Downstream: standard output.
 */
#include "cli/index.h"

#include "base/time_text.h"
#include "cli/client.h"
#include "cli/margin.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600000 };

struct state {
    const struct index_file *f;
    const struct index_series *s;
    const struct index_hour *h;
    struct index_check *check;
    FILE *out;
    uint32_t carried; /* hours in a row up to the one before, made from the one before */
    bool sure;        /* `carried` is known */
};

/* ---- saying ---- */

__attribute__((format(printf, 2, 3))) static void differs(struct state *t, const char *format, ...)
{
    char at[TIME_TEXT_SIZE];
    (void)time_format(at, TS(t->h->ms * 1000000));
    (void)fprintf(t->out, "%s %.16sZ: ", t->s->name, at);
    va_list list;
    va_start(list, format);
    (void)vfprintf(t->out, format, list);
    va_end(list);
    (void)fputc('\n', t->out);
    t->check->mismatches += 1;
}

static const char *money_text(char text[40], int64_t micro)
{
    uint64_t size = micro < 0 ? 0 - (uint64_t)micro : (uint64_t)micro;
    (void)snprintf(text, 40, "%s%" PRIu64 ".%06" PRIu64, micro < 0 ? "-" : "", size / 1000000,
                   size % 1000000);
    return text;
}

static void compare(struct state *t, const char *what, int64_t said, int64_t found)
{
    if (said != found)
        differs(t, "%s: published %" PRId64 ", computed %" PRId64, what, said, found);
}

static void compare_price(struct state *t, const char *what, struct index_found said, bool found,
                          int64_t price)
{
    char a[40], b[40];
    if (said.is == found && (!found || said.value == price)) return;
    differs(t, "%s: published %s, computed %s", what, said.is ? money_text(a, said.value) : "none",
            found ? money_text(b, price) : "none");
}

/* ---- the tiers ---- */

static bool has_tier(const struct reference_terms *t, enum reference_tier tier)
{
    for (uint32_t i = 0; i < REFERENCE_TIERS_MAX && t->tiers[i] != 0; i++) {
        if (t->tiers[i] == tier) return true;
    }
    return false;
}

static bool spot_again(struct state *t, int64_t *price)
{
    const struct index_hour *h = t->h;
    struct reference_spot found;
    reference_spot(&t->s->terms, h->spot_unkept, h->sellers, h->seller_count, &found);
    if (!found.in_order) differs(t, "the sellers are not in rising order of price and volume");
    compare(t, "spot.result", h->spot_result, found.result);
    compare_price(t, "spot.price", h->spot_price, found.result == REFERENCE_SPOT_priced,
                  found.price);
    compare(t, "spot.volume", h->spot_volume, found.volume);
    compare(t, "spot.sellers", h->spot_sellers, found.sellers);
    compare(t, "spot.trimmed", h->spot_trimmed, found.trimmed);
    compare(t, "spot.weight_maximum", h->spot_cap, found.cap);
    for (uint32_t i = 0; i < h->seller_count; i++) {
        compare(t, "a seller's price", h->sellers_said[i].price, h->sellers[i].price);
        compare(t, "a seller's weight", h->sellers_said[i].weight, h->sellers[i].weight);
        compare(t, "a seller's status", h->sellers_said[i].status, h->sellers[i].status);
    }
    *price = found.price;
    return found.result == REFERENCE_SPOT_priced;
}

static bool submissions_again(struct state *t, int64_t *price)
{
    const struct index_hour *h = t->h;
    struct reference_price found;
    reference_submissions(&t->s->terms, h->ms + HOUR_MS, h->inputs, h->input_count, &found);
    compare(t, "counted", h->counted, found.counted);
    compare(t, "trimmed", h->trimmed, found.trimmed);
    if (found.has_median != h->median_e7.is ||
        (found.has_median && h->median_e7.value != 5 * found.median_twice))
        differs(t, "median: published and computed are not the same");
    for (uint32_t i = 0; i < h->input_count; i++)
        compare(t, "a source's status", h->input_status[i], h->inputs[i].status);
    *price = found.price;
    return found.found;
}

/* 1: it has a price; 0: it has none; -1: the publication does not tell: the hours before are not in
 * it, or the committee priced the one before, nobody knows whether in time. */
static int previous_again(const struct state *t, int64_t *price)
{
    const struct index_hour *before = t->h > t->s->hours ? t->h - 1 : NULL;
    if (before == NULL || before->ms != t->h->ms - HOUR_MS) return -1;
    if (before->tier == REFERENCE_committee) return -1;
    if (!before->price.is) return 0;
    if (!t->sure && t->carried < t->s->terms.carries_max) return -1;
    *price = before->price.value;
    return t->carried < t->s->terms.carries_max ? 1 : 0;
}

/* Whether what the tier looks at is in the publication. */
static bool is_kept(const struct index_hour *h, enum reference_tier tier)
{
    if (tier == REFERENCE_spot) return h->has_spot;
    return tier != REFERENCE_submissions || h->tier != REFERENCE_submissions || h->input_count > 0;
}

/* The first tier that has a price, and which; false: it cannot be told. */
static bool hour_again(struct state *t, uint32_t *tier, int64_t *price)
{
    const struct reference_terms *terms = &t->s->terms;
    *tier = REFERENCE_none;
    for (uint32_t i = 0; i < REFERENCE_TIERS_MAX && terms->tiers[i] != 0; i++) {
        int has = 0;
        enum reference_tier one = terms->tiers[i];
        if (!is_kept(t->h, one)) return false;
        if (one == REFERENCE_spot) has = spot_again(t, price);
        if (one == REFERENCE_submissions) has = submissions_again(t, price);
        if (one == REFERENCE_previous_hour) has = previous_again(t, price);
        if (has < 0) return false;
        *tier = one;
        if (has > 0) return true;
    }
    *tier = REFERENCE_none;
    return true;
}

/* A later price of the committee says nothing of the others, but that they had none. */
static void hour_check(struct state *t)
{
    static const char *const words[] = {"none", "spot", "submissions", "previous_hour",
                                        "committee"};
    uint32_t tier;
    int64_t price = 0;
    const struct index_hour *h = t->h;
    t->check->hours += 1;
    if (!hour_again(t, &tier, &price)) {
        t->check->unchecked += 1;
        return;
    }
    bool committee = tier == REFERENCE_none && h->tier == REFERENCE_committee &&
                     has_tier(&t->s->terms, REFERENCE_committee);
    if (tier != h->tier && !committee)
        differs(t, "tier: published %s, computed %s", words[h->tier], words[tier]);
    if (committee) {
        t->check->unchecked += 1; /* two officers' word */
        return;
    }
    compare_price(t, "price", h->price, tier != REFERENCE_none, price);
    t->check->prices += tier != REFERENCE_none;
}

static void series_check(const struct index_file *f, const struct index_series *s,
                         struct index_check *check, FILE *out)
{
    struct state t = {.f = f, .s = s, .check = check, .out = out};
    if (!s->has_terms) {
        (void)fprintf(out, "%s: its terms are not published here\n", s->name);
        check->unchecked += s->count;
        check->hours += s->count;
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        bool gap = i == 0 || s->hours[i].ms != s->hours[i - 1].ms + HOUR_MS;
        if (gap) t.carried = 0;
        if (gap) t.sure = false;
        t.h = &s->hours[i];
        hour_check(&t);
        bool repeats = s->hours[i].tier == REFERENCE_previous_hour;
        t.carried = repeats ? t.carried + 1 : 0;
        t.sure = t.sure || !repeats; /* from here on every one in a row has been seen */
    }
}

/* ---- final settlement ---- */

static const struct index_instrument *instrument_of(const struct index_file *f, const char *name)
{
    for (uint32_t i = 0; i < f->instrument_count; i++) {
        if (strcmp(f->instruments[i].name, name) == 0) return &f->instruments[i];
    }
    return NULL;
}

/* Monday to Friday from start to end; past midnight it is of the day on which it began. */
static bool is_peak(const struct index_check *c, int64_t hour)
{
    int64_t of_day = hour % 24, day = hour / 24;
    bool over = c->peak_end <= c->peak_start;
    bool within = over ? of_day >= c->peak_start || of_day < c->peak_end
                       : of_day >= c->peak_start && of_day < c->peak_end;
    if (over && of_day < c->peak_end) day -= 1;
    return within && (day + 3) % 7 < 5; /* 1970-01-01 was a Thursday */
}

static const struct index_hour *hour_find(const struct index_series *s, int64_t ms)
{
    for (uint32_t low = 0, high = s->count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (s->hours[middle].ms == ms) return &s->hours[middle];
        if (s->hours[middle].ms < ms) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

/* The sum over the block's hours; false: not all of them are published here. */
static bool hours_sum(const struct index_check *check, const struct index_series *s,
                      const struct index_instrument *i, int128_t *sum, int64_t *count)
{
    *sum = 0;
    *count = 0;
    for (int64_t ms = i->start_ms; ms < i->end_ms; ms += HOUR_MS) {
        bool peak = is_peak(check, ms / HOUR_MS);
        if (i->block != INDEX_BLOCK_base && peak != (i->block == INDEX_BLOCK_peak)) continue;
        const struct index_hour *h = hour_find(s, ms);
        if (h == NULL || !h->price.is) return false;
        *sum += h->price.value;
        *count += 1;
    }
    return *count > 0;
}

static void settlement_check(const struct index_file *f, const struct index_settlement *s,
                             struct index_check *check, FILE *out)
{
    char a[40], b[40];
    int64_t price = reference_mean(s->numerator, s->denominator, s->unit), count;
    int128_t sum;
    check->settlements += 1;
    if (price != s->price) {
        check->mismatches += 1;
        (void)fprintf(out, "%s: final settlement: published %s, computed %s\n", s->instrument,
                      money_text(a, s->price), money_text(b, price));
    }
    const struct index_instrument *i = instrument_of(f, s->instrument);
    if (i == NULL || f->series_count != 1 ||
        !hours_sum(check, &f->series[0], i, &sum, &count)) {
        check->unchecked += 1;
        return;
    }
    if (sum == s->numerator && count == s->denominator) return;
    check->mismatches += 1;
    (void)fprintf(out, "%s: sum of its hours: published %s of %" PRId64 ", computed %s of %" PRId64
                  "\n", s->instrument, money_text(a, (int64_t)s->numerator), s->denominator,
                  money_text(b, (int64_t)sum), count);
}

void index_recompute(const struct index_file *f, struct index_check *check, FILE *out)
{
    for (uint32_t i = 0; i < f->series_count; i++) series_check(f, &f->series[i], check, out);
    for (uint32_t i = 0; i < f->settlement_count; i++)
        settlement_check(f, &f->settlements[i], check, out);
}

/* ---- the command ---- */

struct arguments {
    const char *path;
    struct index_check check;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'p':
        if (sscanf(text, "%2d-%2d", &a->check.peak_start, &a->check.peak_end) != 2 ||
            a->check.peak_start < 0 || a->check.peak_start > 23 || a->check.peak_end < 0 ||
            a->check.peak_end > 24)
            argp_error(state, "--peak takes hours, as 14-2");
        return 0;
    case ARGP_KEY_ARG:
        if (a->path != NULL) argp_usage(state);
        a->path = text;
        return 0;
    case ARGP_KEY_END:
        if (a->path == NULL) argp_usage(state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int index_main_recompute(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"peak", 'p', "START-END", 0, "Peak hours of the products, UTC [14-2]", 0}, {0}};
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "FILE|-",
        .doc = "Every reference price of hours, and every final settlement at their mean, again "
               "from what was published of them: answers of public/get_index, "
               "public/get_settlements and public/get_instrument, notifications of index.*, one "
               "JSON value or one a line. Exit status 1 when any differs."};
    struct arguments a = {.check = {.peak_start = 14, .peak_end = 2}};
    static struct index_file file;
    struct quant_error error = {{0}};
    size_t length;
    client_parse(&argp, argc, argv, &a);
    char *text = index_load(a.path, &length, &error);
    if (text == NULL) return margin_say(&error);
    int status = index_file_read(&file, a.path, text, length, &error);
    free(text);
    if (status != 0) return margin_say(&error);
    index_recompute(&file, &a.check, stdout);
    (void)printf("%u hours: %u prices computed again, %u not from what is published here; "
                 "%u final settlements; %u differences\n", a.check.hours, a.check.prices,
                 a.check.unchecked, a.check.settlements, a.check.mismatches);
    index_file_close(&file);
    return a.check.mismatches == 0 ? 0 : 1;
}
