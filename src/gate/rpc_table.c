/* rpc_table.c: every method: its name, what it takes, who may call it. docs/api.md in one table. */
#include "gate/rpc_limit.h"
#include "gate/rpc_compute.h"
#include "gate/rpc_delivery.h"
#include "gate/rpc_default.h"
#include "gate/rpc_internal.h"
#include "gate/rpc_settlement.h"
#include "gate/rpc_spot.h"

#define TEXT(n, size) {.name = n, .kind = PARAM_text, .max = size}
#define TEXT_REQUIRED(n, size) {.name = n, .kind = PARAM_text, .required = REQUIRED, .max = size}
#define INT(n) {.name = n, .kind = PARAM_int}
#define INT_REQUIRED(n) {.name = n, .kind = PARAM_int, .required = REQUIRED}
#define BOOL(n) {.name = n, .kind = PARAM_bool}
#define DECIMAL(n) {.name = n, .kind = PARAM_decimal}
#define DECIMAL_REQUIRED(n) {.name = n, .kind = PARAM_decimal, .required = REQUIRED}
#define ARRAY(n) {.name = n, .kind = PARAM_array}
#define ARRAY_REQUIRED(n) {.name = n, .kind = PARAM_array, .required = REQUIRED}
#define OBJECT(n) {.name = n, .kind = PARAM_object}
#define ENUM(n, list) {.name = n, .kind = PARAM_enum, .names = list}
#define ENUM_REQUIRED(n, list)                                                                    \
    {.name = n, .kind = PARAM_enum, .required = REQUIRED, .names = list}
#define NOTE_REQUIRED(n) {.name = n, .kind = PARAM_note, .required = REQUIRED}
#define ID(n, size) {.name = n, .kind = PARAM_id, .max = size}
#define ID_REQUIRED(n, size) {.name = n, .kind = PARAM_id, .required = REQUIRED, .max = size}
#define END {.name = NULL}

static const struct param_spec no_params[] = {END};
static const char *const sorting_names[] = {"default", "asc", "desc", NULL};
static const char *const instrument_kind_names[] = {
    "future", "future_combo", "any", "combo", "option", "spot", "option_combo", NULL};
static const char *const order_filter_names[] = {
    "all",        "limit",       "trigger_all",   "stop_all",    "stop_limit", "stop_market",
    "take_limit", "take_market", "trailing_stop", "market",      "take_all",   "trailing_all",
    NULL};
static const char *const cancel_filter_names[] = {"all", "limit", "trigger_all", NULL};
static const char *const peg_names[] = {"primary", "market", "midpoint", NULL};
static const char *const product_kind_names[] = {"future", NULL};

/* ---- market data ---- */

static const struct param_spec instruments_params[] = {
    TEXT("currency", 31), ENUM("kind", instrument_kind_names), BOOL("expired"),
    BOOL("include_spots"), END};
static const struct param_spec instrument_params[] = {TEXT_REQUIRED("instrument_name", 63), END};
static const struct param_spec index_params[] = {TEXT_REQUIRED("index_name", 63), END};
static const struct param_spec book_params[] = {TEXT_REQUIRED("instrument_name", 63),
                                                INT("depth"), END};
static const struct param_spec summary_params[] = {
    TEXT_REQUIRED("currency", 31), ENUM("kind", instrument_kind_names), END};
static const struct param_spec settlements_params[] = {TEXT("instrument_name", 63),
                                                       TEXT("product", 15),
                                                       INT("count"), INT("from_id"), END};
static const struct param_spec get_index_params[] = {
    TEXT_REQUIRED("index_name", INDEX_NAME_SIZE - 1), INT("count"), ID("start_timestamp", 39),
    ID("end_timestamp", 39), END};
#define TRADES_PARAMS                                                                             \
    INT("start_seq"), INT("end_seq"), INT("start_id"), INT("end_id"), INT("count"),               \
        INT("start_timestamp"), INT("end_timestamp"), BOOL("include_old"),                        \
        ENUM("sorting", sorting_names), END
static const struct param_spec trades_params[] = {TEXT_REQUIRED("instrument_name", 63),
                                                  TRADES_PARAMS};
static const struct param_spec trades_currency_params[] = {
    TEXT_REQUIRED("currency", 31), ENUM("kind", instrument_kind_names), TRADES_PARAMS};
static const struct param_spec currencies_params[] = {END};

/* ---- orders ---- */

static const struct param_spec order_params[] = {
    TEXT_REQUIRED("instrument_name", 63),
    DECIMAL("amount"),
    DECIMAL("contracts"),
    ENUM("type", order_type_words),
    TEXT("label", 64),
    DECIMAL("price"),
    ENUM("time_in_force", tif_words),
    DECIMAL("max_show"),
    BOOL("post_only"),
    BOOL("reject_post_only"),
    BOOL("reduce_only"),
    DECIMAL("trigger_price"),
    DECIMAL("trigger_offset"),
    TEXT("trigger", 20),
    INT("valid_until"),
    INT("expires_at"),
    ID("smp_id", 64),
    ENUM("smp_mode", rpc_smp_names + 1),
    DECIMAL("min_quantity"),
    TEXT("client_order_id", CLIENT_ORDER_ID_SIZE - 1),
    ENUM("peg", peg_names),
    DECIMAL("offset"),
    ENUM("linked_order_type", rpc_link_names + 1),
    ENUM("trigger_fill_condition", rpc_fill_condition_names),
    ARRAY("otoco_config"),
    ID("target_order_id", 20),
    END};
static const struct param_spec edit_params[] = {
    ID_REQUIRED("order_id", 20),
    DECIMAL("amount"),
    DECIMAL("contracts"),
    DECIMAL("price"),
    BOOL("post_only"),
    BOOL("reject_post_only"),
    BOOL("reduce_only"),
    DECIMAL("trigger_price"),
    DECIMAL("trigger_offset"),
    DECIMAL("offset"),
    TEXT("trigger", 20),
    DECIMAL("max_show"),
    INT("valid_until"),
    END};
static const struct param_spec order_id_params[] = {
    ID_REQUIRED("order_id", 20), END};
static const struct param_spec order_state_params[] = {
    ID_REQUIRED("order_id", 20),
    TEXT("account", 31), END};
