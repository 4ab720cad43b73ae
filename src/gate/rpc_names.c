/* rpc_names.c: the words of the interface alone, in the order of msg's enumerations; those that
 * dumps have too: wire/words.h. */
#include "gate/rpc_limit.h"
#include "gate/rpc_internal.h"

const char *const rpc_margin_names[] = {"flat", "span", NULL};
const char *const rpc_side_names[] = {"buy", "sell", NULL};
const char *const rpc_smp_names[SMP_count + 1] = {"none", "cancel_resting", "cancel_aggressing",
                                                  "cancel_both", "decrement"};
const char *const rpc_peg_names[PEG_count + 1] = {"none", "primary", "market", "midpoint"};
const char *const rpc_link_names[LINK_count + 1] = {
    "none", "one_triggers_other", "one_cancels_other", "one_triggers_one_cancels_other"};
const char *const rpc_fill_condition_names[FILL_CONDITION_count + 1] = {
    "first_hit", "complete_fill", "incremental"};
const char *const rpc_algorithm_names[ALGORITHM_count + 1] = {"fifo", "pro_rata", "allocation",
                                                              "split", "configurable"};
const char *const rpc_settlement_names[SETTLEMENT_count + 1] = {"cash", "physical"};
const char *const rpc_unit_names[UNIT_count + 1] = {"lot", "hour"};
const char *const rpc_mode_names[MODE_count + 1] = {"margined", "collateralised"};
const char *const rpc_origin_names[ORIGIN_count + 1] = {"house", "client"};
const char *const rpc_cause_names[CAUSE_count + 1] = {
    [CAUSE_new] = "new",
    [CAUSE_edited] = "edited",
    [CAUSE_filled] = "filled",
    [CAUSE_triggered] = "triggered",
    [CAUSE_refreshed] = "refreshed",
    [CAUSE_repriced] = "repriced",
    [CAUSE_cut] = "cut",
    [CAUSE_decremented] = "decremented",
    [CAUSE_cancelled_by_user] = "user_request",
    [CAUSE_cancelled_by_officer] = "cancelled_by_officer",
    [CAUSE_cancelled_remainder] = "remainder",
    [CAUSE_cancelled_self_match] = "self_match",
    [CAUSE_cancelled_expired] = "expired",
    [CAUSE_cancelled_disconnect] = "disconnect",
    [CAUSE_cancelled_killed] = "killed",
    [CAUSE_cancelled_reduce_only] = "reduce_only",
    [CAUSE_cancelled_linked] = "linked_order",
    [CAUSE_cancelled_margin] = "margin",
    [CAUSE_cancelled_limit] = "fill_limit",
    [CAUSE_cancelled_quote] = "quote_replaced",
    [CAUSE_cancelled_guard] = "price_protection",
    [CAUSE_cancelled_position_limit] = "position_limit",
    [CAUSE_answer] = "answer",
};

const char *const rpc_limit_side_names[] = {"long", "short", "both", NULL};

const char *rpc_state_name(uint32_t trading_state)
{
    return trading_state < STATE_count ? trading_state_words[trading_state] : "";
}
