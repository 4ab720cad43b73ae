/* index_json.c: what a venue published of its reference prices, from JSON; see index.h.
 *
 * Whatever else an answer holds is passed over; what is needed and missing, or is no such number,
 * refuses the file with the place. Numbers are read as decimals, never as binary fractions.
 */
#include "cli/index.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct index_file *f;
    struct json json;
    uint64_t line; /* of the value's beginning */
};

static int bad(struct reader *r, const char *sentence, const char *name)
{
    return quant_fail(r->f->error, r->f->name, r->line, "%s%s", sentence, name);
}

/* ---- numbers ---- */

/* value x 10^scale, exactly; at most 36 digits. */
static bool fixed(const struct json *j, uint32_t token, int scale, int128_t *value)
{
    const struct json_token *t = &j->tokens[token];
    const char *at = j->text + t->start, *end = at + t->length;
    if (t->kind != JSON_number) return false;
    bool negative = *at == '-';
    int128_t sum = 0;
    int digits = 0, behind = -1;
    for (at += negative; at < end; at++) {
        if (*at == '.' && behind < 0) {
            behind = 0;
            continue;
        }
        if (*at < '0' || *at > '9') return false;
        if (behind >= scale && *at != '0') return false;
        if (behind >= scale) continue;
        if (sum != 0 || *at != '0') digits += 1;
        if (digits > 36) return false;
        sum = sum * 10 + (*at - '0');
        behind += behind >= 0;
    }
    for (int i = behind < 0 ? 0 : behind; i < scale; i++) {
        if (digits > 0 && ++digits > 36) return false;
        sum *= 10;
    }
    *value = negative ? -sum : sum;
    return true;
}

static int number(struct reader *r, uint32_t object, const char *name, int scale, int64_t max,
                  int64_t *value)
{
    int128_t wide;
    uint32_t token = json_member(&r->json, object, name);
    if (token == 0) return bad(r, "there is no ", name);
    if (!fixed(&r->json, token, scale, &wide) || wide > max || wide < -(int128_t)max)
        return bad(r, "not a number that can be: ", name);
    *value = (int64_t)wide;
    return 0;
}

static int maybe(struct reader *r, uint32_t object, const char *name, int scale, int64_t max,
                 struct index_found *found)
{
    uint32_t token = json_member(&r->json, object, name);
    found->is = token != 0 && r->json.tokens[token].kind != JSON_null;
    return found->is ? number(r, object, name, scale, max, &found->value) : 0;
}

static int word(struct reader *r, uint32_t object, const char *name, const char *const *words,
                uint32_t count, uint32_t *value)
{
    uint32_t token = json_member(&r->json, object, name);
    for (uint32_t i = 0; token != 0 && i < count; i++) {
        if (words[i] == NULL || !json_equals(&r->json, token, words[i])) continue;
        *value = i;
        return 0;
    }
    return bad(r, "not a word that can be: ", name);
}

static bool is_kind(const struct reader *r, uint32_t token, enum json_kind kind)
{
    return token != 0 && r->json.tokens[token].kind == kind;
}

static bool text_of(struct reader *r, uint32_t object, const char *name, char *text)
{
    uint32_t token = json_member(&r->json, object, name);
    return is_kind(r, token, JSON_string) && json_text(&r->json, token, text, INDEX_TEXT_SIZE) > 0;
}

static const int64_t price_max = INT64_C(1000000000000000), lots_max = INT64_C(1000000000000000000);
static const int64_t ms_max = INT64_C(9000000000000);

static const char *const tier_words[REFERENCE_tier_count] = {"none", "spot", "submissions",
                                                             "previous_hour", "committee"};

/* ---- an index's terms ---- */

