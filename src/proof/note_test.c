/* note_test.c: certificates, receipts and verdicts as text: one form, every refusal with its
 * reason, signatures that hold over exactly these bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "proof/note_random_test.h"

#include <stdio.h>
#include <string.h>

enum { ROUNDS = 2000 };

static const char receipt_text[] =
    "dojima receipt 1\n"
    "allocation 17\n"
    "instrument CTP-2027D0104-PK\n"
    "hour 2027-01-04T14:00:00Z\n"
    "tasks 120\n"
    "flop 340282366920938463463374607\n"
    "root 00000000000000000000000000000000000000000000000000000000000000ff\n"
    "seller 1111111111111111111111111111111111111111111111111111111111111111\n"
    "buyer 2222222222222222222222222222222222222222222222222222222222222222\n"
    "--\n";

static void test_known_receipt(void **state)
{
    (void)state;
    struct receipt r;
    struct note_error e;
    char text[NOTE_SIZE_MAX];
    assert_int_equal(receipt_parse(&r, receipt_text, sizeof receipt_text - 1, &e), 0);
    assert_int_equal(r.allocation, 17);
    assert_int_equal(r.tasks, 120);
    assert_string_equal(r.instrument, "CTP-2027D0104-PK");
    assert_int_equal(r.hour, 1799071200 / 3600);
    assert_true(r.flop == (uint128_t)UINT64_C(340282366920938463) * 1000000000 + 463374607);
    assert_int_equal(r.root.v[31], 255);
    assert_int_equal(r.signed_by, 0);
    assert_int_equal(receipt_encode(&r, text), sizeof receipt_text - 1);
    assert_memory_equal(text, receipt_text, sizeof receipt_text - 1);
    assert_int_equal(receipt_verify(&r, &e), NOTE_unsigned);
    assert_string_equal(e.text, "is not signed by the seller");
}

/* Another text in place of one part of the receipt, and why it is refused. */
static void refused(const char *from, const char *to, int code)
{
    static char text[3 * NOTE_SIZE_MAX];
    struct receipt r;
    struct note_error e = {0};
    const char *at = strstr(receipt_text, from);
    assert_non_null(at);
    int n = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - receipt_text), receipt_text, to,
                     at + strlen(from));
    int got = receipt_parse(&r, text, (size_t)n, &e);
    if (got != code) print_error("`%s` for `%s`: %d (%s), not %d\n", to, from, got, e.text, code);
    assert_int_equal(got, code);
    assert_int_equal(e.code, code);
    assert_true(e.text[0] != 0);
}

static void test_refusals(void **state)
{
    (void)state;
    refused("dojima receipt 1", "dojima receipt 2", NOTE_unknown_version);
    refused("dojima receipt 1", "dojima receipt 10", NOTE_unknown_version);
    refused("dojima receipt 1", "dojima verdict 1", NOTE_unknown_type);
    refused("dojima receipt 1", "dojima receipts 1", NOTE_unknown_type);
    refused("dojima receipt 1", "Dojima receipt 1", NOTE_not_a_note);
    refused("allocation 17", "allocation 017", NOTE_bad_number);
    refused("allocation 17", "allocation -17", NOTE_bad_number);
    refused("allocation 17", "allocation +17", NOTE_bad_number);
    refused("allocation 17", "allocation 17.0", NOTE_bad_number);
    refused("allocation 17", "allocation 1e1", NOTE_bad_number);
    refused("allocation 17", "allocation NaN", NOTE_bad_number);
    refused("allocation 17", "allocation inf", NOTE_bad_number);
    refused("allocation 17", "allocation ", NOTE_bad_number);
    refused("allocation 17", "allocation  17", NOTE_bad_number);
    refused("allocation 17", "allocation 17 ", NOTE_bad_number);
    refused("allocation 17", "allocation 17\r", NOTE_bad_number);
    refused("allocation 17", "allocation 9223372036854775808", NOTE_bad_number);
    refused("allocation 17\n", "", NOTE_wrong_key);
    refused("allocation 17", "Allocation 17", NOTE_wrong_key);
    refused("allocation 17", "allocation 17\nallocation 17", NOTE_wrong_key);
    refused("tasks 120", "tasks 0", NOTE_inconsistent);
    refused("flop 340282366920938463463374607", "flop 0", NOTE_inconsistent);
    refused("flop 3402", "flop 99999999999999999999999999993402", NOTE_bad_number);
    refused("CTP-2027D0104-PK", "CTP 2027", NOTE_bad_text);
    refused("CTP-2027D0104-PK", "CTP\xc3\xa9", NOTE_bad_text);
    refused("CTP-2027D0104-PK", "", NOTE_bad_text);
    refused("CTP-2027D0104-PK", "C234567890123456789012345678901234567890123456789012345678901234",
            NOTE_bad_text);
    refused("14:00:00Z", "14:00:01Z", NOTE_bad_time);
    refused("14:00:00Z", "14:00:00.0Z", NOTE_bad_time);
    refused("14:00:00Z", "14:00:00+00:00", NOTE_bad_time);
    refused("14:00:00Z", "14:00:00z", NOTE_bad_time);
    refused("2027-01-04", "2027-02-29", NOTE_bad_time);
    refused("2027-01-04", "1969-01-04", NOTE_bad_time);
    refused("0000ff", "0000FF", NOTE_bad_hex);
    refused("0000ff", "0000f", NOTE_bad_hex);
    refused("0000ff", "0000fff", NOTE_bad_hex);
    refused("seller 1111", "seller 111", NOTE_bad_hex);
    refused("seller 1111", "seller 111g", NOTE_bad_hex);
    refused("--\n", "-\n", NOTE_wrong_key);
    refused("--\n", "--\nseller-signature 00\n", NOTE_bad_hex);
    refused("--\n", "--\nverifier-signature 00\n", NOTE_wrong_key);
    refused("--\n", "--\n\n", NOTE_wrong_key);
    refused("--\n", "", NOTE_truncated);
    refused("--\n", "--", NOTE_truncated);
}

