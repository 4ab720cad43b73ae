/* delivery.c: the words of verdicts, and whether the bytes of a delivery command are one: texts
 * end, enums and counts are within bounds, what is not used is zero. What they mean is the core's
 * to judge. */
#include "msg/command.h"

const char *const proof_kind_words[PROOF_kind_count + 1] = {"hour", "canary", "challenge"};
const char *const proof_outcome_words[PROOF_outcome_count + 1] = {"ok", "short", "falsified",
                                                                  "no_answer"};

/* An endpoint or region: printable, without blanks; it goes into URLs and signed lines. */
static int word_is_valid(const char *text, size_t size)
{
    if (!command_text_is_valid(text, size)) return 0;
    for (size_t i = 0; text[i] != 0; i++) {
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] > 0x7e) return 0;
    }
    return 1;
}

static int tender_is_valid(const struct command_tender *t)
{
    return t->grade < GRADE_count && t->reserved == 0 &&
           word_is_valid(t->endpoint, sizeof t->endpoint);
}

static int intake_is_valid(const struct command_intake *t)
{
    if (t->withdraw > 1 || t->grade_minimum >= GRADE_count || t->reserved != 0) return 0;
    if (t->region_count > DELIVERY_REGIONS_MAX || t->excluded_count > DELIVERY_EXCLUDED_MAX)
        return 0;
    for (uint32_t i = 0; i < DELIVERY_REGIONS_MAX; i++) {
        if (!word_is_valid(t->regions[i], sizeof t->regions[i])) return 0;
        if ((i < t->region_count) != (t->regions[i][0] != 0)) return 0;
    }
    for (uint32_t i = 0; i < DELIVERY_EXCLUDED_MAX; i++) {
        if ((i < t->excluded_count) != (t->excluded[i] != 0)) return 0;
    }
    return word_is_valid(t->endpoint, sizeof t->endpoint);
}

int delivery_command_is_valid(const struct command *c)
{
    switch ((enum command_kind)c->header.kind) {
    case COMMAND_tender: return tender_is_valid(&c->tender);
    case COMMAND_intake: return intake_is_valid(&c->intake);
    case COMMAND_warrant_transfer: return c->warrant_transfer.reserved == 0;
    case COMMAND_receipt: return c->receipt.flags <= RECEIPT_BUYER_SIGNED;
    case COMMAND_verdict:
        return c->verdict.kind < PROOF_kind_count && c->verdict.attested <= 1 &&
               c->verdict.outcome < PROOF_outcome_count;
    case COMMAND_proof_challenge:
        return command_text_is_valid(c->proof_challenge.reason, sizeof c->proof_challenge.reason);
    default: return 0;
    }
}
