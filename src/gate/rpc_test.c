/* rpc_test.c: requests to commands, and what is refused before the machine is asked. The machine
 * here is a stub that keeps the last command; whole stories are in test/scenarios. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gate/rpc.h"

#include <stdio.h>
#include <string.h>

struct stub {
    struct venue venue;
    struct directory *names;
    struct rpc *rpc;
    struct rpc_caller caller;
    struct rpc_answer answer;
    struct command command; /* the last */
    struct outbox outbox;
    unsigned char bytes[1 << 16];
    enum reject reject; /* what the machine answers */
    int unavailable;
    int submitted;
    char text[1 << 16]; /* the answer */
};

static int stub_submit(void *context, struct command *c, const struct outbox **events)
{
    struct stub *s = context;
    if (s->unavailable) return -1;
    assert_true(command_is_valid(c, c->header.size));
    memset(&s->command, 0, sizeof s->command);
    memcpy(&s->command, c, c->header.size);
    s->submitted += 1;
    outbox_reset(&s->outbox, 42, TS(7));
    if (s->reject != REJECT_none) {
        struct event_reject *e = outbox_push(&s->outbox, EVENT_reject, sizeof *e);
        struct event_header h = e->header;
        *e = (struct event_reject){.header = h, .reason = (uint16_t)s->reject,
                                   .command = c->header.kind, .detail = 2500000};
    } else if (c->header.kind == COMMAND_order_new) {
        struct event_order *o = outbox_push(&s->outbox, EVENT_order, sizeof *o);
        struct event_header h = o->header;
        *o = (struct event_order){.header = h, .order_id = 9, .account = c->header.account,
                                  .instrument = c->order_new.instrument, .cause = CAUSE_new,
                                  .state = ORDER_STATE_open, .price = c->order_new.price,
                                  .qty = c->order_new.qty, .trigger = PRICE_NONE};
    }
    *events = &s->outbox;
    return 0;
}

static void stub_query(void *context, const struct query *q, const struct outbox **events)
{
    struct stub *s = context;
    (void)q;
    outbox_reset(&s->outbox, 41, TS(7));
    *events = &s->outbox;
}

static ts_t stub_now(void *context)
{
    (void)context;
    return TS(5000000);
}

static void names_fill(struct stub *s)
{
    outbox_reset(&s->outbox, 1, TS(1));
    struct event_product *p = outbox_push(&s->outbox, EVENT_product, sizeof *p);
    memset(&p->id, 0, sizeof *p - sizeof p->header);
    p->id = 1;
    memcpy(p->terms.name, "ZZ", 3);
    struct event_instrument *i = outbox_push(&s->outbox, EVENT_instrument, sizeof *i);
    memset(&i->id, 0, sizeof *i - sizeof i->header);
    i->id = 3;
    i->product = 1;
    i->period = PERIOD_month;
    i->tick = PRICE(500000);
    i->contract_size = 1000000;
    memcpy(i->name, "ZZ-2027M03", 11);
    assert_int_equal(directory_apply(s->names, &s->outbox), 0);
}

static int stub_open(void **state)
{
    static struct stub s;
    memset(&s, 0, sizeof s);
    s.outbox = (struct outbox){.bytes = s.bytes, .capacity = sizeof s.bytes};
    s.venue = (struct venue){.context = &s, .submit = stub_submit, .query = stub_query,
                        .now = stub_now};
    s.names = directory_open();
    s.rpc = rpc_open(&s.venue, s.names);
    s.caller = (struct rpc_caller){.scopes = RPC_SCOPE_all, .principal = 1, .account = 8};
    names_fill(&s);
    *state = &s;
    return 0;
}

static int stub_close(void **state)
{
    struct stub *s = *state;
    rpc_close(s->rpc);
    directory_close(s->names);
    return 0;
}

static const char *ask(struct stub *s, const char *request)
{
    rpc_handle(s->rpc, &s->caller, request, strlen(request), &s->answer);
    memcpy(s->text, s->answer.bytes, s->answer.length);
    s->text[s->answer.length] = 0;
    return s->text;
}

static const char *buy(struct stub *s, const char *params)
{
    char request[1024];
    snprintf(request, sizeof request,
             "{\"id\":1,\"method\":\"private/buy\",\"params\":"
             "{\"instrument_name\":\"ZZ-2027M03\",%s}}", params);
    return ask(s, request);
}