static void test_one_key_for_both(void **state)
{
    (void)state;
    refused("2222222222222222222222222222222222222222222222222222222222222222",
            "1111111111111111111111111111111111111111111111111111111111111111", NOTE_inconsistent);
}

/* Every prefix is refused as truncated; what is too long, as that. */
static void test_lengths(void **state)
{
    (void)state;
    static char text[NOTE_SIZE_MAX + 2];
    struct receipt r;
    struct note_error e;
    for (size_t n = 0; n < sizeof receipt_text - 1; n++)
        assert_int_equal(receipt_parse(&r, receipt_text, n, &e), NOTE_truncated);
    memset(text, 'a', sizeof text);
    memcpy(text, receipt_text, sizeof receipt_text - 1);
    assert_int_equal(receipt_parse(&r, text, NOTE_SIZE_MAX + 1, &e), NOTE_oversized);
}

/* Random notes of every type: written, read, the same; both signatures hold. */
static void test_round_trip(void **state)
{
    (void)state;
    struct random random = {1};
    for (int i = 0; i < ROUNDS; i++) {
        char text[NOTE_SIZE_MAX], again[NOTE_SIZE_MAX];
        struct note_error e;
        struct certificate c, c2;
        struct receipt r, r2;
        struct verdict v, v2;
        certificate_random(&c, &random);
        size_t n = certificate_encode(&c, text);
        assert_int_equal(note_type_of(text, n), NOTE_certificate);
        assert_int_equal(certificate_parse(&c2, text, n, &e), 0);
        assert_int_equal(certificate_encode(&c2, again), n);
        assert_memory_equal(text, again, n);
        assert_int_equal(certificate_verify(&c2, &e), 0);
        receipt_random(&r, &random);
        n = receipt_encode(&r, text);
        assert_int_equal(note_type_of(text, n), NOTE_receipt);
        assert_int_equal(receipt_parse(&r2, text, n, &e), 0);
        assert_int_equal(receipt_encode(&r2, again), n);
        assert_memory_equal(text, again, n);
        assert_int_equal(receipt_verify(&r2, &e), 0);
        assert_int_equal(verdict_parse(&v2, receipt_text, n, &e), NOTE_unknown_type);
        verdict_random(&v, &random);
        n = verdict_encode(&v, text);
        assert_int_equal(note_type_of(text, n), NOTE_verdict);
        assert_int_equal(verdict_parse(&v2, text, n, &e), 0);
        assert_int_equal(verdict_encode(&v2, again), n);
        assert_memory_equal(text, again, n);
        assert_int_equal(verdict_verify(&v2, &e), 0);
    }
}

/* One byte changed anywhere in a signed note: it is refused, or a signature no longer holds. */
static void test_tampering(void **state)
{
    (void)state;
    struct random random = {2};
    struct note_error e;
    struct receipt r, r2;
    char text[NOTE_SIZE_MAX];
    receipt_random(&r, &random);
    size_t n = receipt_encode(&r, text);
    size_t parsed = 0;
    for (size_t at = 0; at < n; at++) {
        for (int way = 0; way < 3; way++) {
            char kept = text[at];
            text[at] = way == 0 ? (char)(kept ^ 1) : way == 1 ? (char)(kept ^ 0x20) : '0';
            if (text[at] != kept && receipt_parse(&r2, text, n, &e) == 0) {
                parsed += 1;
                assert_int_equal(receipt_verify(&r2, &e), NOTE_bad_signature);
            }
            text[at] = kept;
        }
    }
    assert_true(parsed > 100); /* or nothing was tried */
    assert_int_equal(receipt_parse(&r2, text, n, &e), 0);
    assert_int_equal(receipt_verify(&r2, &e), 0);
}

