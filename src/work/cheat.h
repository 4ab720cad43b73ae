/* cheat.h: sellers who do not do what they sign for: what the sampling must catch (DELIV-03), for
 * tests of detection and for demonstrations only.
 *
 *   garbage        random answers under random transcripts; nothing is computed
 *   reuse          every answer is that of the hour's first task
 *   skip           the upper half of the layers is passed over: their products are zeros
 *   truncate       the second half of the answer is made up, its rows of every product are zeros
 *   low-precision  products are rounded to eight bits, as in arithmetic too coarse to be exact
 *   replay         the same index of the hour before, under its nonce
 *   one-in-100     honest but for one task in a hundred, which is garbage
 *
 * Whoever commits to altered products opens just those: the opening then agrees with the
 * commitment, and the checker has to find the lie in the numbers. Which tasks are false follows
 * from the seed and the index alone, so that an opening is as false as the task was.
 *
 * Upstream: work. Downstream: deliver (--cheat), detection, tests.
 */
#ifndef DOJIMA_WORK_CHEAT_H
#define DOJIMA_WORK_CHEAT_H

#include "work/work.h"

enum cheat_kind {
    CHEAT_none = 0,
    CHEAT_garbage,
    CHEAT_reuse,
    CHEAT_skip,
    CHEAT_truncate,
    CHEAT_low_precision,
    CHEAT_replay,
    CHEAT_one_in_100,
    CHEAT_kind_count
};

struct cheat {
    enum cheat_kind kind;
    uint64_t seed;
};

/* "garbage", ...; "none". false: there is no such. */
bool cheat_parse(const char *name, enum cheat_kind *kind);
const char *cheat_name(enum cheat_kind kind);

/* Whether task `index` is false. */
bool cheat_is_false(const struct cheat *c, uint64_t index);

/* Does a task, or what passes for it. `first` is the spec of the hour's first task (CHEAT_reuse),
 * `before` that of the same index an hour before (CHEAT_replay); else NULL. An honest task costs
 * nothing more. 0, or -1 when the machine failed. */
int cheat_task_run(const struct cheat *c, struct work_engine *engine, uint64_t index,
                   const struct work_spec *spec, const struct work_spec *first,
                   const struct work_spec *before, struct work_result *result,
                   struct work_error *error);

/* As work_open, of a task that was done so: the steps that agree best with what was committed. */
int cheat_open(const struct cheat *c, struct work_engine *engine, uint64_t index,
               const struct work_spec *spec, const struct work_answer *answer,
               int (*step)(void *context, uint32_t index, const struct commit_step *step),
               void *context, struct work_error *error);

#endif
