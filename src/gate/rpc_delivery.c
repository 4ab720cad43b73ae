/* rpc_delivery.c: delivery (DELIV-01 to -06): tenders, intakes, warrants; receipts, verdicts and
 * challenges; and what is published of it all.
 *
 * Receipts and verdicts come as notes (proof/note.h). Their form and signatures are checked here,
 * before there is a command: the core is told by which keys, and checks that these are the ones
 * filed, or accredited. `dojima script` and a node run this same code.
 *
 * In public an allocation has no names, no keys and no endpoints; its own parties see them.
 */
#include "gate/rpc_delivery.h"

#include "gate/rpc_compute.h"
#include "gate/rpc_note.h"
#include "proof/receipt.h"
#include "proof/verdict.h"
#include "wire/event_json_delivery.h"
#include "wire/words.h"

#include <string.h>

/* http://host:port and the like: printable, without blanks. */
static int endpoint_get(struct rpc_call *c, char endpoint[ENDPOINT_SIZE])
{
    size_t n = param_text(c, c->params, "endpoint", endpoint, ENDPOINT_SIZE);
    for (size_t i = 0; i < n; i++) {
        if (endpoint[i] <= 0x20 || endpoint[i] > 0x7e) return malformed(c, "endpoint");
    }
    return n == 0 ? malformed(c, "endpoint") : REJECT_none;
}

/* ---- tenders and intakes ---- */

static void tender_answer(struct rpc_call *c, const struct event_tender *e)
{
    json_open_object(c->out);
    json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, e->account));
    if (e->terms.instrument != 0)
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument, e->terms.instrument));
    json_key_string(c->out, "resource",
                    directory_name(c->names, DIRECTORY_resource, e->terms.resource));
    if (e->withdrawn != 0) json_key_bool(c->out, "withdrawn", true);
    tender_write(c->out, &e->terms);
    json_close_object(c->out);
}

static void intake_answer(struct rpc_call *c, const struct event_intake *e)
{
    json_open_object(c->out);
    json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, e->account));
    if (e->terms.instrument != 0)
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument, e->terms.instrument));
    intake_write(c->out, &e->terms);
    json_key(c->out, "providers_excluded");
    json_open_array(c->out);
    for (uint32_t i = 0; i < e->terms.excluded_count && i < DELIVERY_EXCLUDED_MAX; i++)
        json_string(c->out, directory_name(c->names, DIRECTORY_account, e->terms.excluded[i]));
    json_close_array(c->out);
    json_close_object(c->out);
}

/* Without an instrument: what stands ready for hours of the spot market and balancing auctions;
 * there the amount is not asked for. Amount 0 withdraws. */
int rpc_tender(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_tender,
                                        sizeof cmd->header + sizeof cmd->tender);
    struct command_tender *t = &cmd->tender;
    int reason = account_acting(c, &cmd->header.account);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &t->instrument);
    if (reason == REJECT_none) reason = resource_of(c, "resource", &t->resource);
    if (reason != REJECT_none) return reason;
    t->lots = QTY(1);
    if (t->instrument != 0 && param_find(c, c->params, "amount") == 0)
        return malformed(c, "amount");
    if (param_find(c, c->params, "amount") != 0 &&
        param_decimal(c, c->params, "amount", 0, &t->lots.v) != DECIMAL_exact)
        return REJECT_invalid_amount;
    t->grade = (uint32_t)param_enum(c, c->params, "grade", grade_words, GRADE_server);
    if (t->lots.v != 0) {
        reason = public_key_get(c, t->public_key);
        if (reason == REJECT_none) reason = endpoint_get(c, t->endpoint);
    }
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_tender *e = event_find(events, EVENT_tender);
    if (e == NULL) return REJECT_not_tenderable;
    tender_answer(c, e);
    return REJECT_none;
}

static const struct param_spec constraints_specs[] = {
    {.name = "regions", .kind = PARAM_array},
    {.name = "grade_minimum", .kind = PARAM_enum, .names = grade_words},
    {.name = "providers_excluded", .kind = PARAM_array},
    {.name = NULL},
};