#define CANCEL_PARAMS                                                                             \
    ENUM("side", rpc_side_names), BOOL("session"), BOOL("quotes"),                                \
        ENUM("type", cancel_filter_names), ENUM("kind", instrument_kind_names), END
static const struct param_spec cancel_label_params[] = {
    TEXT_REQUIRED("label", 64), TEXT("currency", 31), TEXT("instrument_name", 63),
    TEXT("product", 15), CANCEL_PARAMS};
static const struct param_spec cancel_all_params[] = {
    TEXT("product", 15), TEXT("instrument_name", 63), TEXT("currency", 31), CANCEL_PARAMS};
static const struct param_spec cancel_instrument_params[] = {
    TEXT_REQUIRED("instrument_name", 63), CANCEL_PARAMS};
static const struct param_spec cancel_currency_params[] = {TEXT_REQUIRED("currency", 31),
                                                           CANCEL_PARAMS};
static const struct param_spec officer_cancel_params[] = {
    TEXT("account", 31), TEXT("member", 31), TEXT("product", 15), TEXT("instrument_name", 63),
    TEXT("label", 64), CANCEL_PARAMS};
static const struct param_spec mass_quote_params[] = {
    ARRAY_REQUIRED("quotes"),
    TEXT("label", 64),
    ID("smp_id", 64),
    ENUM("smp_mode", rpc_smp_names + 1),
    INT("valid_until"),
    END};

/* ---- account ---- */

static const struct param_spec account_params[] = {TEXT("currency", 31), BOOL("extended"),
                                                   TEXT("account", 31), END};
static const struct param_spec positions_params[] = {
    TEXT("currency", 31), ENUM("kind", instrument_kind_names), TEXT("account", 31), END};
static const struct param_spec position_params[] = {TEXT_REQUIRED("instrument_name", 63),
                                                    TEXT("account", 31), END};
static const struct param_spec open_currency_params[] = {
    TEXT_REQUIRED("currency", 31), ENUM("kind", instrument_kind_names),
    ENUM("type", order_filter_names), TEXT("account", 31), END};
static const struct param_spec open_instrument_params[] = {
    TEXT_REQUIRED("instrument_name", 63), ENUM("type", order_filter_names), TEXT("account", 31),
    END};
static const struct param_spec open_params[] = {
    ENUM("kind", instrument_kind_names), ENUM("type", order_filter_names), TEXT("account", 31),
    END};
#define HISTORY_PARAMS                                                                            \
    ENUM("kind", instrument_kind_names), INT("count"), INT("offset"), BOOL("include_old"),        \
        BOOL("include_unfilled"), TEXT("account", 31), END
static const struct param_spec history_currency_params[] = {TEXT_REQUIRED("currency", 31),
                                                            HISTORY_PARAMS};
static const struct param_spec history_instrument_params[] = {
    TEXT_REQUIRED("instrument_name", 63), HISTORY_PARAMS};
#define OWN_TRADES_PARAMS                                                                         \
    ENUM("kind", instrument_kind_names), INT("count"), INT("start_timestamp"),                    \
        INT("end_timestamp"), BOOL("include_old"), ENUM("sorting", sorting_names),                \
        TEXT("account", 31), END
static const struct param_spec own_trades_currency_params[] = {TEXT_REQUIRED("currency", 31),
                                                               OWN_TRADES_PARAMS};
static const struct param_spec own_trades_instrument_params[] = {
    TEXT_REQUIRED("instrument_name", 63), OWN_TRADES_PARAMS};
static const struct param_spec own_trades_order_params[] = {
    ID_REQUIRED("order_id", 20),
    ENUM("sorting", sorting_names), BOOL("historical"), TEXT("account", 31), END};
static const struct param_spec statement_params[] = {TEXT_REQUIRED("date", 10),
                                                     TEXT("account", 31), END};
static const struct param_spec ledger_params[] = {TEXT("account", 31), INT("count"),
                                                  INT("from_id"), END};
#define MONEY_PARAMS                                                                              \
    TEXT("asset", 15), TEXT("currency", 15),                                                      \
        DECIMAL_REQUIRED("amount"), END
static const struct param_spec withdraw_params[] = {MONEY_PARAMS};
static const struct param_spec transfer_params[] = {TEXT_REQUIRED("destination", 31),
                                                    TEXT("source", 31), MONEY_PARAMS};

/* ---- officers ---- */

static const struct param_spec product_params[] = {
    TEXT_REQUIRED("product", PRODUCT_NAME_SIZE - 1),
    ENUM("kind", product_kind_names),
    DECIMAL_REQUIRED("tick_size"),
    DECIMAL_REQUIRED("contract_size"),
    ENUM("contract_unit", rpc_unit_names),
    ENUM("settlement", rpc_settlement_names),
    OBJECT("matching"),
    OBJECT("guards"),
    DECIMAL("price_floor"),
    DECIMAL("price_band"),
    DECIMAL("protection_points"),
    DECIMAL("flat_margin"),
    ENUM("margin_model", rpc_margin_names),
    INT("max_amount"),
    OBJECT("peak_hours"),
    OBJECT("spot"),
    OBJECT("fees"),
    OBJECT("limits"),
    OBJECT("blocks"),
    OBJECT("busts"),
    OBJECT("settlement_rules"),
    OBJECT("calendar"),
    OBJECT("supply"),
    OBJECT("delivery"),
    BOOL("directed"),
    END};
static const struct param_spec list_params[] = {
    TEXT_REQUIRED("product", 15), TEXT_REQUIRED("period", PERIOD_NAME_SIZE - 1),
    INT("expires_at"), END};
static const struct param_spec spread_params[] = {
    ARRAY_REQUIRED("legs"), END};
static const struct param_spec create_account_params[] = {
    TEXT_REQUIRED("account", ACCOUNT_NAME_SIZE - 1), TEXT_REQUIRED("member", MEMBER_NAME_SIZE - 1),
    ENUM("mode", rpc_mode_names), ENUM("origin", rpc_origin_names), END};
static const struct param_spec deposit_params[] = {TEXT_REQUIRED("account", 31), MONEY_PARAMS};
static const struct param_spec state_params[] = {
    TEXT_REQUIRED("product", 15),
    {.name = "state", .kind = PARAM_enum, .required = REQUIRED, .names = trading_state_words},
    TEXT("reason", REASON_TEXT_SIZE - 1), END};
