/* rpc_internal.h: what the files of rpc share. Flow: rpc.c (envelope, scopes, parameters against
 * rpc_table.c) -> a method in its area's file (rpc_params.c reads, rpc_call.c sends) -> its answer
 * (rpc_write.c has what several areas tell). What one area offers a few others is in a header of
 * its own: rpc_default.h, rpc_limit.h, rpc_settlement.h. */
#ifndef DOJIMA_GATE_RPC_INTERNAL_H
#define DOJIMA_GATE_RPC_INTERNAL_H

#include "gate/rpc.h"
#include "wire/words.h"

enum { RPC_UNAVAILABLE = REJECT_count }; /* the venue took no command */

enum param_kind {
    PARAM_text = 0, /* a string of at most `max` bytes */
    PARAM_bool,     /* true, false, "true", "false" */
    PARAM_int,      /* a whole number, or text of one, from 0 to 2^63 - 1 */
    PARAM_decimal,  /* a number, or text of one */
    PARAM_enum,     /* one of `names` */
    PARAM_array,
    PARAM_object,
    PARAM_id,       /* text, or a whole number from 0 */
    PARAM_note,     /* a signed note, of several lines (rpc_note.h) */
};

enum { REQUIRED = 1 };

struct param_spec {
    const char *name; /* NULL: end of the list */
    uint8_t kind;
    uint8_t required;
    uint16_t max;
    const char *const *names; /* of PARAM_enum; ends with NULL; the index is the value */
};

struct rpc_call;
typedef int rpc_function(struct rpc_call *c); /* enum reject, or RPC_UNAVAILABLE */

struct rpc_method {
    const char *name;
    rpc_function *run;
    const struct param_spec *params;
    uint32_t scopes; /* any one of these; 0: public */
    uint32_t flags;  /* RPC_METHOD_ */
};

struct rpc_call {
    struct rpc *rpc;
    const struct venue *venue;
    const struct directory *names;
    const struct rpc_caller *caller;
    const struct json *json;
    const struct rpc_method *method;
    uint32_t params; /* token; 0: none given */
    struct json_writer *out;
    struct command *command; /* to build one in */
    uint64_t seq;            /* of the answer */
    ts_t now;
    char param[80];          /* of a malformed request: what was wrong */
    struct event_reject reject; /* of the core; header.seq 0: none */
    bool guards_required;
};

extern const struct rpc_method rpc_methods[]; /* ends with a NULL name */

extern const char *const rpc_side_names[];
extern const char *const rpc_smp_names[];
extern const char *const rpc_peg_names[];
extern const char *const rpc_link_names[];
extern const char *const rpc_fill_condition_names[];
extern const char *const rpc_algorithm_names[];
extern const char *const rpc_settlement_names[];
extern const char *const rpc_unit_names[];
extern const char *const rpc_mode_names[];
extern const char *const rpc_origin_names[];
extern const char *const rpc_cause_names[];
extern const char *const rpc_margin_names[];
extern const char *const rpc_margin_phase_names[];

/* ---- rpc_params.c ---- */
/* Checks an object against its list: REJECT_none or malformed_request with c->param set. */
int params_check(struct rpc_call *c, uint32_t object, const struct param_spec *specs);
/* What follows is called after the check, so it cannot fail. `object` is a token; 0: empty. */
uint32_t param_find(const struct rpc_call *c, uint32_t object, const char *name); /* 0: absent */
bool param_bool(const struct rpc_call *c, uint32_t object, const char *name, bool otherwise);
int64_t param_int(const struct rpc_call *c, uint32_t object, const char *name, int64_t otherwise);
int param_enum(const struct rpc_call *c, uint32_t object, const char *name,
               const char *const *names, int otherwise);
/* "" when absent. `size` exceeds the list's max. Returns the length. */
size_t param_text(const struct rpc_call *c, uint32_t object, const char *name, char *text,
                  size_t size);
/* DECIMAL_malformed when absent. */
enum decimal_result param_decimal(const struct rpc_call *c, uint32_t object, const char *name,
                                  int scale, int64_t *value);
/* What follows fails as malformed; absent leaves *value.
 * A decimal of an object, exact at 10^-6 and within bounds. */
int param_fixed(struct rpc_call *c, uint32_t object, const char *name, int64_t least, int64_t most,
                int64_t *value);
/* The same, of 10^-6 that a smaller number holds. */
int param_share(struct rpc_call *c, uint32_t object, const char *name, uint32_t most,
                uint32_t *value);
int param_lots(struct rpc_call *c, uint32_t object, const char *name, qty_t *value);
/* Milliseconds since 1970; of a PARAM_id also RFC 3339 text. */
int param_time(struct rpc_call *c, uint32_t object, const char *name, ts_t *value);
int param_date(struct rpc_call *c, uint32_t object, const char *name, ts_t *value);
/* Calls `one` for each object of the array `name`, at most `most`; *count gets how many. */
typedef int param_object(struct rpc_call *c, uint32_t object, uint32_t at, void *into);
int param_objects(struct rpc_call *c, const char *name, const struct param_spec *specs,
                  uint32_t most, param_object *one, void *into, uint32_t *count);
int malformed(struct rpc_call *c, const char *param); /* notes the name, returns the reject */

/* ---- rpc_call.c ---- */
/* A zeroed command of `bytes` in c->command. */
struct command *command_begin(struct rpc_call *c, enum command_kind kind, size_t bytes);
/* Submits c->command. Rejected as a whole (a reject event and nothing of its own): the reject. */
int command_submit(struct rpc_call *c, const struct outbox **events);
const struct outbox *query_ask(struct rpc_call *c, const struct query *q);
/* The same of the history; not_offered where there is none. */
int past_ask(struct rpc_call *c, const struct query *q, const struct outbox **events);
const void *event_find(const struct outbox *events, enum event_kind kind); /* the first, or NULL */

