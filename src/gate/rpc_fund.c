/* rpc_fund.c: the default fund (CLEAR-11): its size, its members' shares and calls, own capital. */
#include "gate/rpc_default.h"
#include "wire/event_json_default.h"

#include <string.h>

const char *const rpc_basis_names[] = {"stress_loss", "margin", NULL};

/* ---- how they are written ---- */

static void deadline_write(struct rpc_call *c, const char *key, ts_t ts)
{
    if (ts.v == 0) json_key_null(c->out, key);
    else json_key_ms(c->out, key, ts);
}

static void share_write(struct rpc_call *c, const struct event_fund_share *s)
{
    json_open_object(c->out);
    json_key_string(c->out, "member", directory_name(c->names, DIRECTORY_member, s->member));
    json_key_fixed(c->out, "share", s->due.v, 6);
    json_key_fixed(c->out, "paid", s->balance.v, 6);
    json_key_fixed(c->out, "call", s->call.v, 6);
    deadline_write(c, "call_deadline", s->call_deadline);
    json_key_bool(c->out, "call_missed", (s->flags & FUND_SHARE_CALL_MISSED) != 0);
    json_key_fixed(c->out, "assessed", s->assessed.v, 6);
    json_key_fixed(c->out, "assessment_cap", s->cap.v, 6);
    json_key_fixed(c->out, "assessment", s->assessment.v, 6);
    deadline_write(c, "assessment_deadline", s->assessment_deadline);
    json_key_bool(c->out, "assessment_missed", (s->flags & FUND_SHARE_ASSESSMENT_MISSED) != 0);
    json_key_bool(c->out, "in_default", s->defaulted != 0);
    json_close_object(c->out);
}

/* The members of an object that the caller has opened. */
static void fund_write(struct rpc_call *c, const struct event_fund *f)
{
    char date[TIME_TEXT_SIZE];
    time_format_date(date, TS(f->date * NS_PER_DAY));
    if (f->date == 0) json_key_null(c->out, "date");
    else json_key_string(c->out, "date", date);
    json_key_fixed(c->out, "total", f->total.v, 6);
    json_key_fixed(c->out, "paid", f->paid.v, 6);
    json_key_fixed(c->out, "cover_2", f->cover2.v, 6);
    json_key_int(c->out, "members", f->members);
    json_key_fixed(c->out, "own_capital", (int128_t)f->capital.v + f->skin.v, 6);
    json_key_fixed(c->out, "skin_in_the_game", f->skin.v, 6);
    json_key_int(c->out, "defaults_open", f->defaults_open);
    json_key(c->out, "settings");
    json_open_object(c->out);
    fund_settings_write(c->out, &f->settings);
    json_close_object(c->out);
}

static void shares_write(struct rpc_call *c, const struct outbox *events, uint32_t member)
{
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_fund_share *s = (const struct event_fund_share *)(const void *)h;
        if (h->kind != EVENT_fund_share) continue;
        if (member == 0 || s->member == member) share_write(c, s);
    }
    json_close_array(c->out);
}

void fund_asks(struct rpc_call *c, const struct command *cmd)
{
    static const char *const moves[FUND_action_count] = {"contribute", "assessment", "release",
                                                         "collect",    "capital",    "recover"};
    static const char *const steps[DEFAULT_action_count] = {"allocate", "tear_up", "close",
                                                            "write_off", "readmit"};
    const struct command_fund_move *m = &cmd->fund_move;
    if (cmd->header.kind == COMMAND_fund_set) {
        fund_settings_write(c->out, &cmd->fund_set);
        return;
    }
    bool move = cmd->header.kind == COMMAND_fund_move;
    uint32_t member = move ? m->member : cmd->default_step.member;
    json_key_string(c->out, "action",
                    move ? moves[m->action % FUND_action_count]
                         : steps[cmd->default_step.action % DEFAULT_action_count]);
    if (member != 0)
        json_key_string(c->out, "member", directory_name(c->names, DIRECTORY_member, member));
    if (!move) return;
    json_key_fixed(c->out, "amount", m->amount.v, 6);
    if (m->action == FUND_capital) json_key_fixed(c->out, "skin_in_the_game", m->skin.v, 6);
}

/* ---- what is known ---- */

static const struct outbox *fund_ask(struct rpc_call *c)
{
    return query_ask(c, &(struct query){.kind = QUERY_fund, .now = c->now});
}

