/* rpc_delivery_terms.c: a product's `delivery`: what is delivered, when, at what margins and
 * damages (DELIV-01, DELIV-05, UNIT-03), with the rulebook's defaults for what is left out. */
#include "gate/rpc_delivery.h"

#include "gate/rpc_settlement.h"

#include <stddef.h>
#include <string.h>

static const struct delivery_terms defaults = {
    .grade_e6 = {700000, E6, 1600000},
    .grade_cap_e6 = 1600000,
    .tolerance_hour_e6 = 20000,
    .tolerance_day_e6 = 5000,
    .margin_seller_e6 = 500000,
    .margin_buyer_e6 = E6,
    .buy_in_e6 = 1100000,
    .buy_in_max_e6 = 3 * E6,
    .damages_short_e6 = 100000,
    .damages_nothing_e6 = 250000,
    .damages_falsified_e6 = 500000,
    .last_days = 6,
    .position_days = 5,
    .notice_days = 4,
    .margin_days = 3,
    .canary_days = 1,
    .last_at = 12 * 3600,
    .notice_at = 12 * 3600,
    .margin_at = 12 * 3600,
    .canary_at = 12 * 3600,
    .canary_by = 13 * 3600,
    .pay_at = 12 * 3600,
    .meter_ns = 2 * NS_PER_HOUR,
    .sign_ns = 600 * NS_PER_SECOND,
    .make_up_ns = 24 * NS_PER_HOUR,
    .buy_in_ns = 1800 * NS_PER_SECOND,
    .challenge_ns = 72 * NS_PER_HOUR,
    .answer_ns = 24 * NS_PER_HOUR,
};

/* One list for reading and writing. */
enum term_kind { TERM_share, TERM_money, TERM_days, TERM_time, TERM_seconds };
struct term {
    const char *name;
    enum term_kind kind;
    size_t offset;
};
#define TERM(name, of, field) {name, TERM_##of, offsetof(struct delivery_terms, field)}
static const struct term terms[] = {
    TERM("grade_cap", share, grade_cap_e6),
    TERM("tolerance_hour", share, tolerance_hour_e6),
    TERM("tolerance_day", share, tolerance_day_e6),
    TERM("margin_seller", share, margin_seller_e6),
    TERM("margin_buyer", share, margin_buyer_e6),
    TERM("buy_in", share, buy_in_e6),
    TERM("buy_in_maximum", share, buy_in_max_e6),
    TERM("damages_shortfall", share, damages_short_e6),
    TERM("damages_nothing", share, damages_nothing_e6),
    TERM("damages_falsified", share, damages_falsified_e6),
    TERM("fee", money, fee),
    TERM("last_trading_days", days, last_days),
    TERM("last_trading_time", time, last_at),
    TERM("position_days", days, position_days),
    TERM("notice_days", days, notice_days),
    TERM("notice_time", time, notice_at),
    TERM("margin_days", days, margin_days),
    TERM("margin_time", time, margin_at),
    TERM("canary_days", days, canary_days),
    TERM("canary_time", time, canary_at),
    TERM("canary_deadline", time, canary_by),
    TERM("pay_time", time, pay_at),
    TERM("meter_seconds", seconds, meter_ns),
    TERM("sign_seconds", seconds, sign_ns),
    TERM("make_up_seconds", seconds, make_up_ns),
    TERM("buy_in_seconds", seconds, buy_in_ns),
    TERM("challenge_seconds", seconds, challenge_ns),
    TERM("answer_seconds", seconds, answer_ns),
};
enum { TERMS = sizeof terms / sizeof terms[0], OTHERS = 5, SECONDS_MAX = 60 * DAY_SECONDS };

static void specs_make(struct param_spec specs[TERMS + OTHERS + 1])
{
    static const struct param_spec others[OTHERS] = {
        {.name = "vintage", .kind = PARAM_int, .required = REQUIRED},
        {.name = "grade", .kind = PARAM_enum, .names = grade_words},
        {.name = "region", .kind = PARAM_text, .max = REGION_NAME_SIZE - 1},
        {.name = "grade_differentials", .kind = PARAM_array},
        {.name = "index_name", .kind = PARAM_text, .max = INDEX_NAME_SIZE - 1}};
    memcpy(specs, others, sizeof others);
    for (uint32_t i = 0; i < TERMS; i++) {
        static const uint8_t kinds[] = {[TERM_share] = PARAM_decimal, [TERM_money] = PARAM_decimal,
                                        [TERM_days] = PARAM_int, [TERM_time] = PARAM_text,
                                        [TERM_seconds] = PARAM_int};
        bool text = terms[i].kind == TERM_time;
        specs[OTHERS + i] = (struct param_spec){.name = terms[i].name,
                                                .kind = kinds[terms[i].kind],
                                                .max = text ? 8 : 0};
    }
    specs[OTHERS + TERMS] = (struct param_spec){.name = NULL};
}