/* The id of what an object's text names; 0: none, or absent. */
uint32_t id_of(const struct rpc_call *c, uint32_t object, const char *name,
               enum directory_kind kind);
/* Names in parameters to ids. `name` is the parameter's; absent gives *id = 0 and REJECT_none. */
int instrument_of(struct rpc_call *c, const char *name, uint32_t *id);
int product_of(struct rpc_call *c, const char *name, uint32_t *id);
int account_named(struct rpc_call *c, const char *name, uint32_t *id);
/* An object's array of accounts' names, at most `most`. */
int accounts_of(struct rpc_call *c, uint32_t object, const char *name, uint32_t most,
                uint32_t *ids, uint32_t *count);
int member_of(struct rpc_call *c, const char *name, uint32_t *id);
int asset_of(struct rpc_call *c, const char *name, uint32_t *id);
/* The account that is read: `account` for those who may see others', else the caller's own. */
int account_read(struct rpc_call *c, uint32_t *id);
/* The account that is acted for: `account` for officers and clearing, else the caller's own. */
int account_acting(struct rpc_call *c, uint32_t *id);
int account_own(struct rpc_call *c, uint32_t *id);
uint32_t member_own(const struct rpc_call *c); /* of the caller's account; 0: none */
bool sees_all(const struct rpc_call *c);       /* others' accounts and members */
/* Which instruments a currency stands for. */
struct currency {
    char text[CURRENCY_SIZE]; /* "": all */
    uint32_t product;         /* not 0: all of this product */
};
int currency_of(struct rpc_call *c, struct currency *currency);
bool currency_has(const struct rpc_call *c, const struct currency *currency, uint32_t instrument);
uint64_t text_hash(const char *text, size_t length);

/* ---- rpc_guard.c ---- */
extern const struct param_spec rpc_guard_specs[];
int guards_parse(struct rpc_call *c, uint32_t object, struct command_guards_set *s);
/* A product's `guards`, with the defaults of what they leave out; object 0: none. */
int guards_create(struct rpc_call *c, uint32_t object, struct command_product_create *p);
int guards_required(struct rpc_call *c, const struct command_product_create *p);
void rpc_write_guard_terms(struct json_writer *w, const struct guard_terms *t);
void rpc_write_guards_asked(struct json_writer *w, const struct command_guards_set *s);

/* ---- rpc_venue.c ---- */
/* Where the events hold a request (awaiting, confirmed, dropped): answers with it. */
bool request_answer(struct rpc_call *c, const struct outbox *events);

/* ---- rpc_collateral.c, rpc_margin.c ---- */
/* What a request that waits asks for. */
void collateral_asks(struct rpc_call *c, const struct command *cmd);
void margin_asks(struct rpc_call *c, const struct command *cmd);

/* ---- methods ---- */
rpc_function rpc_buy, rpc_sell, rpc_edit, rpc_cancel, rpc_cancel_by_label, rpc_cancel_all,
    rpc_cancel_all_by_instrument, rpc_cancel_all_by_currency, rpc_mass_quote;
rpc_function rpc_get_time, rpc_test, rpc_status, rpc_get_currencies, rpc_get_instruments,
    rpc_get_instrument, rpc_get_contract_size, rpc_get_order_book, rpc_ticker,
    rpc_get_book_summary, rpc_get_book_summary_by_instrument, rpc_get_last_trades,
    rpc_get_last_trades_by_currency, rpc_get_state_hash, rpc_get_products;
rpc_function rpc_get_account_summary, rpc_get_account_summaries, rpc_get_positions,
    rpc_get_position, rpc_get_open_orders, rpc_get_order_state, rpc_get_order_history,
    rpc_get_user_trades, rpc_get_user_trades_by_order, rpc_get_ledger, rpc_get_statement;
rpc_function rpc_create_product, rpc_list_instrument, rpc_list_spread, rpc_create_account,
    rpc_deposit, rpc_officer_withdraw, rpc_withdraw, rpc_transfer, rpc_set_state,
    rpc_mark_to_market, rpc_expire, rpc_confirm, rpc_request_refuse,
    rpc_get_requests, rpc_kill, rpc_officer_cancel_all, rpc_venue_set, rpc_get_accounts,
    rpc_clock;
rpc_function rpc_block_propose, rpc_block_accept, rpc_block_decline, rpc_get_blocks,
    rpc_bust_trade, rpc_adjust_trade;
rpc_function rpc_set_limits, rpc_set_deliverable_supply, rpc_set_owner, rpc_set_exemption,
    rpc_set_physical_capacity, rpc_revoke_exemption, rpc_get_exemptions, rpc_get_large_positions;
rpc_function rpc_set_guards, rpc_get_halts;
rpc_function rpc_get_collateral, rpc_get_clearing, rpc_set_collateral, rpc_issue_capacity,
    rpc_retire_capacity, rpc_pledge, rpc_release, rpc_set_clearing, rpc_get_margin_calls,
    rpc_get_member_calls, rpc_call_margin, rpc_accept_port, rpc_port, rpc_get_balances,
    rpc_get_clearing_history, rpc_sell_collateral;
rpc_function rpc_set_margin, rpc_set_margin_credits, rpc_get_margin_parameters, rpc_margin_run,
    rpc_margin_results, rpc_get_margin, rpc_simulate_margin, rpc_convert;

#endif
