/* certify_test.c: certificates from submission to their end (CERT-01, CERT-02), what they certify
 * (CERT-03), and a registry that is full. */
#include "core/compute_world_test.h"

enum { CERTIFIER_ONE = 1, CERTIFIER_TWO = 2, WORK = 1000 };

struct bench {
    struct world w;
    uint32_t provider;
    uint32_t other;
};

static struct bench bench_open(void)
{
    struct core_limits l = core_limits_small();
    struct bench b = {.w = world_open(&l)};
    b.provider = world_account(&b.w, "alice", "alpha");
    b.other = world_account(&b.w, "bob", "beta");
    assert_int_equal(compute_accredit(&b.w, "first", ROLE_certifier, CERTIFIER_ONE), REJECT_none);
    assert_int_equal(compute_accredit(&b.w, "second", ROLE_certifier, CERTIFIER_TWO), REJECT_none);
    return b;
}

static enum reject submit(struct bench *b, struct command *cmd, uint32_t account)
{
    return world_step(&b->w, cmd, COMMAND_certificate_submit, account);
}

static uint32_t faults_after(struct bench *b)
{
    const struct event_certificate *e = world_event(&b->w, EVENT_certificate);
    assert_non_null(e);
    assert_int_equal(e->status == CERTIFICATE_refused, e->faults != 0);
    return e->faults;
}

static enum reject end(struct bench *b, uint64_t certificate, uint32_t how, uint32_t account)
{
    struct command cmd = {.certificate_end = {.certificate = certificate, .how = how}};
    memcpy(cmd.certificate_end.reason, "because", 7);
    return world_step(&b->w, &cmd, COMMAND_certificate_end, account);
}

static void test_accepted_effective_lapsed(void **state)
{
    (void)state;
    struct bench b = bench_open();
    struct command cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    assert_int_equal(compute_status(&b.w, 1), CERTIFICATE_accepting);
    assert_int_equal(certificate_work(b.w.c, 1, b.w.ts.v / NS_PER_HOUR + 50), 0);
    assert_int_equal(core_due(b.w.c).v, b.w.ts.v + 48 * NS_PER_HOUR);
    compute_wait(&b.w, 48 * NS_PER_HOUR);
    assert_int_equal(compute_status(&b.w, 1), CERTIFICATE_effective);
    int64_t hour = b.w.ts.v / NS_PER_HOUR;
    assert_int_equal(certificate_work(b.w.c, 1, hour), WORK);
    assert_int_equal(certificate_work(b.w.c, 1, hour - 1), 0);
    assert_int_equal(certificate_work(b.w.c, 1, hour + 51), WORK);
    assert_int_equal(certificate_work(b.w.c, 1, hour + 52), 0); /* past its end */
    compute_wait(&b.w, 52 * NS_PER_HOUR);
    assert_int_equal(compute_status(&b.w, 1), CERTIFICATE_lapsed);
    assert_int_equal(core_due(b.w.c).v, INT64_MAX);
    world_close(&b.w);
}

static void test_renewal_leaves_no_gap(void **state)
{
    (void)state;
    struct bench b = bench_open();
    struct command cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 720);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    compute_wait(&b.w, 48 * NS_PER_HOUR + NS_PER_HOUR / 2);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_TWO, 2 * WORK, 720);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    compute_wait(&b.w, 48 * NS_PER_HOUR);
    assert_int_equal(compute_status(&b.w, 1), CERTIFICATE_superseded);
    assert_int_equal(compute_status(&b.w, 2), CERTIFICATE_effective);
    /* The hour that runs was certified without a gap. */
    assert_int_equal(certificate_work(b.w.c, 1, b.w.ts.v / NS_PER_HOUR), 2 * WORK);
    world_close(&b.w);
}

