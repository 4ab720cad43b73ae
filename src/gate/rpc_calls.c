/* rpc_calls.c: margin calls (CLEAR-09) and porting (CLEAR-02). */
#include "gate/rpc_internal.h"

/* ---- calls ---- */

static void call_members_write(struct json_writer *w, const struct directory *d,
                               const struct event_call *e)
{
    json_key_int(w, "call_id", (int64_t)e->id);
    json_key_string(w, "account", directory_name(d, DIRECTORY_account, e->account));
    json_key_string(w, "member", directory_name(d, DIRECTORY_member, e->member));
    json_key_string(w, "origin", rpc_origin_names[e->origin % ORIGIN_count]);
    json_key_string(w, "state", call_state_words[e->state % CALL_state_count]);
    json_key_fixed(w, "amount", e->called.v, 6);
    json_key_fixed(w, "missing", e->missing.v, 6);
    json_key_fixed(w, "equity", e->equity.v, 6);
    json_key_fixed(w, "collateral_credit", e->credit.v, 6);
    json_key_fixed(w, "initial_margin", e->requirement.v, 6);
    json_key_fixed(w, "maintenance_margin", e->maintenance.v, 6);
    json_key_ms(w, "issued", e->issued);
    json_key_ms(w, "deadline", e->deadline);
    if (e->next.v != 0) json_key_ms(w, "next_slice", e->next);
    json_key_int(w, "slices", e->slices);
    json_key_int(w, "slices_today", e->slices_day);
}

void rpc_write_call(struct json_writer *w, const struct directory *d, const struct event_call *e)
{
    json_open_object(w);
    call_members_write(w, d, e);
    json_close_object(w);
}

static void slice_members_write(struct json_writer *w, const struct directory *d,
                                const struct event_slice *e)
{
    json_key_int(w, "call_id", (int64_t)e->call);
    json_key_string(w, "account", directory_name(d, DIRECTORY_account, e->account));
    json_key_int(w, "number", e->number);
    json_key_string(w, "result", slice_result_words[e->result % SLICE_result_count]);
    if (e->reason != REJECT_none)
        json_key_string(w, "reason", reject_text((enum reject)e->reason)->name);
    if (e->instrument == 0) return;
    json_key_string(w, "instrument_name", directory_name(d, DIRECTORY_instrument, e->instrument));
    json_key_string(w, "direction", rpc_side_names[e->side & 1]);
    json_key_int(w, "position", e->before.v);
    json_key_int(w, "amount", e->asked.v);
    json_key_int(w, "filled_amount", e->filled.v);
    json_key_price(w, "limit_price", e->limit);
}

static void port_members_write(struct json_writer *w, const struct directory *d,
                               const struct event_port *e)
{
    json_key_string(w, "account", directory_name(d, DIRECTORY_account, e->account));
    json_key_string(w, "from", directory_name(d, DIRECTORY_member, e->from));
    json_key_string(w, "to", directory_name(d, DIRECTORY_member, e->to));
    json_key_string(w, "state", port_state_words[e->state % PORT_state_count]);
    json_key_int(w, "positions", e->positions);
    json_key_int(w, "orders_cancelled", e->orders);
    json_key_fixed(w, "cash", e->cash.v, 6);
}

static bool call_lives(const struct event_call *e)
{
    return e->state == CALL_open || e->state == CALL_unmet || e->state == CALL_liquidating ||
           e->state == CALL_ended || e->state == CALL_closing;
}

/* The calls of one account, of a member's accounts, or all; sums over those that live. */
struct calls_wanted {
    uint32_t member; /* 0: any */
    bool live;       /* only those that live */
};

static void calls_write(struct rpc_call *c, const struct outbox *events,
                        const struct calls_wanted *wanted)
{
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_call *e = (const struct event_call *)(const void *)h;
        if (h->kind != EVENT_call || (wanted->live && !call_lives(e))) continue;
        if (wanted->member != 0 && e->member != wanted->member) continue;
        rpc_write_call(c->out, c->names, e);
    }
    json_close_array(c->out);
}

int rpc_get_margin_calls(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_calls, .now = c->now};
    struct calls_wanted all = {0};
    int reason = account_read(c, &q.account);
    if (reason != REJECT_none) return reason;
    calls_write(c, query_ask(c, &q), &all);
    return REJECT_none;
}

