/* receipt.h: an hour's work, signed by seller and buyer (DELIV-02).
 *
 * Lines, in this order: allocation, instrument, hour, tasks, flop, root, seller, buyer; signed by
 * the seller, then by the buyer's gateway. With the seller's signature alone it is an offer of a
 * receipt, which parses and does not verify.
 *
 * Upstream: note. Downstream: gate (receipt_submit), work (agents), cli (verify).
 */
#ifndef DOJIMA_PROOF_RECEIPT_H
#define DOJIMA_PROOF_RECEIPT_H

#include "base/units.h"
#include "msg/command.h"
#include "proof/digest.h"
#include "proof/note.h"

struct receipt {
    uint128_t flop; /* of all its tasks; at least 1 */
    uint64_t allocation;
    uint64_t tasks; /* leaves under the root; at least 1 */
    int64_t hour;   /* hours since 1970-01-01T00Z */
    char instrument[INSTRUMENT_NAME_SIZE];
    struct digest root; /* commitment to every task (commit.h) */
    uint8_t seller[NOTE_KEY_SIZE];
    uint8_t buyer[NOTE_KEY_SIZE]; /* another than the seller's */
    uint8_t seller_signature[NOTE_SIGNATURE_SIZE];
    uint8_t buyer_signature[NOTE_SIGNATURE_SIZE];
    uint32_t signed_by; /* bits RECEIPT_SIGNED_* */
};

enum { RECEIPT_ROLE_seller = 0, RECEIPT_ROLE_buyer = 1 };
enum { RECEIPT_SIGNED_seller = 1, RECEIPT_SIGNED_buyer = 2, RECEIPT_SIGNED_both = 3 };

size_t receipt_encode(const struct receipt *r, char text[NOTE_SIZE_MAX]);
int receipt_parse(struct receipt *r, const char *text, size_t length, struct note_error *error);
int receipt_check(const struct receipt *r, struct note_error *error);
bool receipt_sign(struct receipt *r, uint32_t role, const uint8_t secret[NOTE_SECRET_SIZE]);
/* By both, with the keys that it names. */
int receipt_verify(const struct receipt *r, struct note_error *error);
/* By the seller alone: what the buyer's gateway asks before it signs too. */
int receipt_verify_seller(const struct receipt *r, struct note_error *error);

#endif