/* Public: the figures, but no member's. */
int rpc_get_default_fund(struct rpc_call *c)
{
    const struct event_fund *f = event_find(fund_ask(c), EVENT_fund);
    if (f == NULL) return RPC_UNAVAILABLE;
    json_open_object(c->out);
    fund_write(c, f);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_get_fund(struct rpc_call *c)
{
    uint32_t member = sees_all(c) ? 0 : member_own(c);
    if (member == 0 && !sees_all(c)) return REJECT_unknown_account;
    const struct outbox *events = fund_ask(c);
    const struct event_fund *f = event_find(events, EVENT_fund);
    if (f == NULL) return RPC_UNAVAILABLE;
    json_open_object(c->out);
    fund_write(c, f);
    json_key(c->out, "shares");
    shares_write(c, events, member);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- what officers set ---- */

/* What is not given stays. */
static int count_read(struct rpc_call *c, const char *name, uint32_t *value)
{
    int64_t v = param_int(c, c->params, name, *value);
    if (v > UINT16_MAX) return malformed(c, name);
    *value = (uint32_t)v;
    return REJECT_none;
}

int rpc_fund_set(struct rpc_call *c)
{
    const struct outbox *events;
    const struct event_fund *now = event_find(fund_ask(c), EVENT_fund);
    if (now == NULL) return RPC_UNAVAILABLE;
    struct command_fund_set s = now->settings;
    int reason = param_share(c, c->params, "assessment_multiple", UINT32_MAX, &s.assessment_e6);
    if (reason == REJECT_none) reason = param_share(c, c->params, "near", UINT32_MAX, &s.near_e6);
    if (reason == REJECT_none) reason = param_share(c, c->params, "far", UINT32_MAX, &s.far_e6);
    if (reason == REJECT_none)
        reason = param_share(c, c->params, "skin_minimum", UINT32_MAX, &s.skin_e6);
    if (reason == REJECT_none) reason = count_read(c, "assessment_days", &s.assessment_days);
    if (reason == REJECT_none) reason = count_read(c, "refill_days", &s.refill_days);
    if (reason == REJECT_none) reason = count_read(c, "bidders_min", &s.bidders_min);
    if (reason == REJECT_none) reason = count_read(c, "porting_hours", &s.porting_hours);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_fund_set,
                                        sizeof cmd->header + sizeof cmd->fund_set);
    cmd->fund_set = s;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    return request_answer(c, events) ? REJECT_none : RPC_UNAVAILABLE;
}

static const struct param_spec share_specs[] = {
    {.name = "member", .kind = PARAM_text, .required = REQUIRED, .max = MEMBER_NAME_SIZE - 1},
    {.name = "stress_loss", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = NULL}};

static int share_read(struct rpc_call *c, uint32_t object, uint32_t at, void *into)
{
    struct fund_share *share = &((struct command_fund_size *)into)->shares[at];
    share->member = id_of(c, object, "member", DIRECTORY_member);
    if (share->member == 0) return REJECT_unknown_account;
    if (param_decimal(c, object, "stress_loss", 6, &share->stress_loss.v) != DECIMAL_exact)
        return REJECT_invalid_amount;
    return REJECT_none;
}

int rpc_fund_size(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_fund_size,
                                        sizeof cmd->header + sizeof cmd->fund_size);
    struct command_fund_size *s = &cmd->fund_size;
    ts_t day = TS(0);
    int reason = param_date(c, c->params, "date", &day);
    if (reason != REJECT_none) return reason;
    s->date = day.v / NS_PER_DAY;
    s->basis = (uint32_t)param_enum(c, c->params, "basis", rpc_basis_names, FUND_BASIS_stress);
    if (param_find(c, c->params, "total") != 0 &&
        param_decimal(c, c->params, "total", 6, &s->total.v) != DECIMAL_exact) {
        return REJECT_invalid_amount;
    }
    reason = param_objects(c, "shares", share_specs, FUND_SHARES_MAX, share_read, s, &s->count);
    if (reason != REJECT_none) return reason;
    cmd->header.size = (uint32_t)(sizeof cmd->header + offsetof(struct command_fund_size, shares) +
                                  s->count * sizeof s->shares[0]);
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    return rpc_get_fund(c);
}

/* ---- money ---- */

int fund_move_submit(struct rpc_call *c, enum fund_action action, uint32_t account,
                     const struct outbox **events)
{
    uint32_t member = 0;
    int reason = member_of(c, "member", &member);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_fund_move,
                                        sizeof cmd->header + sizeof cmd->fund_move);
    cmd->header.account = account;
    cmd->fund_move.action = (uint32_t)action;
    cmd->fund_move.member = member;
    bool given = param_find(c, c->params, "amount") != 0;
    if (given && param_decimal(c, c->params, "amount", 6, &cmd->fund_move.amount.v) !=
                     DECIMAL_exact) {
        return REJECT_invalid_amount;
    }
    given = param_find(c, c->params, "skin_in_the_game") != 0;
    if (given && param_decimal(c, c->params, "skin_in_the_game", 6, &cmd->fund_move.skin.v) !=
                     DECIMAL_exact) {
        return REJECT_invalid_amount;
    }
    return command_submit(c, events);
}

int rpc_capital(struct rpc_call *c)
{
    const struct outbox *events;
    int reason = fund_move_submit(c, FUND_capital, 0, &events);
    if (reason != REJECT_none) return reason;
    return request_answer(c, events) ? REJECT_none : rpc_get_default_fund(c);
}

int rpc_fund_collect(struct rpc_call *c)
{
    const struct outbox *events;
    int reason = fund_move_submit(c, FUND_collect, 0, &events);
    return reason != REJECT_none ? reason : rpc_get_fund(c);
}

static int member_move(struct rpc_call *c, enum fund_action action)
{
    const struct outbox *events;
    uint32_t account;
    int reason = account_acting(c, &account);
    if (reason == REJECT_none) reason = fund_move_submit(c, action, account, &events);
    if (reason != REJECT_none) return reason;
    const struct event_account *own = directory_account(c->names, account);
    const struct event_fund_share *found = NULL;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_fund_share *s = (const struct event_fund_share *)(const void *)h;
        if (h->kind == EVENT_fund_share && own != NULL && s->member == own->member) found = s;
    }
    if (found == NULL) return RPC_UNAVAILABLE;
    share_write(c, found);
    return REJECT_none;
}

int rpc_fund_contribute(struct rpc_call *c) { return member_move(c, FUND_contribute); }
int rpc_fund_pay_assessment(struct rpc_call *c) { return member_move(c, FUND_assessment); }
int rpc_fund_release(struct rpc_call *c) { return member_move(c, FUND_release); }
