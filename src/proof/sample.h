/* sample.h: which tasks a verifier opens, and what the result says of those it did not (DELIV-04).
 *
 * The sample is drawn without replacement from SHA-256(root || nonce), where the nonce is drawn
 * after the seller has signed the root: neither side can choose it. Draw number i is a 64-bit word,
 * big-endian, of SHA-256(seed || i / 4 as 8 bytes big-endian), its (i mod 4)-th; it is used modulo
 * b unless it is at or above the largest multiple of b, when the next is taken. Floyd's method:
 * for j from N - n to N - 1, t = draw below j + 1; j is chosen when t has been, else t.
 *
 * The bound is exact for a finite hour (hypergeometric): the largest number F of wrong tasks among
 * N with which `failed` or fewer of the n sampled would be wrong with more than 5 %, as F / N.
 * Where all are sampled it is failed / N. For N without end it becomes Clopper's and Pearson's. In
 * integers, so that it is the same everywhere; 5 % is met to one part in 10^12.
 *
 * Upstream: digest. Downstream: verdict; work (verifier), gate (publication), cli.
 */
#ifndef DOJIMA_PROOF_SAMPLE_H
#define DOJIMA_PROOF_SAMPLE_H

#include "proof/digest.h"

enum { SAMPLE_MAX = 65536, SAMPLE_PPM = 1000000 };

/* SHA-256(root || nonce). */
struct digest sample_seed(const struct digest *root, const uint8_t nonce[32]);

/* min(count, population) different indices below population, ascending; returns how many. */
uint32_t sample_choose(const struct digest *seed, uint64_t population, uint32_t count,
                       uint64_t *indices);

/* Upper bound of the share of wrong tasks, in 10^-6, rounded up, at 95 %, one-sided.
 * failed <= sampled <= tasks, sampled <= SAMPLE_MAX. Nothing sampled: 10^6. */
uint32_t sample_bound_ppm(uint64_t tasks, uint64_t sampled, uint64_t failed);

/* Whether it is that: a tenth of the time of finding it. */
bool sample_bound_right(uint64_t tasks, uint64_t sampled, uint64_t failed, uint32_t ppm);

/* How many of `tasks` (0: without end) must be sampled to see at least one wrong task with at least
 * `confidence_ppm` when a share of at least `rate_ppm` is wrong. */
uint64_t sample_size(uint64_t tasks, uint32_t rate_ppm, uint32_t confidence_ppm);

/* The chance, in 10^-6 rounded down, that a sample shows at least one of `wrong` among `tasks`. */
uint32_t sample_detection_ppm(uint64_t tasks, uint64_t wrong, uint64_t sampled);

#endif