static void test_faults_are_kept(void **state)
{
    (void)state;
    struct bench b = bench_open();
    const struct {
        enum certificate_fault fault;
        int what;
    } cases[] = {{FAULT_expired, 0},           {FAULT_issued_in_the_future, 1},
                 {FAULT_valid_too_long, 2},    {FAULT_unknown_vintage, 3},
                 {FAULT_quick, 4},             {FAULT_measured_too_short, 5},
                 {FAULT_work_out_of_range, 6}, {FAULT_work_out_of_range, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct command cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
        struct certificate_terms *t = &cmd.certificate_submit.terms;
        switch (cases[i].what) {
        case 0: t->expires = TS(b.w.ts.v + 48 * NS_PER_HOUR); break; /* never in effect */
        case 1: t->issued = TS(b.w.ts.v + 1); break;
        case 2: t->expires = TS(b.w.ts.v + 30 * NS_PER_DAY + 1); break;
        case 3: t->class.vintage = 2025; break;
        case 4: t->quick = 1; break;
        case 5: t->duration_s = 599; break;
        case 6: t->work_per_hour = 0; break;
        default: t->work_per_hour = WORK_PER_HOUR_MAX + 1; break;
        }
        assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
        assert_int_equal(faults_after(&b), 1u << cases[i].fault);
        assert_int_equal(submit(&b, &cmd, b.provider), REJECT_replayed);
    }
    struct command cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
    assert_int_equal(submit(&b, &cmd, b.other), REJECT_none); /* it is alice's by now */
    assert_int_equal(faults_after(&b), 1u << FAULT_other_provider);
    world_close(&b.w);
}

static void test_who_certifies(void **state)
{
    (void)state;
    struct bench b = bench_open();
    struct command cmd = compute_certificate(&b.w, "rack", 9, WORK, 100);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_unknown_certifier);
    assert_int_equal(compute_accredit(&b.w, "nine", ROLE_verifier, 9), REJECT_none);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_unknown_certifier);
    assert_int_equal(compute_accredit(&b.w, "first", ROLE_certifier, 9), REJECT_already_exists);
    assert_int_equal(compute_accredit(&b.w, "other", ROLE_certifier, 1), REJECT_already_exists);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    struct command revoke = {.accredit = {.name = "first", .revoke = 1}};
    assert_int_equal(world_step(&b.w, &revoke, COMMAND_accredit, 0), REJECT_reason_needed);
    memcpy(revoke.accredit.reason, "sold", 4);
    assert_int_equal(world_step(&b.w, &revoke, COMMAND_accredit, 0), REJECT_none);
    assert_int_equal(faults_after(&b), 1u << FAULT_certifier_revoked);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_unknown_certifier);
    uint8_t key[PUBLIC_KEY_SIZE];
    compute_key(key, 9);
    assert_int_equal(certify_accredited(b.w.c, ROLE_verifier, key), 3);
    assert_int_equal(certify_accredited(b.w.c, ROLE_certifier, key), NIL);
    world_close(&b.w);
}

static void test_appeal_reverses_a_decertification(void **state)
{
    (void)state;
    struct bench b = bench_open();
    struct command cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 700);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    compute_wait(&b.w, 48 * NS_PER_HOUR);
    assert_int_equal(end(&b, 1, CERTIFICATE_END_decertify, 0), REJECT_none);
    assert_int_equal(compute_status(&b.w, 1), CERTIFICATE_effective); /* until a second officer */
    assert_int_equal(world_confirm(&b.w, b.w.c->s->request_id, 2), REJECT_none);
    assert_int_equal(compute_status(&b.w, 1), CERTIFICATE_decertified);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_TWO, WORK, 700);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none); /* not as an appeal */
    assert_int_equal(faults_after(&b), 1u << FAULT_decertified);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 700);
    cmd.certificate_submit.appeals = 1;
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_same_certifier);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_TWO, WORK, 700);
    cmd.certificate_submit.appeals = 1;
    cmd.certificate_submit.terms.class.grade = GRADE_offline;
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    assert_int_equal(faults_after(&b), 1u << FAULT_other_class);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_TWO, WORK, 700);
    cmd.certificate_submit.appeals = 1;
    assert_int_equal(submit(&b, &cmd, b.other), REJECT_unknown_certificate);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    compute_wait(&b.w, 48 * NS_PER_HOUR);
    assert_int_equal(compute_status(&b.w, 4), CERTIFICATE_effective);
    uint32_t place = certificate_find(b.w.c, 1);
    assert_int_equal(b.w.c->certify.certificates[place].reversed_by, 4);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_TWO, WORK, 700);
    cmd.certificate_submit.appeals = 1;
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_unknown_certificate); /* reversed */
    world_close(&b.w);
}