static int terms_read(struct reader *r, uint32_t object, struct index_series *s)
{
    struct reference_terms *t = &s->terms;
    uint32_t tiers = json_member(&r->json, object, "tiers"), n = 0;
    *t = (struct reference_terms){0};
    const struct json_token *tokens = r->json.tokens;
    if (!is_kind(r, tiers, JSON_array)) return bad(r, "there is no ", "tiers");
    for (uint32_t i = tiers + 1; i < tokens[tiers].next; i = tokens[i].next) {
        uint8_t tier = 1;
        while (tier < REFERENCE_tier_count && !json_equals(&r->json, i, tier_words[tier])) tier++;
        if (tier == REFERENCE_tier_count || n + 1 >= REFERENCE_TIERS_MAX)
            return bad(r, "not a tier that is known in ", "tiers");
        t->tiers[n++] = tier;
    }
    struct index_found sellers, volume, share;
    int status = number(r, object, "minimum_sources", 0, 1000, &t->minimum);
    status |= number(r, object, "carries_max", 0, 100000, &t->carries_max);
    status |= number(r, object, "staleness_seconds", 3, ms_max, &t->staleness_ms);
    status |= number(r, object, "deviation", 6, price_max, &t->deviation_e6);
    status |= number(r, object, "deviation_minimum", 6, price_max, &t->deviation_min);
    status |= maybe(r, object, "spot_sellers_minimum", 0, lots_max, &sellers);
    status |= maybe(r, object, "spot_volume_minimum", 0, lots_max, &volume);
    status |= maybe(r, object, "spot_seller_share", 6, 1000000, &share);
    t->spot_sellers = sellers.is ? sellers.value : 0;
    t->spot_volume = volume.is ? volume.value : 0;
    t->spot_share_e6 = share.is ? share.value : 0;
    s->has_terms = true;
    return status == 0 ? 0 : -1;
}

static struct index_series *series_of(struct reader *r, const char *name)
{
    struct index_file *f = r->f;
    for (uint32_t i = 0; i < f->series_count; i++) {
        if (strcmp(f->series[i].name, name) == 0) return &f->series[i];
    }
    if (f->series_count == INDEX_SERIES_MAX) return NULL;
    struct index_series *s = &f->series[f->series_count++];
    memcpy(s->name, name, INDEX_TEXT_SIZE);
    return s;
}

/* ---- an hour ---- */

static int input_read(struct reader *r, uint32_t object, struct index_hour *h)
{
    static const char *const words[] = {"given", "counted", "trimmed", "wild", "stale"};
    struct reference_input *i = &h->inputs[h->input_count];
    int status = number(r, object, "value", 6, price_max, &i->value);
    status |= number(r, object, "observed_at", 0, ms_max, &i->observed_ms);
    status |= word(r, object, "status", words, REFERENCE_INPUT_count,
                   &h->input_status[h->input_count]);
    h->input_count += 1;
    return status;
}

static int inputs_read(struct reader *r, uint32_t hour, struct index_hour *h)
{
    uint32_t array = json_member(&r->json, hour, "inputs");
    const struct json_token *tokens = r->json.tokens;
    if (!is_kind(r, array, JSON_array)) return bad(r, "there is no ", "inputs");
    uint32_t count = json_array_count(&r->json, array);
    if (count > REFERENCE_INPUTS_MAX) return bad(r, "too many ", "inputs");
    h->inputs = calloc(count + 1, sizeof *h->inputs);
    h->input_status = calloc(count + 1, sizeof *h->input_status);
    if (h->inputs == NULL || h->input_status == NULL) return bad(r, "no memory", "");
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        if (!is_kind(r, i, JSON_object) || input_read(r, i, h) != 0)
            return bad(r, "not an input in ", "inputs");
    }
    return 0;
}

