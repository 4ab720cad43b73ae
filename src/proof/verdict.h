/* verdict.h: what a verifier says of an hour after it has looked (DELIV-03, DELIV-04).
 *
 * Lines, in this order: allocation, hour, root, kind, seed, tasks, sampled, failed, bound-ppm,
 * flop, attested, outcome, verifier; signed by the verifier.
 *
 * `bound-ppm` is sample_bound_ppm of the three numbers before it (10^6 where nothing was answered),
 * and a verdict in which it is not is refused: nobody can publish a better bound than the sample
 * gives.
 *
 * Upstream: note, sample. Downstream: gate (proof_submit), work (the verifier), cli (verify).
 */
#ifndef DOJIMA_PROOF_VERDICT_H
#define DOJIMA_PROOF_VERDICT_H

#include "base/units.h"
#include "msg/delivery.h"
#include "proof/digest.h"
#include "proof/note.h"

struct verdict {
    uint128_t flop; /* verified: what the hour counts for; 0 when falsified or unanswered */
    uint64_t allocation;
    int64_t hour; /* hours since 1970-01-01T00Z */
    uint64_t tasks, sampled, failed; /* failed <= sampled <= tasks */
    struct digest root; /* of the receipt */
    uint8_t seed[32];   /* the verifier's nonce: with the root it gives the sample (sample.h) */
    uint32_t kind;      /* enum proof_kind */
    uint32_t outcome;   /* enum proof_outcome */
    uint32_t attested;  /* 1: the hardware attested itself (DELIV-04) */
    uint32_t bound_ppm; /* upper bound of the share of wrong tasks, 95 %, one-sided, in 10^-6 */
    uint32_t signed_by; /* bit 0: the verifier */
    uint8_t verifier[NOTE_KEY_SIZE];
    uint8_t signature[NOTE_SIGNATURE_SIZE];
};

enum { VERDICT_ROLE_verifier = 0, VERDICT_SIGNED = 1 };

/* Sets bound_ppm from tasks, sampled, failed and outcome; 10^6 where nothing was answered. */
void verdict_set_bound(struct verdict *v);

size_t verdict_encode(const struct verdict *v, char text[NOTE_SIZE_MAX]);
int verdict_parse(struct verdict *v, const char *text, size_t length, struct note_error *error);
int verdict_check(const struct verdict *v, struct note_error *error);
bool verdict_sign(struct verdict *v, const uint8_t secret[NOTE_SECRET_SIZE]);
/* Signed by the key that it names. Whether that verifier is accredited, only the venue knows. */
int verdict_verify(const struct verdict *v, struct note_error *error);

#endif