static void test_appeals_end(void **state)
{
    (void)state;
    struct bench b = bench_open();
    struct command cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
    cmd.certificate_submit.terms.quick = 1;
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    compute_wait(&b.w, 14 * NS_PER_DAY + 1);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_TWO, WORK, 100);
    cmd.certificate_submit.appeals = 1;
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_appeal_too_late);
    cmd.certificate_submit.appeals = 7;
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_unknown_certificate);
    world_close(&b.w);
}

static void test_ended_by_order(void **state)
{
    (void)state;
    struct bench b = bench_open();
    struct command cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    assert_int_equal(end(&b, 1, CERTIFICATE_END_withdraw, b.other), REJECT_unknown_certificate);
    assert_int_equal(end(&b, 1, CERTIFICATE_END_decertify, 0), REJECT_unknown_certificate);
    assert_int_equal(end(&b, 1, CERTIFICATE_END_refuse, 0), REJECT_none);
    assert_int_equal(faults_after(&b), 1u << FAULT_by_officer);
    assert_int_equal(end(&b, 1, CERTIFICATE_END_refuse, 0), REJECT_unknown_certificate);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    assert_int_equal(end(&b, 2, CERTIFICATE_END_withdraw, b.provider), REJECT_none);
    assert_int_equal(compute_status(&b.w, 2), CERTIFICATE_withdrawn);
    world_close(&b.w);
}

/* What is finished gives its place to a new one, once nobody could show it again. */
static void test_a_full_registry(void **state)
{
    (void)state;
    struct bench b = bench_open();
    uint32_t most = b.w.c->certify.certificate_max;
    for (uint32_t i = 0; i < most; i++) {
        struct command cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
        cmd.certificate_submit.terms.quick = 1;
        assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    }
    struct command cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_capacity_exhausted);
    compute_wait(&b.w, 101 * NS_PER_HOUR);
    cmd = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
    assert_int_equal(submit(&b, &cmd, b.provider), REJECT_none);
    assert_int_equal(compute_status(&b.w, 1), CERTIFICATE_none); /* the oldest is gone */
    assert_int_equal(compute_status(&b.w, most + 1), CERTIFICATE_accepting);
    world_close(&b.w);
}

static void test_settings_loosen_by_two(void **state)
{
    (void)state;
    struct bench b = bench_open();
    struct command cmd = {.certification_set = {.flags = CERTIFICATION_HAS_QUICK}};
    cmd.certification_set.settings.quick = 1;
    assert_int_equal(world_step(&b.w, &cmd, COMMAND_certification_set, 0), REJECT_reason_needed);
    memcpy(cmd.certification_set.reason, "a try", 5);
    assert_int_equal(world_step(&b.w, &cmd, COMMAND_certification_set, 0), REJECT_none);
    assert_int_equal(b.w.c->certify.s->settings.quick, 0);
    assert_int_equal(world_confirm(&b.w, b.w.c->s->request_id, 2), REJECT_none);
    assert_int_equal(b.w.c->certify.s->settings.quick, 1);
    struct command regions = {.certification_set = {.flags = CERTIFICATION_HAS_REGIONS}};
    regions.certification_set.settings.region_count = 1;
    memcpy(regions.certification_set.settings.regions[0], "jp", 2);
    assert_int_equal(world_step(&b.w, &regions, COMMAND_certification_set, 0), REJECT_none);
    struct command one = compute_certificate(&b.w, "rack", CERTIFIER_ONE, WORK, 100);
    assert_int_equal(submit(&b, &one, b.provider), REJECT_none);
    assert_int_equal(faults_after(&b), 1u << FAULT_unknown_region);
    struct command none = {.certification_set = {.flags = CERTIFICATION_HAS_VINTAGES}};
    assert_int_equal(world_step(&b.w, &none, COMMAND_certification_set, 0),
                     REJECT_malformed_request);
    world_close(&b.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted_effective_lapsed),
        cmocka_unit_test(test_renewal_leaves_no_gap),
        cmocka_unit_test(test_faults_are_kept),
        cmocka_unit_test(test_who_certifies),
        cmocka_unit_test(test_appeal_reverses_a_decertification),
        cmocka_unit_test(test_appeals_end),
        cmocka_unit_test(test_ended_by_order),
        cmocka_unit_test(test_a_full_registry),
        cmocka_unit_test(test_settings_loosen_by_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
