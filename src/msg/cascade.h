/* cascade.h: when contracts end by the calendar, and which of them become shorter ones
 * (CONTRACT-01). Part of command.h, whose rules of layout hold here.
 */
#ifndef DOJIMA_MSG_CASCADE_H
#define DOJIMA_MSG_CASCADE_H

#include "base/assert.h"

#include <stdint.h>

enum { TRADING_PERIODS = 6, LAST_TRADING_DAYS_MAX = 366 };

/* How the last trading instant follows from a period's first and last date. A business day is
 * Monday to Friday; the time is of that date, in seconds of the UTC day. */
enum last_trading_rule {
    LAST_TRADING_end = 0,         /* the end of the period */
    LAST_TRADING_business_days,   /* so many business days before its first date */
    LAST_TRADING_days,            /* so many calendar days before its first date */
    LAST_TRADING_last_business,   /* the last business day within it */
    LAST_TRADING_count
};

struct last_trading {
    uint16_t rule; /* enum last_trading_rule */
    uint16_t days;
    uint32_t second;
};
ASSERT_SIZE(struct last_trading, 8);

/* A product's; all zero: contracts trade until their period ends, and none cascades. By
 * enum period_kind, from years to hours. */
struct trading_calendar {
    struct last_trading last[TRADING_PERIODS];
    uint32_t cascades; /* 1 << enum period_kind: years, quarters, months, weeks may */
    uint32_t reserved;
};
ASSERT_SIZE(struct trading_calendar, 56);

#endif
