/* words.h: the words for msg's enumerations, the same in the interface and in what is dumped (those
 * of notes as well are msg's own). Each list is in its enumeration's order and ends with NULL.
 *
 * Upstream: msg. Downstream: event_json, gate, cli.
 */
#ifndef DOJIMA_WIRE_WORDS_H
#define DOJIMA_WIRE_WORDS_H

#include "msg/event.h"

extern const char *const order_type_words[ORDER_TYPE_count + 1];
extern const char *const order_state_words[ORDER_STATE_count + 1];
extern const char *const tif_words[TIF_count + 1];
extern const char *const trading_state_words[STATE_count + 1];
extern const char *const trade_kind_words[TRADE_count + 1];
extern const char *const spot_kind_words[SPOT_kind_count + 1];
extern const char *const spot_state_words[SPOT_STATE_count + 1];
extern const char *const spot_bid_kind_words[SPOT_BID_count + 1];
extern const char *const spot_bid_state_words[SPOT_BID_state_count + 1];
extern const char *const posting_phase_words[];
extern const char *const account_status_words[ACCOUNT_status_count + 1];
extern const char *const call_state_words[CALL_state_count + 1];
extern const char *const slice_result_words[SLICE_result_count + 1];
extern const char *const port_state_words[PORT_state_count + 1];
extern const char *const deal_state_words[DEAL_STATE_count + 1];
extern const char *const default_layer_words[LAYER_count + 1];
extern const char *const settlement_tier_words[SETTLEMENT_TIER_count + 1];
extern const char *const allocation_state_words[ALLOCATION_state_count + 1];
extern const char *const hour_state_words[HOUR_state_count + 1];
extern const char *const delivery_reason_words[DELIVERY_REASON_count + 1];
extern const char *const index_tier_words[INDEX_TIER_count + 1];
extern const char *const accreditation_role_words[ROLE_count + 1];
extern const char *const certificate_status_words[CERTIFICATE_status_count + 1];
extern const char *const certificate_fault_words[FAULT_count + 1];
extern const char *const token_cause_words[TOKEN_cause_count + 1];
extern const char *const index_input_words[INDEX_INPUT_count + 1];
extern const char *const index_spot_words[INDEX_SPOT_result_count + 1];
extern const char *const index_seller_words[INDEX_SELLER_count + 1];

#endif
