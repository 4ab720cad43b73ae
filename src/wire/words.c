/* words.c: see words.h. */
#include "wire/words.h"

const char *const order_type_words[ORDER_TYPE_count + 1] = {
    "limit",      "market",      "market_limit",  "stop_limit", "stop_market",
    "take_limit", "take_market", "trailing_stop", "pegged"};
const char *const order_state_words[ORDER_STATE_count + 1] = {"none", "open", "filled",
                                                              "cancelled", "untriggered"};
const char *const tif_words[TIF_count + 1] = {
    "good_til_cancelled",  "good_til_day", "good_til_date",
    "immediate_or_cancel", "fill_or_kill", "at_the_opening"};
const char *const trading_state_words[STATE_count + 1] = {"closed", "pre_open", "auction", "open",
                                                          "halted"};
const char *const trade_kind_words[TRADE_count + 1] = {
    "continuous", "auction", "implied_leg", "block", "efp", "transfer", "default",
    "liquidation", "adjusted", "spot"};
const char *const spot_kind_words[SPOT_kind_count + 1] = {"day_ahead", "balancing", "resale"};
const char *const spot_state_words[SPOT_STATE_count + 1] = {"none", "open", "closed", "done",
                                                            "failed"};
const char *const spot_bid_kind_words[SPOT_BID_count + 1] = {"step", "block"};
const char *const spot_bid_state_words[SPOT_BID_state_count + 1] = {
    "none", "standing", "cancelled", "accepted", "partly", "rejected", "paradoxically_rejected",
    "passed_over"};
const char *const posting_phase_words[] = {"posted", "pending", "voided", NULL};
const char *const account_status_words[ACCOUNT_status_count + 1] = {
    "normal", "reduce_only", "liquidating", "defaulted"};
const char *const call_state_words[CALL_state_count + 1] = {
    "none", "open", "met", "unmet", "liquidating", "ended", "dropped",
    "closing_out", "closed_out"};
const char *const slice_result_words[SLICE_result_count + 1] = {"traded", "nothing_opposite",
                                                                "refused"};
const char *const port_state_words[PORT_state_count + 1] = {"accepted", "withdrawn", "ported"};
const char *const deal_state_words[DEAL_STATE_count + 1] = {
    "none", "proposed", "registered", "declined", "withdrawn", "expired"};
const char *const default_layer_words[LAYER_count + 1] = {
    [LAYER_none] = "none",
    [LAYER_margin] = "margin",
    [LAYER_own_fund] = "own_fund",
    [LAYER_skin] = "skin_in_the_game",
    [LAYER_survivors] = "survivors",
    [LAYER_assessment] = "assessment",
    [LAYER_gains] = "gains_haircut",
    [LAYER_tear_up] = "tear_up",
    [LAYER_capital] = "capital",
};
const char *const settlement_tier_words[SETTLEMENT_TIER_count + 1] = {
    [SETTLEMENT_TIER_none] = "none",
    [SETTLEMENT_TIER_vwap] = "vwap",
    [SETTLEMENT_TIER_spread] = "spread",
    [SETTLEMENT_TIER_last] = "last",
    [SETTLEMENT_TIER_parent] = "parent",
    [SETTLEMENT_TIER_previous] = "previous",
    [SETTLEMENT_TIER_parts] = "parts",
    [SETTLEMENT_TIER_legs] = "legs",
    [SETTLEMENT_TIER_standing] = "standing",
    [SETTLEMENT_TIER_cascade] = "cascade",
    [SETTLEMENT_TIER_auction] = "auction",
    [SETTLEMENT_TIER_index] = "index",
    [SETTLEMENT_TIER_manual] = "manual",
    [SETTLEMENT_TIER_override] = "override",
};
const char *const index_tier_words[INDEX_TIER_count + 1] = {
    [INDEX_TIER_none] = "none",
    [INDEX_TIER_submissions] = "submissions",
    [INDEX_TIER_previous_hour] = "previous_hour",
    [INDEX_TIER_committee] = "committee",
    [INDEX_TIER_spot] = "spot",
};
const char *const index_input_words[INDEX_INPUT_count + 1] = {
    [INDEX_INPUT_absent] = "absent",   [INDEX_INPUT_given] = "given",
    [INDEX_INPUT_counted] = "counted", [INDEX_INPUT_trimmed] = "trimmed",
    [INDEX_INPUT_wild] = "wild",       [INDEX_INPUT_stale] = "stale",
};
const char *const index_spot_words[INDEX_SPOT_result_count + 1] = {
    "priced", "no_trades", "few_sellers", "low_volume", "incomplete"};
const char *const index_seller_words[INDEX_SELLER_count + 1] = {"excluded", "counted", "capped",
                                                                "trimmed"};
const char *const accreditation_role_words[ROLE_count + 1] = {"certifier", "verifier"};
const char *const certificate_status_words[CERTIFICATE_status_count + 1] = {
    "none", "refused", "accepting", "effective", "superseded", "lapsed", "withdrawn",
    "decertified"};
const char *const certificate_fault_words[FAULT_count + 1] = {
    [FAULT_expired] = "expired",
    [FAULT_issued_in_the_future] = "issued_in_the_future",
    [FAULT_valid_too_long] = "valid_too_long",
    [FAULT_unknown_vintage] = "unknown_vintage",
    [FAULT_unknown_region] = "unknown_region",
    [FAULT_quick] = "quick",
    [FAULT_measured_too_short] = "measured_too_short",
    [FAULT_work_out_of_range] = "work_out_of_range",
    [FAULT_other_provider] = "other_provider",
    [FAULT_other_class] = "other_class",
    [FAULT_decertified] = "decertified",
    [FAULT_certifier_revoked] = "certifier_revoked",
    [FAULT_by_officer] = "by_officer",
};
const char *const token_cause_words[TOKEN_cause_count + 1] = {
    "issued",   "retired",  "transferred", "pledged", "released",
    "escrowed", "returned", "redeemed",    "expired", "answer"};

const char *const allocation_state_words[ALLOCATION_state_count + 1] = {
    "none",      "allotted",  "escrowed", "ready", "making_up",
    "buying_in", "window",    "closed"};
const char *const hour_state_words[HOUR_state_count + 1] = {
    "due", "claimed", "received", "verified", "metered", "challenged", "falsified"};
const char *const delivery_reason_words[DELIVERY_REASON_count + 1] = {
    [DELIVERY_REASON_none] = "none",
    [DELIVERY_REASON_no_tender] = "no_tender",
    [DELIVERY_REASON_no_certificate] = "no_certificate",
    [DELIVERY_REASON_no_intake] = "no_intake",
    [DELIVERY_REASON_constraints] = "constraints",
    [DELIVERY_REASON_no_room] = "no_room",
    [DELIVERY_REASON_seller_margin] = "seller_margin",
    [DELIVERY_REASON_buyer_margin] = "buyer_margin",
    [DELIVERY_REASON_no_tokens] = "no_tokens",
    [DELIVERY_REASON_canary] = "canary",
    [DELIVERY_REASON_shortfall] = "shortfall",
    [DELIVERY_REASON_nothing] = "nothing",
    [DELIVERY_REASON_falsified] = "falsified",
    [DELIVERY_REASON_seller_default] = "seller_default",
    [DELIVERY_REASON_buyer_default] = "buyer_default",
};