static void test_order_numbers(void **state)
{
    struct stub *s = *state;
    buy(s, "\"amount\":3,\"price\":0.1");
    assert_int_equal(s->answer.reason, REJECT_none);
    assert_int_equal(s->command.header.size, COMMAND_ORDER_NEW_BARE_SIZE);
    assert_int_equal(s->command.order_new.instrument, 3);
    assert_true(s->command.order_new.price.v == 100000 && s->command.order_new.qty.v == 3);
    assert_int_equal(s->command.order_new.flags, ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY);
    buy(s, "\"amount\":\"1.5\",\"price\":\"0.1000001\"");
    assert_int_equal(s->command.order_new.flags,
                     ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY | ORDER_FLAG_QTY_INEXACT |
                         ORDER_FLAG_PRICE_INEXACT);
    buy(s, "\"amount\":1e99,\"price\":-1e99");
    assert_true(s->command.order_new.flags & ORDER_FLAG_QTY_INEXACT);
    assert_true(s->command.order_new.price.v == -INT64_MAX);
    buy(s, "\"amount\":40.00,\"type\":\"pegged\",\"peg\":\"midpoint\",\"offset\":-3");
    assert_true(s->command.order_new.offset.v == -1500000);
    assert_int_equal(s->command.order_new.peg, PEG_midpoint);
    assert_true(s->command.order_new.qty.v == 40);
    buy(s, "\"amount\":1,\"label\":\"x\",\"smp_id\":7,\"smp_mode\":\"decrement\"");
    assert_int_equal(s->command.header.size, COMMAND_ORDER_NEW_TEXT_SIZE);
    assert_true(s->command.order_new.smp_id == 7);
    assert_int_equal(s->command.order_new.smp_mode, SMP_decrement);
    buy(s, "\"amount\":1,\"smp_id\":\"7\"");
    assert_true(s->command.order_new.smp_id == 7);
    buy(s, "\"amount\":1,\"smp_id\":\"seven\"");
    assert_true(s->command.order_new.smp_id >> 63 == 1);
}