/* The member that is meant: named, or the caller's own. Another's only for the clearing house. */
static int member_meant(struct rpc_call *c, uint32_t *member)
{
    const uint32_t any = RPC_SCOPE_officer | RPC_SCOPE_auditor;
    uint32_t own = member_own(c);
    int reason = member_of(c, "member", member);
    if (reason != REJECT_none) return reason;
    if (param_find(c, c->params, "member") == 0) *member = own;
    if (*member == 0) return REJECT_unknown_account;
    return *member == own || (c->caller->scopes & any) != 0 ? REJECT_none : REJECT_unauthorised;
}

/* What a member must find: gross, one account's excess helps no other. */
int rpc_get_member_calls(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_calls, .now = c->now};
    struct calls_wanted wanted = {.live = true};
    int128_t missing[ORIGIN_count] = {0};
    int reason = member_meant(c, &wanted.member);
    if (reason != REJECT_none) return reason;
    const struct outbox *events = query_ask(c, &q);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_call *e = (const struct event_call *)(const void *)h;
        if (h->kind != EVENT_call || !call_lives(e) || e->member != wanted.member) continue;
        missing[e->origin % ORIGIN_count] += e->missing.v;
    }
    json_open_object(c->out);
    json_key_string(c->out, "member", directory_name(c->names, DIRECTORY_member, wanted.member));
    json_key_fixed(c->out, "missing_house", missing[ORIGIN_house], 6);
    json_key_fixed(c->out, "missing_client", missing[ORIGIN_client], 6);
    json_key_fixed(c->out, "missing", missing[ORIGIN_house] + missing[ORIGIN_client], 6);
    json_key(c->out, "calls");
    calls_write(c, events, &wanted);
    json_close_object(c->out);
    return REJECT_none;
}

/* What happened to an account: its calls, each slice, consents and ports; newest first. */
int rpc_get_clearing_history(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_clearing_records, .now = c->now};
    int64_t count = param_int(c, c->params, "count", 100);
    int reason = account_read(c, &q.account);
    if (reason != REJECT_none) return reason;
    if (count < 1 || count > 10000) return malformed(c, "count");
    q.count = (uint32_t)count;
    const struct outbox *events = query_ask(c, &q);
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const void *e = h;
        json_open_object(c->out);
        json_key_string(c->out, "event", event_kind_name((enum event_kind)h->kind));
        json_key_int(c->out, "seq", (int64_t)h->seq);
        json_key_ms(c->out, "timestamp", h->ts);
        if (h->kind == EVENT_call) call_members_write(c->out, c->names, e);
        if (h->kind == EVENT_slice) slice_members_write(c->out, c->names, e);
        if (h->kind == EVENT_port) port_members_write(c->out, c->names, e);
        json_close_object(c->out);
    }
    json_close_array(c->out);
    return REJECT_none;
}

int rpc_call_margin(struct rpc_call *c)
{
    const struct outbox *events;
    struct calls_wanted all = {0};
    uint32_t account;
    int reason = account_named(c, "account", &account);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_call_margin, sizeof cmd->header);
    cmd->header.account = account;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    json_open_object(c->out);
    json_key(c->out, "calls");
    calls_write(c, events, &all);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- porting ---- */

static int port_command(struct rpc_call *c, enum command_kind kind, uint32_t account,
                        uint32_t member)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, kind, sizeof cmd->header + sizeof cmd->port);
    cmd->header.account = account;
    cmd->port.member = member;
    if (kind == COMMAND_port_accept)
        cmd->port.withdraw = param_bool(c, c->params, "withdraw", false) ? 1 : 0;
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_port *e = event_find(events, EVENT_port);
    if (e == NULL) return REJECT_invalid_state;
    json_open_object(c->out);
    port_members_write(c->out, c->names, e);
    json_close_object(c->out);
    return REJECT_none;
}

/* The receiving member consents: by a key of its own, or through an officer who has it in hand. */
int rpc_accept_port(struct rpc_call *c)
{
    uint32_t account, member;
    int reason = account_named(c, "account", &account);
    if (reason == REJECT_none) reason = member_meant(c, &member);
    if (reason != REJECT_none) return reason;
    return port_command(c, COMMAND_port_accept, account, member);
}

/* Asked for by either member, or by an officer: of a member in default nobody else can. */
int rpc_port(struct rpc_call *c)
{
    uint32_t account, member, own = member_own(c);
    int reason = account_named(c, "account", &account);
    if (reason == REJECT_none) reason = member_of(c, "member", &member);
    if (reason != REJECT_none) return reason;
    const struct event_account *a = directory_account(c->names, account);
    bool party = a != NULL && own != 0 && (own == a->member || own == member);
    if (!party && (c->caller->scopes & RPC_SCOPE_officer) == 0) return REJECT_unauthorised;
    return port_command(c, COMMAND_port, account, member);
}
