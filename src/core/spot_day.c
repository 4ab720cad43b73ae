/* spot_day.c: civil days on the grid of UTC hours: 23, 24 or 25 of them (UNIT-04, INDEX-01).
 *
 * The rules of daylight saving are those of the law as it stands: European Union, directive
 * 2000/84/EC; United States, Energy Policy Act of 2005.
 */
#include "core/spot.h"

#include "core/calendar.h"

/* The nth Sunday of a month (1 the first), or its last (0). */
static int64_t sunday(int year, int month, int nth)
{
    if (nth == 0) {
        int64_t last = calendar_day(year, month, calendar_month_days(year, month));
        return last - (calendar_weekday(last) + 1) % 7;
    }
    int64_t first = calendar_day(year, month, 1);
    return first + (6 - calendar_weekday(first)) + 7 * (nth - 1);
}

/* Whether clocks are one hour ahead at this hour of UTC. */
static bool is_summer(enum spot_zone zone, int offset, int64_t hour)
{
    int year = calendar_date(int64_div_floor(hour, 24)).year;
    if (zone == SPOT_ZONE_europe) {
        int64_t begin = sunday(year, 3, 0) * 24 + 1, end = sunday(year, 10, 0) * 24 + 1;
        return hour >= begin && hour < end;
    }
    if (zone == SPOT_ZONE_america) {
        int64_t begin = sunday(year, 3, 2) * 24 + 2 - offset;
        int64_t end = sunday(year, 11, 1) * 24 + 1 - offset; /* 02:00 of summer time */
        return hour >= begin && hour < end;
    }
    return false;
}

/* The hour of UTC at which a local date begins: whether its midnight is summer's, the hour before
 * it says, for clocks are never changed in between. */
static int64_t midnight(enum spot_zone zone, int offset, int64_t date)
{
    int64_t standard = date * 24 - offset;
    return is_summer(zone, offset, standard - 1) ? standard - 1 : standard;
}

struct spot_day spot_day_of(enum spot_zone zone, int offset_hours, int64_t date)
{
    int64_t first = midnight(zone, offset_hours, date);
    int64_t end = midnight(zone, offset_hours, date + 1);
    ASSERT(end - first >= 23 && end - first <= SPOT_HOURS_MAX);
    return (struct spot_day){.first_hour = first, .hours = (uint32_t)(end - first)};
}