static void test_malformed(void **state)
{
    struct stub *s = *state;
    static const struct {
        const char *params, *named;
    } bad[] = {
        {"\"amount\":1,\"colour\":{}", "\"param\":\"colour\""},
        {"\"amount\":\"1x\"", "\"param\":\"amount\""},
        {"\"amount\":true", "\"param\":\"amount\""},
        {"\"amount\":1,\"type\":\"stopp\"", "\"param\":\"type\""},
        {"\"amount\":1,\"post_only\":1", "\"param\":\"post_only\""},
        {"\"amount\":1,\"label\":5", "\"param\":\"label\""},
        {"\"amount\":1,\"label\":\"a\\nb\"", "\"param\":\"label\""},
        {"\"amount\":1,\"valid_until\":-1", "\"param\":\"valid_until\""},
        {"\"amount\":1,\"valid_until\":1.5", "\"param\":\"valid_until\""},
        {"\"amount\":1,\"trigger\":\"index_price\"", "\"param\":\"trigger\""},
        {"\"amount\":1,\"otoco_config\":[]", "\"param\":\"linked_order_type\""},
        {"\"amount\":1,\"client_order_id\":\"1234567890123456789012345678901234567890\"",
         "\"param\":\"client_order_id\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *text = buy(s, bad[i].params);
        if (s->answer.reason != REJECT_malformed_request || strstr(text, bad[i].named) == NULL)
            fail_msg("%s: %s", bad[i].params, text);
    }
    assert_int_equal(s->submitted, 0);
    assert_int_equal(s->answer.status, 400);
}

static void test_envelope(void **state)
{
    struct stub *s = *state;
    assert_string_equal(ask(s, "{\"id\":\"a\\\"\",\"method\":\"public/get_time\"}"),
                        "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"\",\"result\":5,\"seq\":41,"
                        "\"usIn\":5000,\"usOut\":5000,\"usDiff\":0,\"testnet\":false}");
    assert_non_null(strstr(ask(s, "{\"id\":null,\"method\":\"public/test\",\"params\":null}"),
                           "\"result\":{\"version\":\"0.1.0\",\"seq\":41}"));
    static const char *const bad[] = {
        "", "[]", "1", "{", "{\"id\":{},\"method\":\"public/test\"}", "{\"method\":1}",
        "{\"method\":\"public/test\",\"params\":[]}", "{\"id\":1}",
        "{\"jsonrpc\":\"1.0\",\"method\":\"public/test\"}",
        "{\"id\":1,\"id\":2,\"method\":\"public/test\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ask(s, bad[i]);
        if (s->answer.reason != REJECT_malformed_request) fail_msg("accepted: %s", bad[i]);
    }
    ask(s, "{\"method\":\"private/nothing\"}");
    assert_int_equal(s->answer.reason, REJECT_unknown_method);
}

static void test_scopes(void **state)
{
    struct stub *s = *state;
    s->caller.scopes = RPC_SCOPE_read;
    buy(s, "\"amount\":1");
    assert_int_equal(s->answer.reason, REJECT_unauthorised);
    assert_int_equal(s->answer.status, 401);
    ask(s, "{\"method\":\"private/get_positions\",\"params\":{\"account\":\"other\"}}");
    assert_int_equal(s->answer.reason, REJECT_unauthorised);
    s->caller.scopes = 0;
    ask(s, "{\"method\":\"private/get_positions\"}");
    assert_int_equal(s->answer.reason, REJECT_unauthorised);
    s->caller = (struct rpc_caller){.scopes = RPC_SCOPE_all, .principal = 1};
    buy(s, "\"amount\":1");
    assert_int_equal(s->answer.reason, REJECT_unknown_account);
    assert_int_equal(s->submitted, 0);
}

static void test_core_reject(void **state)
{
    struct stub *s = *state;
    s->reject = REJECT_insufficient_margin;
    const char *text = buy(s, "\"amount\":1,\"price\":1");
    assert_int_equal(s->answer.reason, REJECT_insufficient_margin);
    assert_int_equal(s->answer.seq, 42);
    assert_non_null(strstr(text, "\"code\":10009"));
    assert_non_null(strstr(text, "\"missing\":2.5"));
    assert_non_null(strstr(text, "\"rule\":\"CLEAR-08\""));
    s->unavailable = 1;
    buy(s, "\"amount\":1,\"price\":1");
    assert_true(s->answer.unavailable);
    assert_int_equal(s->answer.status, 503);
}

static void get(struct stub *s, const char *method, const char *query)
{
    struct rpc_request q;
    enum reject e = rpc_read_get(s->rpc, method, strlen(method), query, strlen(query), &q);
    if (e == REJECT_none) rpc_run(s->rpc, &s->caller, &q, &s->answer);
    else rpc_refuse(s->rpc, &s->caller, &q, e, NULL, &s->answer);
}

static void test_get(void **state)
{
    struct stub *s = *state;
    get(s, "private/sell",
        "instrument_name=ZZ-2027M03&amount=2&price=%2D0.5&post_only=true&label=a+b%26%22");
    assert_int_equal(s->answer.reason, REJECT_none);
    assert_int_equal(s->command.order_new.side, SIDE_sell);
    assert_true(s->command.order_new.price.v == -500000);
    assert_true(s->command.order_new.flags & ORDER_FLAG_POST_ONLY);
    assert_string_equal(s->command.order_new.label, "a b&\"");
    get(s, "private/mass_quote",
        "quotes=%5B%7B%22instrument_name%22:%22ZZ-2027M03%22,%22bid%22:%7B%22price%22:1,"
        "%22amount%22:2%7D%7D%5D");
    assert_int_equal(s->command.header.kind, COMMAND_mass_quote);
    assert_true(s->command.mass_quote.quotes[0].bid_qty.v == 2);
    get(s, "public/test", "a=%");
    assert_int_equal(s->answer.reason, REJECT_malformed_request);
    get(s, "public/get_time", "x=1");
    assert_int_equal(s->answer.reason, REJECT_malformed_request);
    get(s, "public/get_time", "x=1&x=2");
    assert_int_equal(s->answer.reason, REJECT_malformed_request);
    get(s, "public/get_time", "");
    assert_int_equal(s->answer.reason, REJECT_none);
}

static void test_directory_grows(void **state)
{
    struct stub *s = *state;
    for (uint32_t id = 4; id < 2000; id++) {
        outbox_reset(&s->outbox, 1, TS(1));
        struct event_account *a = outbox_push(&s->outbox, EVENT_account, sizeof *a);
        memset(&a->id, 0, sizeof *a - sizeof a->header);
        a->id = id;
        snprintf(a->name, sizeof a->name, "account%u", id);
        assert_int_equal(directory_apply(s->names, &s->outbox), 0);
    }
    for (uint32_t id = 4; id < 2000; id++) {
        char name[32];
        snprintf(name, sizeof name, "account%u", id);
        assert_int_equal(directory_find_text(s->names, DIRECTORY_account, name), id);
        assert_string_equal(directory_name(s->names, DIRECTORY_account, id), name);
    }
    assert_int_equal(directory_find_text(s->names, DIRECTORY_member, "account4"), 0);
    assert_int_equal(directory_find_text(s->names, DIRECTORY_account, "account2000"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order_numbers, stub_open, stub_close),
        cmocka_unit_test_setup_teardown(test_malformed, stub_open, stub_close),
        cmocka_unit_test_setup_teardown(test_envelope, stub_open, stub_close),
        cmocka_unit_test_setup_teardown(test_scopes, stub_open, stub_close),
        cmocka_unit_test_setup_teardown(test_core_reject, stub_open, stub_close),
        cmocka_unit_test_setup_teardown(test_get, stub_open, stub_close),
        cmocka_unit_test_setup_teardown(test_directory_grows, stub_open, stub_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