static int seller_read(struct reader *r, uint32_t object, struct index_hour *h)
{
    static const char *const words[] = {"excluded", "counted", "capped", "trimmed"};
    struct reference_seller *s = &h->sellers[h->seller_count];
    struct reference_seller *said = &h->sellers_said[h->seller_count];
    struct index_found price;
    uint32_t value = json_member(&r->json, object, "value");
    int status = number(r, object, "volume", 0, lots_max, &s->volume);
    status |= number(r, object, "weight", 0, lots_max, &said->weight);
    status |= maybe(r, object, "price", 6, price_max, &price);
    status |= word(r, object, "status", words, REFERENCE_SELLER_count, &said->status);
    if (status != 0) return -1;
    if (value == 0 || !fixed(&r->json, value, 6, &s->value)) return bad(r, "there is no ", "value");
    int128_t most = (int128_t)s->volume * price_max; /* no price lies beyond */
    if (s->volume < 0 || s->value > most || s->value < -most)
        return bad(r, "not a number that can be: ", "value");
    said->price = price.is ? price.value : INT64_MIN;
    h->seller_count += 1;
    return 0;
}

static int spot_read(struct reader *r, uint32_t object, struct index_hour *h)
{
    static const char *const words[] = {"priced", "no_trades", "few_sellers", "low_volume",
                                        "incomplete"};
    const struct json_token *tokens = r->json.tokens;
    h->has_spot = true;
    int status = word(r, object, "result", words, REFERENCE_SPOT_count, &h->spot_result);
    status |= maybe(r, object, "price", 6, price_max, &h->spot_price);
    status |= number(r, object, "volume", 0, lots_max, &h->spot_volume);
    status |= number(r, object, "volume_unkept", 0, INT64_MAX, &h->spot_unkept);
    status |= number(r, object, "sellers", 0, REFERENCE_SELLERS_MAX, &h->spot_sellers);
    status |= number(r, object, "trimmed", 0, REFERENCE_SELLERS_MAX, &h->spot_trimmed);
    status |= number(r, object, "weight_maximum", 0, lots_max, &h->spot_cap);
    uint32_t array = json_member(&r->json, object, "inputs");
    if (status != 0 || !is_kind(r, array, JSON_array)) return bad(r, "there is no ", "spot.inputs");
    uint32_t count = json_array_count(&r->json, array);
    if (count > REFERENCE_SELLERS_MAX) return bad(r, "too many ", "sellers");
    h->sellers = calloc(count + 1, sizeof *h->sellers);
    h->sellers_said = calloc(count + 1, sizeof *h->sellers_said);
    if (h->sellers == NULL || h->sellers_said == NULL) return bad(r, "no memory", "");
    int128_t volume = 0;
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        if (!is_kind(r, i, JSON_object) || seller_read(r, i, h) != 0)
            return bad(r, "not a seller in ", "spot.inputs");
        volume += h->sellers[h->seller_count - 1].volume;
    }
    return volume <= lots_max ? 0 : bad(r, "more can be no ", "volume");
}

static void hour_close(struct index_hour *h)
{
    free(h->inputs);
    free(h->input_status);
    free(h->sellers);
    free(h->sellers_said);
}

static int hour_fill(struct reader *r, uint32_t object, struct index_hour *h)
{
    int status = number(r, object, "hour", 0, ms_max, &h->ms);
    status |= word(r, object, "tier", tier_words, REFERENCE_tier_count, &h->tier);
    status |= maybe(r, object, "price", 6, price_max, &h->price);
    status |= maybe(r, object, "median", 7, 10 * price_max, &h->median_e7);
    status |= number(r, object, "counted", 0, REFERENCE_INPUTS_MAX, &h->counted);
    status |= number(r, object, "trimmed", 0, REFERENCE_INPUTS_MAX, &h->trimmed);
    if (status != 0) return -1;
    if (h->ms < 0 || h->ms % 3600000 != 0) return bad(r, "no whole ", "hour");
    uint32_t spot = json_member(&r->json, object, "spot");
    if (inputs_read(r, object, h) != 0) return -1;
    return is_kind(r, spot, JSON_object) ? spot_read(r, spot, h) : 0;
}

/* The first that is said of an hour counts; it is told by its whole record only. */
static int hour_read(struct reader *r, uint32_t object, struct index_series *s)
{
    struct index_hour h = {0};
    if (hour_fill(r, object, &h) != 0) {
        hour_close(&h);
        return -1;
    }
    if (s->count == s->capacity) {
        uint32_t capacity = s->capacity == 0 ? 64 : 2 * s->capacity;
        struct index_hour *moved = realloc(s->hours, capacity * sizeof *moved);
        if (moved == NULL) {
            hour_close(&h);
            return bad(r, "no memory", "");
        }
        s->hours = moved;
        s->capacity = capacity;
    }
    s->hours[s->count++] = h;
    return 0;
}

