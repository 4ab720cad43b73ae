/* margin.c: whether the bytes of a margin command are one: names end, counts are within their
 * arrays, what is not used is zero. What the numbers mean is the core's to judge. */
#include "msg/command.h"

static int is_zero(const void *bytes, size_t size)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < size; i++) {
        if (b[i] != 0) return 0;
    }
    return 1;
}

static int set_is_valid(const struct command_margin_set *m)
{
    if (!command_text_is_valid(m->group, sizeof m->group) ||
        !command_text_is_valid(m->source, sizeof m->source) ||
        !command_text_is_valid(m->reason, sizeof m->reason)) {
        return 0;
    }
    if (m->product_count > SPAN_PRODUCTS_MAX || m->tier_count > SPAN_TIERS_MAX ||
        m->spread_count > SPAN_SPREADS_MAX || m->reserved != 0 ||
        (m->given & ~(uint32_t)MARGIN_GIVEN_ALL) != 0) {
        return 0;
    }
    for (unsigned i = 0; i < m->product_count; i++) {
        if (m->products[i].reserved != 0) return 0;
    }
    return is_zero(&m->products[m->product_count],
                   (SPAN_PRODUCTS_MAX - (size_t)m->product_count) * sizeof m->products[0]) &&
           is_zero(&m->tiers[m->tier_count],
                   (SPAN_TIERS_MAX - (size_t)m->tier_count) * sizeof m->tiers[0]) &&
           is_zero(&m->spreads[m->spread_count],
                   (SPAN_SPREADS_MAX - (size_t)m->spread_count) * sizeof m->spreads[0]);
}

static int inter_is_valid(const struct command_margin_inter *m)
{
    if (m->count > SPAN_INTERS_MAX || m->reserved != 0) return 0;
    for (uint32_t i = 0; i < m->count; i++) {
        if (!command_text_is_valid(m->inters[i].group_a, MARGIN_GROUP_NAME_SIZE) ||
            !command_text_is_valid(m->inters[i].group_b, MARGIN_GROUP_NAME_SIZE)) {
            return 0;
        }
    }
    return is_zero(&m->inters[m->count], (SPAN_INTERS_MAX - m->count) * sizeof m->inters[0]) &&
           command_text_is_valid(m->source, sizeof m->source) &&
           command_text_is_valid(m->reason, sizeof m->reason);
}

static int flat_is_valid(const struct command_margin_flat *m)
{
    return m->reserved == 0 && command_text_is_valid(m->source, sizeof m->source) &&
           command_text_is_valid(m->reason, sizeof m->reason);
}

static int result_is_valid(const struct command *c)
{
    const struct command_margin_result *m = &c->margin_result;
    size_t fixed = sizeof c->header + offsetof(struct command_margin_result, results);
    if (c->header.size < fixed || m->count > MARGIN_RESULTS_MAX || m->reserved != 0) return 0;
    if (c->header.size != fixed + m->count * sizeof m->results[0]) return 0;
    for (uint32_t i = 0; i < m->count; i++) {
        if (m->results[i].reserved != 0) return 0;
    }
    return 1;
}

int margin_command_is_valid(const struct command *c)
{
    switch ((enum command_kind)c->header.kind) {
    case COMMAND_margin_set: return set_is_valid(&c->margin_set);
    case COMMAND_margin_inter: return inter_is_valid(&c->margin_inter);
    case COMMAND_margin_flat: return flat_is_valid(&c->margin_flat);
    case COMMAND_margin_run: return c->margin_run.phase < MARGIN_RUN_count;
    default: return result_is_valid(c);
    }
}