static int constraints_get(struct rpc_call *c, struct command_intake *t)
{
    uint32_t object = param_find(c, c->params, "constraints");
    if (object == 0) return REJECT_none;
    int reason = params_check(c, object, constraints_specs);
    if (reason != REJECT_none) return reason;
    t->grade_minimum = (uint32_t)param_enum(c, object, "grade_minimum", grade_words, 0);
    reason = regions_get(c, object, DELIVERY_REGIONS_MAX, t->regions, &t->region_count);
    if (reason != REJECT_none) return reason;
    return accounts_of(c, object, "providers_excluded", DELIVERY_EXCLUDED_MAX, t->excluded,
                       &t->excluded_count);
}

int rpc_intake(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_intake,
                                        sizeof cmd->header + sizeof cmd->intake);
    struct command_intake *t = &cmd->intake;
    int reason = account_acting(c, &cmd->header.account);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &t->instrument);
    if (reason != REJECT_none) return reason;
    t->withdraw = param_bool(c, c->params, "withdraw", false) ? 1 : 0;
    if (t->withdraw == 0) {
        reason = public_key_get(c, t->public_key);
        if (reason == REJECT_none) reason = endpoint_get(c, t->endpoint);
        if (reason == REJECT_none) reason = constraints_get(c, t);
    }
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_intake *e = event_find(events, EVENT_intake);
    if (e == NULL) return REJECT_no_intake;
    intake_answer(c, e);
    return REJECT_none;
}

int rpc_get_tenders(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_tenders};
    int reason = account_read(c, &q.account);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &q.instrument);
    if (reason != REJECT_none) return reason;
    const struct outbox *events = query_ask(c, &q);
    json_open_object(c->out);
    for (int kind = 0; kind < 2; kind++) {
        json_key(c->out, kind == 0 ? "tenders" : "intakes");
        json_open_array(c->out);
        for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
             h = outbox_next(events, h)) {
            const void *e = h;
            if (kind == 0 && h->kind == EVENT_tender) tender_answer(c, e);
            if (kind == 1 && h->kind == EVENT_intake) intake_answer(c, e);
        }
        json_close_array(c->out);
    }
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- allocations ---- */

static void allocation_answer(struct rpc_call *c, const struct event_allocation *e, bool own)
{
    json_open_object(c->out);
    json_key_string(c->out, "instrument_name",
                    directory_name(c->names, DIRECTORY_instrument, e->instrument));
    allocation_write(c->out, e);
    if (own) {
        json_key_string(c->out, "buyer", directory_name(c->names, DIRECTORY_account, e->buyer));
        json_key_string(c->out, "seller", directory_name(c->names, DIRECTORY_account, e->seller));
        json_key_string(c->out, "resource",
                        directory_name(c->names, DIRECTORY_resource, e->resource));
        allocation_parties_write(c->out, e);
    }
    json_close_object(c->out);
}

static int allocations_answer(struct rpc_call *c, struct query *q, bool own)
{
    enum { COUNT_MAX = 1000, COUNT_DEFAULT = 100 };
    int64_t count = param_int(c, c->params, "count", COUNT_DEFAULT);
    q->kind = QUERY_allocations;
    int reason = instrument_of(c, "instrument_name", &q->instrument);
    if (reason != REJECT_none) return reason;
    if (count < 1 || count > COUNT_MAX) return malformed(c, "count");
    q->count = (uint32_t)count;
    q->from_id = (uint64_t)param_int(c, c->params, "from_id", 0);
    const struct outbox *events = query_ask(c, q);
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_allocation)
            allocation_answer(c, (const struct event_allocation *)(const void *)h, own);
    }
    json_close_array(c->out);
    return REJECT_none;
}

int rpc_get_allocations(struct rpc_call *c)
{
    struct query q = {0};
    return allocations_answer(c, &q, false);
}

/* An account's own, on either side, with where to deliver and how receipts are signed. */
int rpc_get_own_allocations(struct rpc_call *c)
{
    struct query q = {0};
    bool all = sees_all(c) && param_find(c, c->params, "account") == 0;
    int reason = all ? REJECT_none : account_read(c, &q.account);
    return reason != REJECT_none ? reason : allocations_answer(c, &q, true);
}