/* ---- settlements and instruments ---- */

static int settlement_read(struct reader *r, uint32_t object)
{
    struct index_file *f = r->f;
    struct index_settlement s = {0};
    uint32_t tier = json_member(&r->json, object, "tier");
    uint32_t numerator = json_member(&r->json, object, "numerator");
    if (!json_equals(&r->json, tier, "index")) return 0;
    if (!text_of(r, object, "instrument_name", s.instrument)) return bad(r, "no instrument", "");
    int status = number(r, object, "settlement_price", 6, price_max, &s.price);
    status |= number(r, object, "unit", 6, price_max, &s.unit);
    status |= number(r, object, "denominator", 0, 1000000, &s.denominator);
    if (status != 0) return -1;
    if (numerator == 0 || !fixed(&r->json, numerator, 6, &s.numerator) || s.unit <= 0 ||
        s.denominator <= 0 || s.numerator > (int128_t)price_max * s.denominator ||
        s.numerator < -(int128_t)price_max * s.denominator)
        return bad(r, "not a number that can be: ", "numerator, denominator or unit");
    if (f->settlement_count == f->settlement_capacity) {
        uint32_t capacity = f->settlement_capacity == 0 ? 64 : 2 * f->settlement_capacity;
        struct index_settlement *moved = realloc(f->settlements, capacity * sizeof *moved);
        if (moved == NULL) return bad(r, "no memory", "");
        f->settlements = moved;
        f->settlement_capacity = capacity;
    }
    f->settlements[f->settlement_count++] = s;
    return 0;
}

static int instrument_read(struct reader *r, uint32_t object)
{
    static const char *const blocks[] = {"base", "peak", "off_peak"};
    struct index_file *f = r->f;
    struct index_instrument i = {0};
    if (!text_of(r, object, "instrument_name", i.name)) return 0;
    int status = number(r, object, "delivery_start", 0, ms_max, &i.start_ms);
    status |= number(r, object, "delivery_end", 0, ms_max, &i.end_ms);
    status |= word(r, object, "block", blocks, 3, &i.block);
    if (status != 0) return -1;
    if (f->instrument_count == f->instrument_capacity) {
        uint32_t capacity = f->instrument_capacity == 0 ? 64 : 2 * f->instrument_capacity;
        struct index_instrument *moved = realloc(f->instruments, capacity * sizeof *moved);
        if (moved == NULL) return bad(r, "no memory", "");
        f->instruments = moved;
        f->instrument_capacity = capacity;
    }
    f->instruments[f->instrument_count++] = i;
    return 0;
}

/* ---- a value ---- */

/* 1: the object was one of those; 0: look into it; -1: it is wrong. */
static int object_read(struct reader *r, uint32_t object)
{
    char name[INDEX_TEXT_SIZE] = "";
    const struct json_token *tokens = r->json.tokens;
    bool index = text_of(r, object, "index_name", name);
    uint32_t hours = json_member(&r->json, object, "hours");
    if (json_member(&r->json, object, "settlement_id") != 0 &&
        json_member(&r->json, object, "tier") != 0)
        return settlement_read(r, object) == 0 ? 1 : -1;
    if (json_member(&r->json, object, "delivery_start") != 0)
        return instrument_read(r, object) == 0 ? 1 : -1;
    if (!index) return 0;
    bool whole = is_kind(r, hours, JSON_array);
    bool one = !whole && json_member(&r->json, object, "hour") != 0 &&
               json_member(&r->json, object, "inputs") != 0;
    if (!whole && !one) return 0;
    struct index_series *s = series_of(r, name);
    if (s == NULL) return bad(r, "too many indices", "");
    if (one) return hour_read(r, object, s) == 0 ? 1 : -1;
    if (terms_read(r, object, s) != 0) return -1;
    for (uint32_t i = hours + 1; i < tokens[hours].next; i = tokens[i].next) {
        if (!is_kind(r, i, JSON_object) || hour_read(r, i, s) != 0)
            return bad(r, "not an hour in ", "hours");
    }
    return 1;
}

