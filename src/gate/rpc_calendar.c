/* rpc_calendar.c: when a product's contracts end, and which become shorter ones (CONTRACT-01). */
#include "gate/rpc_settlement.h"

static const char *const period_names[TRADING_PERIODS] = {"year", "quarter", "month",
                                                          "week", "day",     "hour"};

static const struct param_spec calendar_specs[] = {
    {.name = "year", .kind = PARAM_object},  {.name = "quarter", .kind = PARAM_object},
    {.name = "month", .kind = PARAM_object}, {.name = "week", .kind = PARAM_object},
    {.name = "day", .kind = PARAM_object},   {.name = "hour", .kind = PARAM_object},
    {.name = NULL},
};
static const struct param_spec period_specs[] = {
    {.name = "business_days_before", .kind = PARAM_int},
    {.name = "days_before", .kind = PARAM_int},
    {.name = "last_business_day", .kind = PARAM_bool},
    {.name = "time", .kind = PARAM_text, .max = 8},
    {.name = "cascades", .kind = PARAM_bool},
    {.name = NULL},
};

static int days_get(struct rpc_call *c, uint32_t object, const char *name, int64_t least,
                    struct last_trading *l)
{
    int64_t days = param_int(c, object, name, 0);
    if (days < least || days > LAST_TRADING_DAYS_MAX) return malformed(c, name);
    l->days = (uint16_t)days;
    return REJECT_none;
}

/* One of the three, or none: trading then ends with the period. */
static int rule_get(struct rpc_call *c, uint32_t object, struct last_trading *l)
{
    bool business = param_find(c, object, "business_days_before") != 0;
    bool days = param_find(c, object, "days_before") != 0;
    bool last = param_bool(c, object, "last_business_day", false);
    if (business + days + last > 1) return malformed(c, "days_before");
    if (business) l->rule = LAST_TRADING_business_days;
    if (days) l->rule = LAST_TRADING_days;
    if (last) l->rule = LAST_TRADING_last_business;
    if (business) return days_get(c, object, "business_days_before", 1, l);
    return days ? days_get(c, object, "days_before", 0, l) : REJECT_none;
}

static int period_get(struct rpc_call *c, uint32_t object, uint32_t period,
                      struct trading_calendar *t)
{
    struct last_trading *l = &t->last[period];
    int reason = params_check(c, object, period_specs);
    if (reason == REJECT_none) reason = rule_get(c, object, l);
    if (reason == REJECT_none) reason = time_of_day_get(c, object, "time", &l->second);
    if (reason != REJECT_none) return reason;
    if (l->rule == LAST_TRADING_end && param_find(c, object, "time") != 0)
        return malformed(c, "time");
    if (param_bool(c, object, "cascades", false)) t->cascades |= 1u << period;
    return REJECT_none;
}

int calendar_get(struct rpc_call *c, struct command_product_create *p)
{
    uint32_t calendar = param_find(c, c->params, "calendar");
    if (calendar == 0) return REJECT_none;
    int reason = params_check(c, calendar, calendar_specs);
    for (uint32_t i = 0; i < TRADING_PERIODS && reason == REJECT_none; i++) {
        uint32_t object = param_find(c, calendar, period_names[i]);
        if (object != 0) reason = period_get(c, object, i, &p->calendar);
    }
    if (reason != REJECT_none) return reason;
    bool short_ones = (p->calendar.cascades >> PERIOD_day) != 0;
    bool by_lot = p->calendar.cascades != 0 && p->contract_unit != UNIT_hour;
    return short_ones || by_lot ? malformed(c, "cascades") : REJECT_none;
}

void calendar_write(struct json_writer *w, const struct trading_calendar *t)
{
    static const char *const rules[LAST_TRADING_count] = {
        NULL, "business_days_before", "days_before", NULL};
    json_key(w, "calendar");
    json_open_object(w);
    for (uint32_t i = 0; i < TRADING_PERIODS; i++) {
        const struct last_trading *l = &t->last[i];
        const char *rule = rules[l->rule % LAST_TRADING_count];
        bool cascades = (t->cascades >> i & 1) != 0;
        if (l->rule == LAST_TRADING_end && !cascades) continue;
        json_key(w, period_names[i]);
        json_open_object(w);
        if (rule != NULL) json_key_int(w, rule, l->days);
        if (l->rule == LAST_TRADING_last_business) json_key_bool(w, "last_business_day", true);
        if (l->rule != LAST_TRADING_end) {
            json_key(w, "time");
            time_of_day_write(w, l->second);
        }
        json_key_bool(w, "cascades", cascades);
        json_close_object(w);
    }
    json_close_object(w);
}
