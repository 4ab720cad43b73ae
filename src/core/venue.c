/* venue.c: settings of the whole venue, and that a protection once on stays on; GUARD-05.
 *
 * Tightening needs one officer; loosening two, with a reason; switching off is not possible.
 * What a fresh venue lacks is no protection yet: naming it is tightening.
 *
 * Upstream: core.c. Downstream: dual.c.
 */
#include "core/dual.h"
#include "core/schedule.h"
#include "core/state.h"

#include <string.h>

/* REJECT_none, or why these settings are refused. */
static enum reject settings_check(const struct core *c, const struct venue_settings *next,
                                  bool *loosens)
{
    const struct venue_settings *now = &c->s->settings;
    *loosens = false;
    for (uint32_t i = 0; i < MARK_TIMES_MAX; i++) {
        bool rises = i == 0 || next->mark_at[i] > next->mark_at[i - 1];
        bool used = i < next->mark_count;
        if (used ? !rises || next->mark_at[i] >= DAY_SECONDS : next->mark_at[i] != 0)
            return REJECT_malformed_request;
    }
    if (next->mark_count > MARK_TIMES_MAX) return REJECT_malformed_request;
    if (now->dual_transfers > next->dual_transfers) return REJECT_guard_needed;
    if (now->stale_ns == 0) return REJECT_none;
    if (next->stale_ns == 0) return REJECT_guard_needed;
    *loosens = next->stale_ns > now->stale_ns;
    return REJECT_none;
}

void query_venue(const struct core *c, struct outbox *out)
{
    struct event_venue *e = outbox_push(out, EVENT_venue, sizeof *e);
    e->settings = c->s->settings;
    memset(e->reason, 0, sizeof e->reason);
}

void venue_set(struct core *c, const struct command *cmd)
{
    const struct command_venue_set *v = &cmd->venue_set;
    struct venue_settings next = c->s->settings;
    bool loosens;
    if (v->flags & VENUE_HAS_DUAL_TRANSFERS) next.dual_transfers = v->settings.dual_transfers;
    if (v->flags & VENUE_HAS_STALE) next.stale_ns = v->settings.stale_ns;
    if (v->flags & VENUE_HAS_MARKS) {
        memcpy(next.mark_at, v->settings.mark_at, sizeof next.mark_at);
        next.mark_count = v->settings.mark_count;
    }
    enum reject reason = settings_check(c, &next, &loosens);
    if (reason == REJECT_none && loosens && v->reason[0] == 0) reason = REJECT_reason_needed;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (loosens && dual_wait(c, cmd)) return;
    c->s->settings = next;
    schedule_marks(c);
    struct event_venue *e = outbox_push(c->out, EVENT_venue, sizeof *e);
    e->settings = next;
    memcpy(e->reason, v->reason, sizeof e->reason);
}