static const struct param_spec price_params[] = {
    TEXT_REQUIRED("instrument_name", 63),
    DECIMAL_REQUIRED("price"), END};
static const struct param_spec confirm_params[] = {
    INT_REQUIRED("request"), END};
static const struct param_spec kill_params[] = {TEXT("account", 31), TEXT("member", 31),
                                                BOOL("on"), END};
static const struct param_spec guards_params[] = {
    TEXT_REQUIRED("product", PRODUCT_NAME_SIZE - 1),
    {.name = "guards", .kind = PARAM_object, .required = REQUIRED},
    TEXT("reason", REASON_TEXT_SIZE - 1), END};
static const struct param_spec halts_params[] = {TEXT("product", PRODUCT_NAME_SIZE - 1),
                                                 INT("count"), END};
static const struct param_spec clock_params[] = {ID("at", 39), DECIMAL("rate"), END};
static const struct param_spec venue_params[] = {BOOL("dual_transfers"), INT("stale_ms"),
                                                 ARRAY("mark_times"),
                                                 TEXT("reason", REASON_TEXT_SIZE - 1), END};

static const struct param_spec block_params[] = {
    TEXT_REQUIRED("instrument_name", 63),
    {.name = "side", .kind = PARAM_enum, .required = REQUIRED, .names = rpc_side_names},
    DECIMAL_REQUIRED("amount"),
    DECIMAL_REQUIRED("price"),
    TEXT_REQUIRED("counterparty", 31), ENUM("kind", rpc_deal_names), INT("executed_at"),
    TEXT("reference", DEAL_REFERENCE_SIZE - 1), END};
static const struct param_spec block_answer_params[] = {
    INT_REQUIRED("block_id"), END};
static const struct param_spec blocks_params[] = {TEXT("account", 31), END};
static const struct param_spec bust_params[] = {
    ID_REQUIRED("trade_id", 20),
    TEXT_REQUIRED("reason", DEAL_REASON_SIZE - 1), END};
static const struct param_spec adjust_params[] = {
    ID_REQUIRED("trade_id", 20), DECIMAL("price"),
    TEXT_REQUIRED("reason", DEAL_REASON_SIZE - 1), END};
static const struct param_spec limits_params[] = {
    TEXT_REQUIRED("product", 15),
    {.name = "limits", .kind = PARAM_object, .required = REQUIRED},
    TEXT("reason", LIMIT_REASON_SIZE - 1), END};
static const struct param_spec supply_params[] = {
    TEXT("product", 15), TEXT("instrument_name", 63),
    DECIMAL_REQUIRED("amount"),
    TEXT("reason", LIMIT_REASON_SIZE - 1), END};
static const struct param_spec owner_params[] = {
    TEXT_REQUIRED("account", 31), TEXT("owner", OWNER_NAME_SIZE - 1),
    TEXT("reason", LIMIT_REASON_SIZE - 1), END};
static const struct param_spec exemption_params[] = {
    TEXT_REQUIRED("owner", OWNER_NAME_SIZE - 1), TEXT_REQUIRED("product", 15),
    TEXT("instrument_name", 63), ENUM("side", rpc_limit_side_names),
    DECIMAL_REQUIRED("amount"),
    INT_REQUIRED("expires_at"),
    TEXT_REQUIRED("reason", LIMIT_REASON_SIZE - 1), END};
static const struct param_spec physical_params[] = {
    TEXT_REQUIRED("owner", OWNER_NAME_SIZE - 1), TEXT_REQUIRED("product", 15),
    DECIMAL_REQUIRED("amount"),
    TEXT("reason", LIMIT_REASON_SIZE - 1), END};
static const struct param_spec revoke_params[] = {
    INT_REQUIRED("exemption"),
    TEXT("reason", LIMIT_REASON_SIZE - 1), END};
static const struct param_spec large_params[] = {TEXT("product", 15), INT("minimum"), END};
/* ---- margin ---- */

static const struct param_spec margin_params[] = {
    TEXT("group", MARGIN_GROUP_NAME_SIZE - 1), TEXT("product", 15), DECIMAL("flat_margin"),
    ARRAY("products"),
    ARRAY("tiers"),
    ARRAY("spreads"),
    DECIMAL("extreme_move"), DECIMAL("extreme_cover"), INT("inter_scale"),
    DECIMAL("netting_max"), DECIMAL("short_option_minimum"),
    TEXT("source", MARGIN_SOURCE_SIZE - 1), TEXT("reason", MARGIN_REASON_SIZE - 1), END};
static const struct param_spec margin_credits_params[] = {
    ARRAY_REQUIRED("credits"),
    DECIMAL_REQUIRED("offset_max"),
    TEXT("source", MARGIN_SOURCE_SIZE - 1), TEXT("reason", MARGIN_REASON_SIZE - 1), END};
static const struct param_spec margin_run_params[] = {
    INT_REQUIRED("run"),
    {.name = "phase", .kind = PARAM_enum, .required = REQUIRED, .names = rpc_margin_phase_names},
    INT("valid_s"), INT("accounts"), END};
static const struct param_spec margin_results_params[] = {
    INT_REQUIRED("run"),
    ARRAY_REQUIRED("results"), END};
static const struct param_spec get_margin_params[] = {TEXT("account", 31), END};
static const struct param_spec convert_params[] = {
    TEXT_REQUIRED("instrument_name", 63), TEXT_REQUIRED("into", 63),
    DECIMAL_REQUIRED("amount"), END};
static const struct param_spec simulate_margin_params[] = {
    TEXT("account", 31),
    ARRAY("positions"),
    ARRAY("orders"),
    BOOL("add_positions"), END};
/* ---- the default fund and defaults (CLEAR-10, CLEAR-11) ---- */

static const struct param_spec fund_set_params[] = {
    DECIMAL("assessment_multiple"), INT("assessment_days"), INT("refill_days"),
    INT("bidders_min"), DECIMAL("near"), DECIMAL("far"), DECIMAL("skin_minimum"),
    INT("porting_hours"), END};
static const struct param_spec fund_size_params[] = {
    TEXT_REQUIRED("date", 10), DECIMAL("total"), ENUM("basis", rpc_basis_names),
    ARRAY("shares"), END};
static const struct param_spec capital_params[] = {
    DECIMAL("amount"), DECIMAL_REQUIRED("skin_in_the_game"),
    END};