static int value_read(struct reader *r)
{
    const struct json_token *tokens = r->json.tokens;
    for (uint32_t i = 0; i < r->json.count;) {
        int taken = tokens[i].kind == JSON_object ? object_read(r, i) : 0;
        if (taken < 0) return -1;
        i = taken > 0 ? tokens[i].next : i + 1;
    }
    return 0;
}

/* ---- the file ---- */

static int part_read(struct reader *r, const char *text, size_t length, struct quant_error *error)
{
    int status = json_parse(&r->json, text, length);
    if (status == 0) return value_read(r);
    return quant_fail(error, r->f->name, r->line, "no JSON: %s", json_error_text(status));
}

static int lines_read(struct reader *r, const char *text, size_t length)
{
    const char *end = text + length;
    uint64_t line = 1;
    for (const char *at = text, *next; at < end; at = next, line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        next = newline == NULL ? end : newline + 1;
        size_t size = (size_t)((newline == NULL ? end : newline) - at);
        size_t blank = 0;
        while (blank < size &&
               (at[blank] == ' ' || at[blank] == '\t' || at[blank] == '\r')) blank++;
        if (blank == size) continue;
        r->line = line;
        if (part_read(r, at, size, r->f->error) != 0) return -1;
    }
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct index_hour *x = a, *y = b;
    return x->ms < y->ms ? -1 : x->ms > y->ms;
}

/* An hour that was read several times stays once: with a price, and with what it follows from, if
 * any of them has it. */
static void hours_order(struct index_series *s)
{
    uint32_t kept = 0;
    if (s->count == 0) return;
    qsort(s->hours, s->count, sizeof *s->hours, by_time);
    for (uint32_t i = 1; i < s->count; i++) {
        struct index_hour *last = &s->hours[kept], *one = &s->hours[i];
        if (one->ms != last->ms) {
            s->hours[++kept] = *one;
            continue;
        }
        bool more = one->price.is + one->has_spot + (one->input_count > 0) >
                    last->price.is + last->has_spot + (last->input_count > 0);
        hour_close(more ? last : one);
        if (more) *last = *one;
    }
    s->count = kept + 1;
}

int index_file_read(struct index_file *f, const char *name, const char *text, size_t length,
                    struct quant_error *error)
{
    uint32_t capacity = (uint32_t)(length / 2 + 16);
    *f = (struct index_file){.name = name, .error = error};
    if (length == 0 || length > INDEX_FILE_MAX)
        return quant_fail(error, name, 0, "the file is empty, or larger than 64 MB");
    struct reader r = {.f = f, .line = 1};
    r.json.tokens = malloc(capacity * sizeof *r.json.tokens);
    r.json.capacity = capacity;
    int status = r.json.tokens == NULL ? bad(&r, "no memory", "") : 0;
    if (status == 0 && json_parse(&r.json, text, length) == 0) status = value_read(&r);
    else if (status == 0) status = lines_read(&r, text, length);
    free(r.json.tokens);
    for (uint32_t i = 0; i < f->series_count; i++) hours_order(&f->series[i]);
    if (status == 0 && f->series_count == 0 && f->settlement_count == 0)
        status = quant_fail(error, name, 0, "no index and no final settlement is published here");
    if (status != 0) index_file_close(f);
    return status;
}

void index_file_close(struct index_file *f)
{
    for (uint32_t i = 0; i < f->series_count; i++) {
        for (uint32_t h = 0; h < f->series[i].count; h++) hour_close(&f->series[i].hours[h]);
        free(f->series[i].hours);
    }
    free(f->settlements);
    free(f->instruments);
    *f = (struct index_file){0};
}