static int term_get(struct rpc_call *c, uint32_t object, const struct term *term,
                    struct delivery_terms *t)
{
    void *at = (unsigned char *)t + term->offset;
    int64_t *wide = at;
    uint32_t *narrow = at;
    if (param_find(c, object, term->name) == 0) return REJECT_none;
    if (term->kind == TERM_share || term->kind == TERM_money)
        return param_fixed(c, object, term->name, 0, PRICE_MAX, wide);
    if (term->kind == TERM_time) return time_of_day_get(c, object, term->name, narrow);
    int64_t value = param_int(c, object, term->name, 0);
    if (value > SECONDS_MAX) return malformed(c, term->name);
    if (term->kind == TERM_days) *narrow = (uint32_t)value;
    else *wide = value * NS_PER_SECOND;
    return REJECT_none;
}

static int differentials_get(struct rpc_call *c, uint32_t object, struct delivery_terms *t)
{
    const struct json_token *tokens = c->json->tokens;
    uint32_t array = param_find(c, object, "grade_differentials"), n = 0;
    if (array == 0) return REJECT_none;
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next, n++) {
        if (n == GRADE_count || json_decimal(c->json, i, 6, &t->grade_e6[n]) != DECIMAL_exact)
            return malformed(c, "grade_differentials");
    }
    return n == GRADE_count ? REJECT_none : malformed(c, "grade_differentials");
}

int delivery_terms_get(struct rpc_call *c, struct command_product_create *p)
{
    struct param_spec specs[TERMS + OTHERS + 1];
    struct delivery_terms *t = &p->delivery;
    uint32_t object = param_find(c, c->params, "delivery");
    if (object == 0) return REJECT_none;
    specs_make(specs);
    int reason = params_check(c, object, specs);
    if (reason != REJECT_none) return reason;
    *t = defaults;
    int64_t vintage = param_int(c, object, "vintage", 0);
    if (vintage < 1 || vintage > 9999) return malformed(c, "vintage");
    t->class.vintage = (uint32_t)vintage;
    t->class.grade = (uint32_t)param_enum(c, object, "grade", grade_words, GRADE_server);
    param_text(c, object, "region", t->class.region, sizeof t->class.region);
    reason = differentials_get(c, object, t);
    for (uint32_t i = 0; i < TERMS && reason == REJECT_none; i++)
        reason = term_get(c, object, &terms[i], t);
    if (reason != REJECT_none) return reason;
    if (p->settlement != SETTLEMENT_physical || p->contract_unit != UNIT_hour)
        return malformed(c, "delivery: settlement and contract_unit");
    if (param_find(c, object, "index_name") == 0) return REJECT_none;
    t->index = id_of(c, object, "index_name", DIRECTORY_index);
    return t->index == 0 ? REJECT_unknown_index : REJECT_none;
}

static void term_write(struct json_writer *w, const struct term *term,
                       const struct delivery_terms *t)
{
    const void *at = (const unsigned char *)t + term->offset;
    switch (term->kind) {
    case TERM_share:
    case TERM_money: json_key_fixed(w, term->name, *(const int64_t *)at, 6); break;
    case TERM_days: json_key_int(w, term->name, *(const uint32_t *)at); break;
    case TERM_time:
        json_key(w, term->name);
        time_of_day_write(w, *(const uint32_t *)at);
        break;
    case TERM_seconds:
        json_key_int(w, term->name, *(const int64_t *)at / NS_PER_SECOND);
        break;
    }
}

void delivery_terms_write(struct json_writer *w, const struct directory *d,
                          const struct delivery_terms *t)
{
    if (t->class.vintage == 0) return;
    json_key(w, "delivery");
    json_open_object(w);
    json_key_int(w, "vintage", t->class.vintage);
    json_key_string(w, "grade", grade_words[t->class.grade % GRADE_count]);
    json_key_string(w, "region", t->class.region);
    json_key(w, "grade_differentials");
    json_open_array(w);
    for (uint32_t i = 0; i < GRADE_count; i++) json_fixed(w, t->grade_e6[i], 6);
    json_close_array(w);
    if (t->index != 0)
        json_key_string(w, "index_name", directory_name(d, DIRECTORY_index, t->index));
    for (uint32_t i = 0; i < TERMS; i++) term_write(w, &terms[i], t);
    json_close_object(w);
}
