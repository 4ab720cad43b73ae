/* remargin.h: the margin of very many accounts of futures at once: the same numbers as
 * requirement.h gives one by one, as fast as the arithmetic allows.
 *
 * The work is a sparse-dense product: positions (few an account) times scenarios (instruments x
 * moves), followed by a selection of the tail. Scenarios lie in tiles of 64 moves that stay in the
 * first-level cache while a block of accounts passes over them; profits of a block stay in the
 * second-level cache until its tails are selected; nothing of accounts x scenarios ever reaches
 * memory. Mirrored moves need no scenarios of their own: the worst of x and -x are the greatest
 * |x|. The tail is selected without sorting: 64 interleaved maxima give a bound that at least k
 * values reach; what reaches it is compacted (some forty of 1,250); the greatest k of those count.
 *
 * Error. Arithmetic is float64 without fused operations, in the order of positions; the profit of
 * an account in a scenario is within (h + 2) 2^-53 of its gross |lots| x move, for h positions:
 * below 1.4e-15 for ten. Results are rounded up to micro-USD; they agree with requirement.h to
 * 2 micro-USD in each part (a tail is summed in another order).
 *
 * Invariant: results do not depend on the number of threads nor on the processor's vectors.
 *
 * Upstream: risk. Downstream: bench; whatever needs what drives a margin takes requirement.h.
 */
#ifndef DOJIMA_QUANT_REMARGIN_H
#define DOJIMA_QUANT_REMARGIN_H

#include "quant/requirement.h"

enum { REMARGIN_THREADS_MAX = 64, REMARGIN_INSTRUMENTS_MAX = 1024 };

struct remargin {
    const struct risk *risk;         /* at its today */
    const struct position *positions; /* futures; account a holds [first[a], first[a + 1]) */
    const uint32_t *first;           /* accounts + 1 */
    uint32_t accounts;
    const int64_t *credits;          /* micro-USD by account; NULL: none */
    uint32_t threads;
};

/* Fills out[accounts]; `worst` and `worst_loss` of its measures are not set. -1 and the sentence
 * when there are options, no memory, or an amount is beyond the ledger. */
int remargin_run(const struct remargin *m, struct requirement *out, struct quant_error *error);

/* Only the product, of the same arrays by the same code: what remargin_run is measured against.
 * profits NULL: left in each block's own buffer, as remargin_run does; else stored at
 * profits[account][scenario], as a library's product would. */
int remargin_product(const struct remargin *m, double *profits, struct quant_error *error);

/* The vectors in use: "avx512", "avx2" or "scalar". */
const char *remargin_vectors(void);

#endif
