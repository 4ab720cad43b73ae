/* note_random_test.h: random notes that are valid and signed, for tests and benchmarks. */
#ifndef DOJIMA_PROOF_NOTE_RANDOM_TEST_H
#define DOJIMA_PROOF_NOTE_RANDOM_TEST_H

#include "base/assert.h"
#include "base/random.h"
#include "proof/certificate.h"
#include "proof/receipt.h"
#include "proof/sample.h"
#include "proof/verdict.h"

#include <string.h>

static inline void bytes_random(uint8_t *bytes, size_t size, struct random *r)
{
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)random_next(r);
}

static inline void text_random(char *text, size_t size, bool name, struct random *r)
{
    static const char some[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
                               " !\"#$%&'()*+,/:;<=>?@[]^`{|}~";
    size_t length = 1 + random_below(r, size - 1);
    memset(text, 0, size);
    for (size_t i = 0; i < length; i++)
        text[i] = some[random_below(r, name ? 65 : sizeof some - 1)];
    if (text[0] == ' ') text[0] = 'x';
    if (text[length - 1] == ' ') text[length - 1] = 'x';
}

static inline void keys_random(uint8_t key[NOTE_KEY_SIZE], uint8_t secret[NOTE_SECRET_SIZE],
                               struct random *r)
{
    uint8_t seed[NOTE_SEED_SIZE];
    bytes_random(seed, sizeof seed, r);
    note_keys(seed, key, secret);
}

/* Of any size, small and large alike. */
static inline uint64_t number_random(struct random *r)
{
    return random_next(r) >> (1 + random_below(r, 63));
}

static inline void certificate_random(struct certificate *c, struct random *r)
{
    uint8_t secret[NOTE_SECRET_SIZE];
    memset(c, 0, sizeof *c);
    text_random(c->resource, sizeof c->resource, true, r);
    text_random(c->provider, sizeof c->provider, true, r);
    text_random(c->site, sizeof c->site, false, r);
    text_random(c->region, sizeof c->region, true, r);
    text_random(c->hardware, sizeof c->hardware, false, r);
    bytes_random(c->evidence, sizeof c->evidence, r);
    c->vintage = (uint32_t)number_random(r);
    c->grade = (uint32_t)random_below(r, 3);
    c->quick = (uint32_t)random_below(r, 2);
    c->duration_s = 1 + (uint32_t)number_random(r) / 2;
    c->work = 1 + number_random(r) / 2;
    c->issued = TS((int64_t)random_below(r, 4000000000) * NS_PER_SECOND);
    c->expires = TS(c->issued.v + (1 + (int64_t)random_below(r, 4000000)) * NS_PER_SECOND);
    keys_random(c->certifier, secret, r);
    ASSERT(certificate_sign(c, secret));
}

static inline void receipt_random(struct receipt *v, struct random *r)
{
    uint8_t seller[NOTE_SECRET_SIZE], buyer[NOTE_SECRET_SIZE];
    memset(v, 0, sizeof *v);
    v->flop = 1 + (((uint128_t)number_random(r) << 62) | number_random(r)) / 2;
    v->allocation = number_random(r);
    v->tasks = 1 + number_random(r) / 2;
    v->hour = (int64_t)random_below(r, 2000000);
    text_random(v->instrument, sizeof v->instrument, true, r);
    bytes_random(v->root.v, sizeof v->root.v, r);
    keys_random(v->seller, seller, r);
    keys_random(v->buyer, buyer, r);
    ASSERT(receipt_sign(v, RECEIPT_ROLE_seller, seller));
    ASSERT(receipt_sign(v, RECEIPT_ROLE_buyer, buyer));
}

static inline void verdict_random(struct verdict *v, struct random *r)
{
    uint8_t secret[NOTE_SECRET_SIZE];
    memset(v, 0, sizeof *v);
    v->allocation = number_random(r);
    v->hour = (int64_t)random_below(r, 2000000);
    v->tasks = 1 + number_random(r) / 2;
    v->sampled = 1 + random_below(r, v->tasks < 600 ? v->tasks : 600);
    v->outcome = (uint32_t)random_below(r, 4);
    v->failed = v->outcome == PROOF_falsified ? 1 + random_below(r, v->sampled) : 0;
    v->flop = v->outcome > PROOF_short ? 0 : 1 + (uint128_t)number_random(r) * 1000000007 / 2;
    v->attested = (uint32_t)random_below(r, 2);
    v->kind = (uint32_t)random_below(r, 3);
    bytes_random(v->root.v, sizeof v->root.v, r);
    bytes_random(v->seed, sizeof v->seed, r);
    verdict_set_bound(v);
    keys_random(v->verifier, secret, r);
    ASSERT(verdict_sign(v, secret));
}

#endif