static const struct param_spec fund_money_params[] = {
    TEXT("account", 31), DECIMAL_REQUIRED("amount"), END};
static const struct param_spec collect_params[] = {TEXT("member", 31), END};
static const struct param_spec declare_params[] = {
    TEXT_REQUIRED("member", 31), TEXT("reason", DEFAULT_REASON_SIZE - 1), END};
static const struct param_spec default_params[] = {TEXT_REQUIRED("member", 31), END};
static const struct param_spec close_out_params[] = {
    TEXT_REQUIRED("account", 31), TEXT_REQUIRED("reason", DEFAULT_REASON_SIZE - 1), END};
static const struct param_spec recover_params[] = {
    TEXT_REQUIRED("member", 31),
    DECIMAL_REQUIRED("amount"), END};
static const struct param_spec hedge_params[] = {
    TEXT_REQUIRED("member", 31), TEXT_REQUIRED("instrument_name", 63),
    {.name = "direction", .kind = PARAM_enum, .required = REQUIRED, .names = rpc_side_names},
    DECIMAL_REQUIRED("amount"),
    DECIMAL_REQUIRED("price"),
    ENUM("time_in_force", tif_words), END};
static const struct param_spec auction_open_params[] = {
    TEXT_REQUIRED("member", 31), INT("portions"),
    INT_REQUIRED("deadline"), INT("bidders_min"),
    BOOL("clients"), DECIMAL("reserve"), END};
static const struct param_spec bid_params[] = {
    INT_REQUIRED("auction"), INT("portions"),
    DECIMAL("price"), TEXT("account", 31), END};
static const struct param_spec settle_day_params[] = {TEXT_REQUIRED("product", 15),
                                                      ENUM("cycle", rpc_cycle_names), END};
static const struct param_spec index_create_params[] = {
    TEXT_REQUIRED("index_name", INDEX_NAME_SIZE - 1),
    ARRAY_REQUIRED("sources"),
    ARRAY("tiers"),
    INT("minimum_sources"), INT("carries_max"), INT("staleness_seconds"), INT("delay_seconds"),
    DECIMAL("deviation"), DECIMAL("deviation_minimum"), DECIMAL("value_minimum"),
    INT("spot_sellers_minimum"), INT("spot_volume_minimum"), DECIMAL("spot_seller_share"), END};
static const struct param_spec index_submit_params[] = {
    TEXT_REQUIRED("index_name", INDEX_NAME_SIZE - 1), ID("hour", 39), ID("observed_at", 39),
    DECIMAL_REQUIRED("value"), END};
static const struct param_spec index_price_params[] = {
    TEXT_REQUIRED("index_name", INDEX_NAME_SIZE - 1),
    ID_REQUIRED("hour", 39),
    DECIMAL_REQUIRED("value"),
    TEXT("reason", INDEX_REASON_SIZE - 1), END};
static const struct param_spec settlement_history_params[] = {
    TEXT("instrument_name", 63), TEXT("currency", 31), TEXT("account", 31), INT("count"), END};

/* ---- collateral, calls, porting ---- */

static const struct param_spec set_clearing_params[] = {
    INT("call_seconds"), INT("slice_seconds"), DECIMAL("slice_share"), INT("slice_lots_max"),
    INT("slices_per_day"), DECIMAL("slice_width"), INT("slice_width_ticks"),
    DECIMAL("maintenance_share"), DECIMAL("collateral_cap"), TEXT("reason", REASON_TEXT_SIZE - 1),
    END};
static const struct param_spec set_collateral_params[] = {
    TEXT_REQUIRED("asset", ASSET_NAME_SIZE - 1), TEXT("instrument_name", 63),
    DECIMAL_REQUIRED("price"),
    DECIMAL_REQUIRED("haircut"),
    TEXT_REQUIRED("source", ASSET_SOURCE_SIZE - 1), TEXT("reason", REASON_TEXT_SIZE - 1), END};
static const struct param_spec capacity_params[] = {
    TEXT_REQUIRED("account", 31), TEXT_REQUIRED("asset", ASSET_NAME_SIZE - 1),
    DECIMAL_REQUIRED("amount"),
    TEXT_REQUIRED("evidence", EVIDENCE_SIZE - 1), END};
static const struct param_spec sell_collateral_params[] = {
    TEXT_REQUIRED("account", 31), TEXT_REQUIRED("asset", ASSET_NAME_SIZE - 1),
    DECIMAL_REQUIRED("amount"),
    TEXT_REQUIRED("buyer", 31),
    DECIMAL_REQUIRED("price"),
    TEXT_REQUIRED("evidence", EVIDENCE_SIZE - 1), END};
static const struct param_spec pledge_params[] = {
    TEXT_REQUIRED("asset", ASSET_NAME_SIZE - 1),
    DECIMAL_REQUIRED("amount"), END};
static const struct param_spec balances_params[] = {TEXT("account", 31), END};
static const struct param_spec clearing_history_params[] = {TEXT("account", 31), INT("count"),
                                                             END};
static const struct param_spec member_calls_params[] = {TEXT("member", 31), END};
static const struct param_spec accept_port_params[] = {TEXT_REQUIRED("account", 31),
                                                       TEXT("member", 31), BOOL("withdraw"), END};
static const struct param_spec port_params[] = {TEXT_REQUIRED("account", 31),
                                                TEXT_REQUIRED("member", 31), END};

/* ---- the spot market (INDEX-01) ---- */

static const struct param_spec spot_open_params[] = {
    TEXT_REQUIRED("product", 15), ID("start", 39), INT("hours"), ID("closes_at", 39),
    ID("deadline", 39), END};
static const struct param_spec spot_auction_params[] = {INT("auction"), TEXT("product", 15),
                                                        INT("curve_hour"), END};
static const struct param_spec spot_auctions_params[] = {TEXT("product", 15), INT("count"), END};
static const struct param_spec spot_auction_history_params[] = {
    TEXT("product", 15), INT("auction"), INT("count"), INT("continuation"), END};
static const struct param_spec spot_bid_history_params[] = {INT("auction"), INT("count"),
                                                            INT("continuation"), END};