/* A signature is worth nothing under another role, type or key. */
static void test_foreign_signatures(void **state)
{
    (void)state;
    struct random random = {3};
    struct note_error e;
    struct receipt r;
    struct verdict v;
    uint8_t secret[NOTE_SECRET_SIZE], key[NOTE_KEY_SIZE], seed[NOTE_SEED_SIZE] = {9};
    receipt_random(&r, &random);
    struct receipt swapped = r;
    memcpy(swapped.seller_signature, r.buyer_signature, NOTE_SIGNATURE_SIZE);
    assert_int_equal(receipt_verify(&swapped, &e), NOTE_bad_signature);
    assert_non_null(strstr(e.text, "seller"));
    swapped = r;
    memcpy(swapped.buyer_signature, r.seller_signature, NOTE_SIGNATURE_SIZE);
    assert_int_equal(receipt_verify(&swapped, &e), NOTE_bad_signature);
    assert_non_null(strstr(e.text, "buyer"));
    assert_int_equal(receipt_verify_seller(&swapped, &e), 0);
    note_keys(seed, key, secret);
    assert_false(receipt_sign(&r, RECEIPT_ROLE_seller, secret));
    verdict_random(&v, &random);
    memcpy(v.verifier, r.seller, NOTE_KEY_SIZE);
    memcpy(v.signature, r.seller_signature, NOTE_SIGNATURE_SIZE);
    assert_int_equal(verdict_verify(&v, &e), NOTE_bad_signature);
}

/* Groups of small order make keys whose signature anyone can make; they are refused. */
static void test_weak_key(void **state)
{
    (void)state;
    struct random random = {4};
    struct note_error e;
    struct certificate c;
    certificate_random(&c, &random);
    memset(c.certifier, 0, sizeof c.certifier); /* a point of order 4 */
    memset(c.signature, 0, sizeof c.signature);
    assert_int_equal(certificate_verify(&c, &e), NOTE_bad_signature);
    c.certifier[0] = 1; /* the identity */
    c.signature[0] = 1; /* R = identity, S = 0 fits every message */
    assert_int_equal(certificate_verify(&c, &e), NOTE_bad_signature);
}

static void test_verdict_together(void **state)
{
    (void)state;
    struct random random = {5};
    struct note_error e;
    struct verdict v, w;
    verdict_random(&v, &random);
    v.tasks = 1000;
    v.sampled = 90;
    v.failed = 0;
    v.outcome = PROOF_ok;
    v.flop = 1;
    verdict_set_bound(&v);
    assert_int_equal(verdict_check(&v, &e), 0);
    w = v, w.bound_ppm -= 1;
    assert_int_equal(verdict_check(&w, &e), NOTE_inconsistent);
    w = v, w.bound_ppm += 1;
    assert_int_equal(verdict_check(&w, &e), NOTE_inconsistent);
    w = v, w.sampled = 1001;
    assert_int_equal(verdict_check(&w, &e), NOTE_inconsistent);
    w = v, w.failed = 91;
    assert_int_equal(verdict_check(&w, &e), NOTE_inconsistent);
    w = v, w.failed = 1; /* ok, with one that failed */
    assert_int_equal(verdict_check(&w, &e), NOTE_inconsistent);
    w = v, w.outcome = PROOF_falsified;
    assert_int_equal(verdict_check(&w, &e), NOTE_inconsistent);
    w = v, w.outcome = PROOF_no_answer;
    assert_int_equal(verdict_check(&w, &e), NOTE_inconsistent);
    w.flop = 0;
    verdict_set_bound(&w);
    assert_int_equal(verdict_check(&w, &e), 0);
    assert_int_equal(w.bound_ppm, 1000000);
}

static void test_certificate_together(void **state)
{
    (void)state;
    struct random random = {6};
    struct note_error e;
    struct certificate c, d;
    certificate_random(&c, &random);
    d = c, d.expires = d.issued;
    assert_int_equal(certificate_check(&d, &e), NOTE_inconsistent);
    d = c, d.work = 0;
    assert_int_equal(certificate_check(&d, &e), NOTE_inconsistent);
    d = c, d.grade = 3;
    assert_int_equal(certificate_check(&d, &e), NOTE_bad_word);
    d = c, d.issued.v += 1;
    assert_int_equal(certificate_check(&d, &e), NOTE_bad_time);
    d = c, memset(d.hardware, 'h', sizeof d.hardware);
    assert_int_equal(certificate_check(&d, &e), NOTE_bad_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_receipt),      cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_one_key_for_both),   cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_round_trip),         cmocka_unit_test(test_tampering),
        cmocka_unit_test(test_foreign_signatures), cmocka_unit_test(test_weak_key),
        cmocka_unit_test(test_verdict_together),   cmocka_unit_test(test_certificate_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