int rpc_warrant_transfer(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_warrant_transfer,
                                        sizeof cmd->header + sizeof cmd->warrant_transfer);
    struct command_warrant_transfer *w = &cmd->warrant_transfer;
    int reason = account_own(c, &cmd->header.account);
    if (reason == REJECT_none) reason = account_named(c, "account", &w->to);
    if (reason != REJECT_none) return reason;
    w->allocation = (uint64_t)param_int(c, c->params, "allocation", 0);
    if (param_find(c, c->params, "amount") != 0 &&
        (param_decimal(c, c->params, "amount", 0, &w->lots.v) != DECIMAL_exact || w->lots.v < 1))
        return REJECT_invalid_amount;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    json_open_array(c->out); /* what stays, where the lots were split; then what moved */
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_allocation)
            allocation_answer(c, (const struct event_allocation *)(const void *)h, false);
    }
    json_close_array(c->out);
    return REJECT_none;
}

/* ---- notes ---- */

static void hour_answer(struct rpc_call *c, const struct event_delivery_hour *e)
{
    json_open_object(c->out);
    json_key_string(c->out, "instrument_name",
                    directory_name(c->names, DIRECTORY_instrument, e->instrument));
    delivery_hour_write(c->out, e);
    json_close_object(c->out);
}

/* A receipt, a verdict or a challenge is answered with its hour; a canary with its allocation. */
static int submitted(struct rpc_call *c)
{
    const struct outbox *events;
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_delivery_hour *h = event_find(events, EVENT_delivery_hour);
    const struct event_allocation *a = event_find(events, EVENT_allocation);
    bool canary = c->command->header.kind == COMMAND_verdict &&
                  c->command->verdict.kind == PROOF_canary;
    if (h != NULL && !canary) {
        hour_answer(c, h);
    } else if (a != NULL) {
        allocation_answer(c, a, false);
    } else {
        json_open_object(c->out);
        json_close_object(c->out);
    }
    return REJECT_none;
}

static int receipt_get(struct rpc_call *c, struct command_receipt *r)
{
    char text[NOTE_SIZE_MAX + 1];
    struct note_error error = {0};
    struct receipt note;
    size_t n;
    int reason = note_text(c, "receipt", text, &n);
    if (reason != REJECT_none) return reason;
    if (receipt_parse(&note, text, n, &error) != 0) return note_refuse(c, "receipt", &error);
    bool both = (note.signed_by & RECEIPT_SIGNED_buyer) != 0;
    int wrong = both ? receipt_verify(&note, &error) : receipt_verify_seller(&note, &error);
    if (wrong != 0) return note_refuse(c, "receipt", &error);
    r->allocation = note.allocation;
    r->hour = TS(note.hour * NS_PER_HOUR);
    r->instrument = directory_find_text(c->names, DIRECTORY_instrument, note.instrument);
    r->flags = both ? RECEIPT_BUYER_SIGNED : 0;
    r->tasks = note.tasks;
    r->flop_high = (uint64_t)(note.flop >> 64);
    r->flop_low = (uint64_t)note.flop;
    memcpy(r->root, note.root.v, sizeof r->root);
    memcpy(r->seller_key, note.seller, sizeof r->seller_key);
    memcpy(r->buyer_key, note.buyer, sizeof r->buyer_key);
    return REJECT_none;
}

int rpc_receipt_submit(struct rpc_call *c)
{
    struct command *cmd = command_begin(c, COMMAND_receipt,
                                        sizeof cmd->header + sizeof cmd->receipt);
    int reason = account_acting(c, &cmd->header.account);
    if (reason == REJECT_none) reason = receipt_get(c, &cmd->receipt);
    return reason != REJECT_none ? reason : submitted(c);
}

static int verdict_get(struct rpc_call *c, struct command_verdict *v)
{
    char text[NOTE_SIZE_MAX + 1];
    struct note_error error = {0};
    struct verdict note;
    size_t n;
    int reason = note_text(c, "verdict", text, &n);
    if (reason != REJECT_none) return reason;
    if (verdict_parse(&note, text, n, &error) != 0 || verdict_verify(&note, &error) != 0)
        return note_refuse(c, "verdict", &error);
    v->allocation = note.allocation;
    v->hour = TS(note.hour * NS_PER_HOUR);
    v->kind = (uint8_t)note.kind;
    v->outcome = (uint8_t)note.outcome;
    v->attested = (uint8_t)note.attested;
    v->bound_e6 = note.bound_ppm;
    v->tasks = note.tasks;
    v->sampled = note.sampled;
    v->failed = note.failed;
    v->flop_high = (uint64_t)(note.flop >> 64);
    v->flop_low = (uint64_t)note.flop;
    memcpy(v->root, note.root.v, sizeof v->root);
    memcpy(v->seed, note.seed, sizeof v->seed);
    memcpy(v->verifier_key, note.verifier, sizeof v->verifier_key);
    return REJECT_none;
}