static const struct param_spec spot_bid_params[] = {
    INT("auction"), TEXT("product", 15), ENUM_REQUIRED("side", rpc_side_names), BOOL("block"),
    ARRAY("hours"), ARRAY("curve"), DECIMAL("price"), DECIMAL("amount"), ARRAY("amounts"),
    INT("parent"), INT("replaces"), END};
static const struct param_spec spot_cancel_params[] = {INT_REQUIRED("auction"), INT("bid"), END};
static const struct param_spec spot_bids_params[] = {INT("auction"), TEXT("product", 15),
                                                     INT("count"), INT("from_id"), END};
static const struct param_spec spot_result_params[] = {
    INT_REQUIRED("auction"), INT_REQUIRED("version"), ARRAY_REQUIRED("prices"),
    ARRAY_REQUIRED("dual_prices"), ARRAY_REQUIRED("accepted"), TEXT_REQUIRED("surplus_e6", 39),
    TEXT_REQUIRED("bound_e6", 39), INT("nodes"), BOOL("optimal"), END};
/* ---- certificates and tokens ---- */

#define CLASS_PARAMS ENUM("grade", grade_words), TEXT("region", REGION_NAME_SIZE - 1)
#define HOURS_PARAMS                                                                              \
    ID_REQUIRED("hour", 39), INT("hours"),                                                        \
        DECIMAL_REQUIRED("amount")
static const struct param_spec accredit_params[] = {
    TEXT_REQUIRED("name", CERTIFIER_NAME_SIZE - 1), ENUM_REQUIRED("role", accreditation_role_words),
    TEXT_REQUIRED("public_key", 2 * PUBLIC_KEY_SIZE), TEXT("reason", CERTIFICATE_REASON_SIZE - 1),
    END};
static const struct param_spec disaccredit_params[] = {
    TEXT_REQUIRED("name", CERTIFIER_NAME_SIZE - 1), ENUM_REQUIRED("role", accreditation_role_words),
    TEXT("reason", CERTIFICATE_REASON_SIZE - 1), END};
static const struct param_spec certification_params[] = {
    INT("acceptance_seconds"), INT("validity_seconds"), INT("appeal_seconds"),
    INT("duration_minimum"), DECIMAL("work_maximum"), BOOL("accept_quick"), ARRAY("vintages"),
    ARRAY("regions"), TEXT("reason", CERTIFICATE_REASON_SIZE - 1), END};
static const struct param_spec certificate_params[] = {
    NOTE_REQUIRED("certificate"), END};
static const struct param_spec appeal_params[] = {
    NOTE_REQUIRED("certificate"), INT_REQUIRED("appeals"), END};
static const struct param_spec withdraw_certificate_params[] = {
    INT_REQUIRED("certificate_id"), TEXT("account", 31),
    TEXT("reason", CERTIFICATE_REASON_SIZE - 1), END};
static const struct param_spec end_certificate_params[] = {
    INT_REQUIRED("certificate_id"), TEXT("reason", CERTIFICATE_REASON_SIZE - 1), END};
static const struct param_spec certificates_params[] = {
    TEXT("resource", RESOURCE_NAME_SIZE - 1), TEXT("provider", 31), INT("certificate_id"),
    BOOL("live"), INT("count"), INT("from_id"), END};
static const struct param_spec token_issue_params[] = {
    TEXT_REQUIRED("resource", RESOURCE_NAME_SIZE - 1), HOURS_PARAMS, TEXT("account", 31), END};
static const struct param_spec token_transfer_params[] = {
    INT_REQUIRED("vintage"), CLASS_PARAMS, HOURS_PARAMS, TEXT_REQUIRED("destination", 31), END};
static const struct param_spec token_pledge_params[] = {
    TEXT_REQUIRED("instrument_name", 63), DECIMAL_REQUIRED("amount"), BOOL("release"), END};
static const struct param_spec tokens_params[] = {
    INT("vintage"), CLASS_PARAMS, INT("count"), ID("start_timestamp", 39),
    ID("end_timestamp", 39), END};

/* ---- delivery ---- */

static const struct param_spec tender_params[] = {
    TEXT("instrument_name", 63), TEXT_REQUIRED("resource", RESOURCE_NAME_SIZE - 1),
    DECIMAL("amount"), ENUM("grade", grade_words), TEXT("endpoint", ENDPOINT_SIZE - 1),
    TEXT("public_key", 2 * PUBLIC_KEY_SIZE), TEXT("account", 31), END};
static const struct param_spec intake_params[] = {
    TEXT("instrument_name", 63), TEXT("endpoint", ENDPOINT_SIZE - 1),
    TEXT("public_key", 2 * PUBLIC_KEY_SIZE), OBJECT("constraints"), BOOL("withdraw"),
    TEXT("account", 31), END};
static const struct param_spec tenders_params[] = {TEXT("instrument_name", 63),
                                                   TEXT("account", 31), END};
static const struct param_spec allocations_params[] = {TEXT("instrument_name", 63), INT("count"),
                                                       INT("from_id"), END};
static const struct param_spec own_allocations_params[] = {
    TEXT("instrument_name", 63), TEXT("account", 31), INT("count"), INT("from_id"), END};
static const struct param_spec warrant_params[] = {
    INT_REQUIRED("allocation"), TEXT_REQUIRED("account", 31), DECIMAL("amount"), END};
static const struct param_spec receipt_params[] = {NOTE_REQUIRED("receipt"), TEXT("account", 31),
                                                   END};
static const struct param_spec verdict_params[] = {NOTE_REQUIRED("verdict"), END};
static const struct param_spec challenge_params[] = {
    INT_REQUIRED("allocation"),
    ID_REQUIRED("hour", 39),
    TEXT("reason", DELIVERY_REASON_SIZE - 1), END};
static const struct param_spec delivery_params[] = {TEXT("instrument_name", 63),
                                                    INT("allocation"), END};

#define READ (RPC_SCOPE_read | RPC_SCOPE_auditor | RPC_SCOPE_officer | RPC_SCOPE_clear)
#define CLEARING (RPC_SCOPE_officer | RPC_SCOPE_clear)
#define ORDER (RPC_METHOD_command | RPC_METHOD_order)
#define CANCEL (RPC_METHOD_command | RPC_METHOD_cancel)
#define COMMAND RPC_METHOD_command