/* Whoever brings it: it counts by the key that signed it. */
int rpc_proof_submit(struct rpc_call *c)
{
    struct command *cmd = command_begin(c, COMMAND_verdict,
                                        sizeof cmd->header + sizeof cmd->verdict);
    int reason = verdict_get(c, &cmd->verdict);
    return reason != REJECT_none ? reason : submitted(c);
}

/* The buyer's, or an auditor's. */
int rpc_proof_challenge(struct rpc_call *c)
{
    struct command *cmd = command_begin(c, COMMAND_proof_challenge,
                                        sizeof cmd->header + sizeof cmd->proof_challenge);
    struct command_proof_challenge *p = &cmd->proof_challenge;
    bool auditor = (c->caller->scopes & RPC_SCOPE_auditor) != 0;
    int reason = auditor ? REJECT_none : account_own(c, &cmd->header.account);
    if (reason == REJECT_none) reason = param_time(c, c->params, "hour", &p->hour);
    if (reason != REJECT_none) return reason;
    p->allocation = (uint64_t)param_int(c, c->params, "allocation", 0);
    param_text(c, c->params, "reason", p->reason, sizeof p->reason);
    return submitted(c);
}

/* ---- what anybody may know (DELIV-04) ---- */

uint32_t rpc_delivery_instrument(const struct event_header *event)
{
    const void *e = event;
    switch ((enum event_kind)event->kind) {
    case EVENT_notice: return ((const struct event_notice *)e)->instrument;
    case EVENT_allocation: return ((const struct event_allocation *)e)->instrument;
    case EVENT_delivery_hour: return ((const struct event_delivery_hour *)e)->instrument;
    case EVENT_delivery_cash: return ((const struct event_delivery_cash *)e)->instrument;
    default: return 0;
    }
}

void rpc_write_delivery(struct json_writer *w, const struct directory *d,
                        const struct event_header *event)
{
    const void *e = event;
    json_open_object(w);
    json_key_string(w, "type", event_kind_name((enum event_kind)event->kind));
    json_key_string(w, "instrument_name",
                    directory_name(d, DIRECTORY_instrument, rpc_delivery_instrument(event)));
    switch ((enum event_kind)event->kind) {
    case EVENT_notice: notice_write(w, e); break;
    case EVENT_allocation: allocation_write(w, e); break;
    case EVENT_delivery_hour: delivery_hour_write(w, e); break;
    default: delivery_cash_write(w, e); break;
    }
    json_close_object(w);
}

static void event_write(struct rpc_call *c, const struct event_header *h, enum event_kind kind)
{
    const void *e = h;
    if (h->kind != kind) return;
    if (kind == EVENT_allocation) {
        allocation_answer(c, e, false);
    } else if (kind == EVENT_delivery_hour) {
        hour_answer(c, e);
    } else {
        json_open_object(c->out);
        if (kind == EVENT_notice) notice_write(c->out, e);
        else delivery_cash_write(c->out, e);
        json_close_object(c->out);
    }
}

static void events_write(struct rpc_call *c, const struct outbox *events, const char *key,
                         enum event_kind kind)
{
    json_key(c->out, key);
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h))
        event_write(c, h, kind);
    json_close_array(c->out);
}

int rpc_get_delivery(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_delivery};
    int reason = instrument_of(c, "instrument_name", &q.instrument);
    if (reason != REJECT_none) return reason;
    q.order_id = (uint64_t)param_int(c, c->params, "allocation", 0);
    if (q.order_id == 0 && q.instrument == 0) return malformed(c, "instrument_name");
    const struct outbox *events = query_ask(c, &q);
    if (q.order_id != 0 && event_find(events, EVENT_allocation) == NULL)
        return REJECT_unknown_allocation;
    json_open_object(c->out);
    if (q.order_id == 0) {
        events_write(c, events, "notices", EVENT_notice);
        events_write(c, events, "cash_settled", EVENT_delivery_cash);
    } else {
        events_write(c, events, "allocations", EVENT_allocation);
    }
    events_write(c, events, "hours", EVENT_delivery_hour);
    json_close_object(c->out);
    return REJECT_none;
}