const struct rpc_method rpc_methods[] = {
    {"private/buy", rpc_buy, order_params, RPC_SCOPE_trade, ORDER},
    {"private/sell", rpc_sell, order_params, RPC_SCOPE_trade, ORDER},
    {"private/edit", rpc_edit, edit_params, RPC_SCOPE_trade, ORDER},
    {"private/cancel", rpc_cancel, order_id_params, RPC_SCOPE_trade, CANCEL},
    {"private/cancel_by_label", rpc_cancel_by_label, cancel_label_params, RPC_SCOPE_trade, CANCEL},
    {"private/cancel_all", rpc_cancel_all, cancel_all_params, RPC_SCOPE_trade, CANCEL},
    {"private/cancel_all_by_instrument", rpc_cancel_all_by_instrument, cancel_instrument_params,
     RPC_SCOPE_trade, CANCEL},
    {"private/cancel_all_by_currency", rpc_cancel_all_by_currency, cancel_currency_params,
     RPC_SCOPE_trade, CANCEL},
    {"private/mass_quote", rpc_mass_quote, mass_quote_params, RPC_SCOPE_trade, ORDER},

    {"public/get_time", rpc_get_time, no_params, 0, 0},
    {"public/test", rpc_test, no_params, 0, 0},
    {"public/status", rpc_status, no_params, 0, 0},
    {"public/get_currencies", rpc_get_currencies, currencies_params, 0, 0},
    {"public/get_products", rpc_get_products, no_params, 0, 0},
    {"public/get_instruments", rpc_get_instruments, instruments_params, 0, 0},
    {"public/get_instrument", rpc_get_instrument, instrument_params, 0, 0},
    {"public/get_contract_size", rpc_get_contract_size, instrument_params, 0, 0},
    {"public/get_order_book", rpc_get_order_book, book_params, 0, 0},
    {"public/ticker", rpc_ticker, instrument_params, 0, 0},
    {"public/get_index_price", rpc_get_index_price, index_params, 0, 0},
    {"public/get_book_summary_by_currency", rpc_get_book_summary, summary_params, 0, 0},
    {"public/get_book_summary_by_instrument", rpc_get_book_summary_by_instrument,
     instrument_params, 0, 0},
    {"public/get_last_trades_by_instrument", rpc_get_last_trades, trades_params, 0, 0},
    {"public/get_last_trades_by_instrument_and_time", rpc_get_last_trades, trades_params, 0, 0},
    {"public/get_last_trades_by_currency", rpc_get_last_trades_by_currency,
     trades_currency_params, 0, 0},
    {"public/get_last_trades_by_currency_and_time", rpc_get_last_trades_by_currency,
     trades_currency_params, 0, 0},
    {"public/get_settlements", rpc_get_settlements, settlements_params, 0, 0},
    {"public/get_index", rpc_get_index, get_index_params, 0, 0},
    {"public/get_halts", rpc_get_halts, halts_params, 0, 0},
    {"public/get_state_hash", rpc_get_state_hash, no_params, 0, 0},

    {"private/get_account_summary", rpc_get_account_summary, account_params, READ, 0},
    {"private/get_account_summaries", rpc_get_account_summaries, account_params, READ, 0},
    {"private/get_positions", rpc_get_positions, positions_params, READ, 0},
    {"private/get_position", rpc_get_position, position_params, READ, 0},
    {"private/get_open_orders", rpc_get_open_orders, open_params, READ, 0},
    {"private/get_open_orders_by_currency", rpc_get_open_orders, open_currency_params, READ, 0},
    {"private/get_open_orders_by_instrument", rpc_get_open_orders, open_instrument_params, READ,
     0},
    {"private/get_order_state", rpc_get_order_state, order_state_params, READ, 0},
    {"private/get_order_history_by_currency", rpc_get_order_history, history_currency_params, READ,
     0},
    {"private/get_order_history_by_instrument", rpc_get_order_history, history_instrument_params,
     READ, 0},
    {"private/get_user_trades_by_currency", rpc_get_user_trades, own_trades_currency_params, READ,
     0},
    {"private/get_user_trades_by_currency_and_time", rpc_get_user_trades,
     own_trades_currency_params, READ, 0},
    {"private/get_user_trades_by_instrument", rpc_get_user_trades, own_trades_instrument_params,
     READ, 0},
    {"private/get_user_trades_by_instrument_and_time", rpc_get_user_trades,
     own_trades_instrument_params, READ, 0},
    {"private/get_user_trades_by_order", rpc_get_user_trades_by_order, own_trades_order_params,
     READ, 0},
    {"private/get_margin", rpc_get_margin, get_margin_params, READ, 0},
    {"private/simulate_margin", rpc_simulate_margin, simulate_margin_params, READ, 0},
    {"private/convert", rpc_convert, convert_params, RPC_SCOPE_trade, COMMAND},
    {"public/get_margin_parameters", rpc_get_margin_parameters, no_params, 0, 0},
    {"private/get_ledger", rpc_get_ledger, ledger_params, READ, 0},
    {"private/get_statement", rpc_get_statement, statement_params, READ, 0},
    {"private/get_settlement_history_by_instrument", rpc_get_settlement_history,
     settlement_history_params, READ, 0},
    {"private/get_settlement_history_by_currency", rpc_get_settlement_history,
     settlement_history_params, READ, 0},
    {"private/index_submit", rpc_index_submit, index_submit_params, RPC_SCOPE_trade, COMMAND},
    {"private/withdraw", rpc_withdraw, withdraw_params, RPC_SCOPE_withdraw, COMMAND},
    {"private/submit_transfer_between_accounts", rpc_transfer, transfer_params,
     RPC_SCOPE_withdraw | RPC_SCOPE_clear, COMMAND},
    {"private/submit_transfer_between_subaccounts", rpc_transfer, transfer_params,
     RPC_SCOPE_withdraw | RPC_SCOPE_clear, COMMAND},

    {"private/officer_create_product", rpc_create_product, product_params, RPC_SCOPE_officer,
     COMMAND},
    {"private/officer_list_instrument", rpc_list_instrument, list_params, RPC_SCOPE_officer,
     COMMAND},
    {"private/officer_list_spread", rpc_list_spread, spread_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_create_account", rpc_create_account, create_account_params,
     RPC_SCOPE_officer, COMMAND},
    {"private/officer_deposit", rpc_deposit, deposit_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_withdraw", rpc_officer_withdraw, deposit_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_confirm", rpc_confirm, confirm_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_refuse", rpc_request_refuse, confirm_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_get_requests", rpc_get_requests, no_params,
     RPC_SCOPE_officer | RPC_SCOPE_auditor, 0},
    {"private/officer_get_accounts", rpc_get_accounts, no_params,
     RPC_SCOPE_officer | RPC_SCOPE_auditor | RPC_SCOPE_clear, 0},
    {"private/officer_set_state", rpc_set_state, state_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_set_guards", rpc_set_guards, guards_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_kill", rpc_kill, kill_params, RPC_SCOPE_officer, CANCEL},
    {"private/officer_cancel_all", rpc_officer_cancel_all, officer_cancel_params,
     RPC_SCOPE_officer, CANCEL},
    {"private/officer_settlement_price", rpc_settlement_price, price_params, CLEARING, COMMAND},
    {"private/officer_settle_day", rpc_settle_day, settle_day_params, CLEARING, COMMAND},
    {"private/officer_create_index", rpc_index_create, index_create_params, RPC_SCOPE_officer,
     COMMAND},
    {"private/officer_index_price", rpc_index_set_price, index_price_params, RPC_SCOPE_officer,
     COMMAND},
    {"private/officer_mark_to_market", rpc_mark_to_market, no_params, CLEARING, COMMAND},
    {"private/officer_expire", rpc_expire, instrument_params, CLEARING, COMMAND},
    {"private/officer_clock", rpc_clock, clock_params, RPC_SCOPE_officer, 0},
    {"private/officer_venue_set", rpc_venue_set, venue_params, RPC_SCOPE_officer, COMMAND},
    {"public/get_spot_auction", rpc_get_spot_auction, spot_auction_params, 0, 0},
    {"public/get_spot_auctions", rpc_get_spot_auctions, spot_auctions_params, 0, 0},
    {"public/get_spot_auction_history", rpc_spot_auction_history, spot_auction_history_params, 0,
     0},
    {"private/get_spot_bid_history", rpc_spot_bid_history, spot_bid_history_params, READ, 0},
    {"private/spot_bid", rpc_spot_bid, spot_bid_params, RPC_SCOPE_trade, ORDER},
    {"private/spot_cancel", rpc_spot_cancel, spot_cancel_params, RPC_SCOPE_trade, CANCEL},
    {"private/get_spot_bids", rpc_get_spot_bids, spot_bids_params, READ, 0},
    {"private/officer_open_spot", rpc_spot_open, spot_open_params, RPC_SCOPE_officer, COMMAND},
    {"private/clearing_get_spot_bids", rpc_clearing_spot_bids, spot_bids_params, RPC_SCOPE_clear,
     0},
    {"private/clearing_spot_result", rpc_spot_result, spot_result_params, RPC_SCOPE_clear,
     COMMAND},
    {"private/block_propose", rpc_block_propose, block_params, RPC_SCOPE_trade, ORDER},
    {"private/block_accept", rpc_block_accept, block_answer_params, RPC_SCOPE_trade, ORDER},
    {"private/block_decline", rpc_block_decline, block_answer_params, RPC_SCOPE_trade, CANCEL},
    {"private/get_blocks", rpc_get_blocks, blocks_params, READ, 0},
    {"private/officer_bust_trade", rpc_bust_trade, bust_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_adjust_trade", rpc_adjust_trade, adjust_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_set_limits", rpc_set_limits, limits_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_set_deliverable_supply", rpc_set_deliverable_supply, supply_params,
     RPC_SCOPE_officer, COMMAND},
    {"private/officer_set_owner", rpc_set_owner, owner_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_set_physical_capacity", rpc_set_physical_capacity, physical_params,
     RPC_SCOPE_officer, COMMAND},
    {"private/officer_set_exemption", rpc_set_exemption, exemption_params, RPC_SCOPE_officer,
     COMMAND},
    {"private/officer_revoke_exemption", rpc_revoke_exemption, revoke_params, RPC_SCOPE_officer,
     COMMAND},
    {"private/officer_get_exemptions", rpc_get_exemptions, no_params,
     RPC_SCOPE_officer | RPC_SCOPE_auditor | RPC_SCOPE_clear, 0},
    {"private/officer_get_large_positions", rpc_get_large_positions, large_params,
     RPC_SCOPE_officer | RPC_SCOPE_auditor | RPC_SCOPE_clear, 0},
    {"public/get_collateral", rpc_get_collateral, no_params, 0, 0},
    {"public/get_clearing", rpc_get_clearing, no_params, 0, 0},
    {"private/get_balances", rpc_get_balances, balances_params, READ, 0},
    {"private/pledge", rpc_pledge, pledge_params, RPC_SCOPE_withdraw, COMMAND},
    {"private/release", rpc_release, pledge_params, RPC_SCOPE_withdraw, COMMAND},
    {"private/get_margin_calls", rpc_get_margin_calls, balances_params, READ, 0},
    {"private/get_clearing_history", rpc_get_clearing_history, clearing_history_params, READ, 0},
    {"private/clearing_get_member_calls", rpc_get_member_calls, member_calls_params,
     RPC_SCOPE_officer | RPC_SCOPE_clear | RPC_SCOPE_auditor, 0},
    {"private/clearing_call_margin", rpc_call_margin, balances_params, CLEARING, COMMAND},
    {"private/clearing_accept_port", rpc_accept_port, accept_port_params, CLEARING, COMMAND},
    {"private/clearing_port", rpc_port, port_params, CLEARING, COMMAND},
    {"private/officer_set_collateral", rpc_set_collateral, set_collateral_params,
     RPC_SCOPE_officer, COMMAND},
    {"private/officer_issue_capacity", rpc_issue_capacity, capacity_params, RPC_SCOPE_officer,
     COMMAND},
    {"private/officer_retire_capacity", rpc_retire_capacity, capacity_params, RPC_SCOPE_officer,
     COMMAND},
    {"private/officer_sell_collateral", rpc_sell_collateral, sell_collateral_params,
     RPC_SCOPE_officer, COMMAND},
    {"private/officer_set_clearing", rpc_set_clearing, set_clearing_params, RPC_SCOPE_officer,
     COMMAND},
    {"private/officer_set_margin", rpc_set_margin, margin_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_set_margin_credits", rpc_set_margin_credits, margin_credits_params,
     RPC_SCOPE_officer, COMMAND},
    {"private/clearing_margin_run", rpc_margin_run, margin_run_params, RPC_SCOPE_clear, COMMAND},
    {"private/clearing_margin_results", rpc_margin_results, margin_results_params,
     RPC_SCOPE_clear, COMMAND},

    {"public/get_default_fund", rpc_get_default_fund, no_params, 0, 0},
    {"private/clearing_get_fund", rpc_get_fund, no_params, READ, 0},
    {"private/clearing_fund_set", rpc_fund_set, fund_set_params, RPC_SCOPE_officer, COMMAND},
    {"private/clearing_fund_size", rpc_fund_size, fund_size_params, CLEARING, COMMAND},
    {"private/clearing_capital", rpc_capital, capital_params, RPC_SCOPE_officer, COMMAND},
    {"private/clearing_collect", rpc_fund_collect, collect_params, CLEARING, COMMAND},
    {"private/fund_contribute", rpc_fund_contribute, fund_money_params,
     RPC_SCOPE_withdraw | RPC_SCOPE_clear, COMMAND},
    {"private/fund_pay_assessment", rpc_fund_pay_assessment, fund_money_params,
     RPC_SCOPE_withdraw | RPC_SCOPE_clear, COMMAND},
    {"private/fund_release", rpc_fund_release, fund_money_params,
     RPC_SCOPE_withdraw | RPC_SCOPE_clear, COMMAND},
    {"private/officer_declare_default", rpc_declare_default, declare_params, RPC_SCOPE_officer,
     CANCEL},
    {"private/clearing_get_defaults", rpc_get_defaults, no_params,
     RPC_SCOPE_officer | RPC_SCOPE_auditor | RPC_SCOPE_clear, 0},
    {"private/clearing_hedge", rpc_default_hedge, hedge_params, CLEARING, COMMAND},
    {"private/clearing_auction_open", rpc_auction_open, auction_open_params, CLEARING, COMMAND},
    {"private/get_auctions", rpc_get_auctions, no_params, READ, 0},
    {"private/auction_bid", rpc_auction_bid, bid_params, RPC_SCOPE_trade | RPC_SCOPE_clear,
     COMMAND},
    {"private/clearing_allocate", rpc_default_allocate, default_params, CLEARING, COMMAND},
    {"private/clearing_tear_up", rpc_default_tear_up, default_params, CLEARING, COMMAND},
    {"private/clearing_close_default", rpc_default_close, default_params, CLEARING, COMMAND},
    {"private/clearing_recover", rpc_default_recover, recover_params, CLEARING, COMMAND},
    {"private/clearing_write_off", rpc_default_write_off, default_params, CLEARING, COMMAND},
    {"private/clearing_readmit", rpc_default_readmit, default_params, RPC_SCOPE_officer, COMMAND},
    {"private/clearing_close_out", rpc_close_out, close_out_params, CLEARING, CANCEL},

    {"private/officer_accredit", rpc_accredit, accredit_params, RPC_SCOPE_officer, COMMAND},
    {"private/officer_revoke_accreditation", rpc_revoke_accreditation, disaccredit_params,
     RPC_SCOPE_officer, COMMAND},
    {"public/get_accreditations", rpc_get_accreditations, no_params, 0, 0},
    {"private/officer_set_certification", rpc_set_certification, certification_params,
     RPC_SCOPE_officer, COMMAND},
    {"public/get_certification", rpc_get_certification, no_params, 0, 0},
    {"private/certificate_submit", rpc_certificate_submit, certificate_params,
     RPC_SCOPE_trade | RPC_SCOPE_officer, COMMAND},
    {"private/certificate_appeal", rpc_certificate_appeal, appeal_params,
     RPC_SCOPE_trade | RPC_SCOPE_officer, COMMAND},
    {"private/certificate_withdraw", rpc_certificate_withdraw, withdraw_certificate_params,
     RPC_SCOPE_trade | RPC_SCOPE_officer, COMMAND},
    {"private/officer_refuse_certificate", rpc_refuse_certificate, end_certificate_params,
     RPC_SCOPE_officer, COMMAND},
    {"private/officer_decertify", rpc_decertify, end_certificate_params, RPC_SCOPE_officer,
     COMMAND},
    {"public/get_certificates", rpc_get_certificates, certificates_params, 0, 0},
    {"private/token_issue", rpc_token_issue, token_issue_params,
     RPC_SCOPE_trade | RPC_SCOPE_officer, COMMAND},
    {"private/token_retire", rpc_token_retire, token_issue_params,
     RPC_SCOPE_trade | RPC_SCOPE_officer, COMMAND},
    {"private/token_transfer", rpc_token_transfer, token_transfer_params, RPC_SCOPE_withdraw,
     COMMAND},
    {"private/token_pledge", rpc_token_pledge, token_pledge_params, RPC_SCOPE_withdraw, COMMAND},
    {"public/get_tokens", rpc_get_tokens, tokens_params, 0, 0},
    {"private/tender", rpc_tender, tender_params, RPC_SCOPE_trade | RPC_SCOPE_officer, COMMAND},
    {"private/intake", rpc_intake, intake_params, RPC_SCOPE_trade | RPC_SCOPE_officer, COMMAND},
    {"private/warrant_transfer", rpc_warrant_transfer, warrant_params, RPC_SCOPE_withdraw,
     COMMAND},
    {"private/receipt_submit", rpc_receipt_submit, receipt_params,
     RPC_SCOPE_trade | RPC_SCOPE_officer, COMMAND},
    {"private/proof_submit", rpc_proof_submit, verdict_params,
     RPC_SCOPE_trade | RPC_SCOPE_auditor | RPC_SCOPE_officer, COMMAND},
    {"private/proof_challenge", rpc_proof_challenge, challenge_params,
     RPC_SCOPE_trade | RPC_SCOPE_auditor, COMMAND},
    {"private/get_tenders", rpc_get_tenders, tenders_params, READ, 0},
    {"private/get_allocations", rpc_get_own_allocations, own_allocations_params, READ, 0},
    {"public/get_allocations", rpc_get_allocations, allocations_params, 0, 0},
    {"public/get_delivery", rpc_get_delivery, delivery_params, 0, 0},
    {NULL, NULL, NULL, 0, 0},
};
