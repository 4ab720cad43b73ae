/* report_history.c: disclosures over days, from the history's tables (src/store/schema.h). */
#include "cli/report.h"

#include <math.h>
#include <sqlite3.h>

struct figures {
    double volume, notional, days; /* of trades */
    double vm_sum, vm_most, vm_days;
    double fees;
    double tests, breaches, worst;
    double calls_most, calls;
    double two_most, two_mean; /* variation of the two members who pay most, by day */
};

/* Days are those of UTC with a trade, or with variation; spreads count by their legs. */
static const char volume_text[] =
    "SELECT count(DISTINCT t.ts / 86400000000000), coalesce(sum(t.qty), 0),"
    " coalesce(sum(abs(1.0 * t.price * t.qty * i.contract_size)) / 1e12, 0)"
    " FROM trades t JOIN instruments i ON i.id = t.instrument AND i.is_spread = 0"
    " WHERE t.ts / 86400000000000 BETWEEN ?1 AND ?2";
static const char variation_text[] =
    "SELECT count(*), coalesce(sum(v), 0) / 1e6, coalesce(max(v), 0) / 1e6 FROM"
    " (SELECT sum(-min(c.variation, 0)) AS v FROM statement_cash c"
    "  JOIN accounts a ON a.id = c.account AND a.system = 0"
    "  JOIN assets s ON s.id = c.asset AND s.name = 'USD'"
    "  WHERE c.day BETWEEN ?1 AND ?2 GROUP BY c.day HAVING v > 0)";
static const char fees_text[] =
    "SELECT -coalesce(sum(c.fees), 0) / 1e6, 0, 0 FROM statement_cash c"
    " JOIN accounts a ON a.id = c.account AND a.system = 0 WHERE c.day BETWEEN ?1 AND ?2";

static const char two_text[] =
    "SELECT coalesce(max(s), 0) / 1e6, coalesce(avg(s), 0) / 1e6, 0 FROM"
    " (SELECT sum(v) AS s FROM"
    "  (SELECT c.day AS day, -sum(min(c.variation, 0)) AS v, row_number() OVER"
    "   (PARTITION BY c.day ORDER BY -sum(min(c.variation, 0)) DESC, a.member) AS k"
    "   FROM statement_cash c JOIN accounts a ON a.id = c.account AND a.system = 0"
    "   JOIN assets x ON x.id = c.asset AND x.name = 'USD'"
    "   WHERE c.day BETWEEN ?1 AND ?2 GROUP BY c.day, a.member)"
    "  WHERE k <= 2 GROUP BY day HAVING s > 0)";

/* Each account's last margin of a day against the variation until its next day with a mark: how
 * many such days, on how many it was not enough, the most that was missing. */
static const char backtest_text[] =
    "SELECT count(*), coalesce(sum(loss > initial), 0),"
    " coalesce(max(max(loss - initial, 0)), 0) / 1e6 FROM"
    " (SELECT m.initial AS initial, (SELECT -coalesce(sum(c.variation), 0) FROM statement_cash c"
    "   JOIN assets s ON s.id = c.asset AND s.name = 'USD'"
    "   WHERE c.account = m.account AND c.day > m.day AND c.day <= m.next) AS loss FROM"
    "  (SELECT account, day, initial, lead(day) OVER (PARTITION BY account ORDER BY day) AS next"
    "   FROM (SELECT account, day, initial, row_number() OVER"
    "    (PARTITION BY account, day ORDER BY mark DESC) AS k FROM statement_margin WHERE mode = 0)"
    "   WHERE k = 1) m WHERE m.initial > 0 AND m.next BETWEEN ?1 AND ?2)";
/* Of each call the most that was called, on the day that it was made. */
static const char calls_text[] =
    "SELECT coalesce(max(v), 0) / 1e6, coalesce(sum(n), 0), 0 FROM"
    " (SELECT sum(called) AS v, count(*) AS n FROM"
    "  (SELECT max(called) AS called, min(issued) / 86400000000000 AS day FROM calls GROUP BY call)"
    "  WHERE day BETWEEN ?1 AND ?2 GROUP BY day)";

static int ask(sqlite3 *db, const struct report *r, const char *text, double out[3])
{
    sqlite3_stmt *statement = NULL;
    int status = -1;
    if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_bind_int(statement, 1, r->from) == SQLITE_OK &&
        sqlite3_bind_int(statement, 2, r->to) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < 3; i++) out[i] = sqlite3_column_double(statement, i);
        status = 0;
    }
    (void)sqlite3_finalize(statement);
    return status;
}

static int read_figures(sqlite3 *db, const struct report *r, struct figures *f)
{
    double v[3];
    if (ask(db, r, volume_text, v) != 0) return -1;
    f->days = v[0];
    f->volume = v[1];
    f->notional = v[2];
    if (ask(db, r, variation_text, v) != 0) return -1;
    f->vm_days = v[0];
    f->vm_sum = v[1];
    f->vm_most = v[2];
    if (ask(db, r, fees_text, v) != 0) return -1;
    f->fees = v[0];
    if (ask(db, r, two_text, v) != 0) return -1;
    f->two_most = v[0];
    f->two_mean = v[1];
    if (ask(db, r, backtest_text, v) != 0) return -1;
    f->tests = v[0];
    f->breaches = v[1];
    f->worst = v[2];
    if (ask(db, r, calls_text, v) != 0) return -1;
    f->calls_most = v[0];
    f->calls = v[1];
    return 0;
}

/* Without a history each line says that it needs one. */
static void add_figures(struct report *r, const struct figures *f, bool have)
{
    const char *tests = f->tests > 0 || !have ? NULL : "no account had margin and a later mark";
    double days = fmax(f->days, 1), vm_days = fmax(f->vm_days, 1);
    const struct {
        const char *number, *text, *unit;
        int places;
        double value;
        const char *none; /* why there is no value though there is a history */
    } lines[] = {
        {"6.5", "Account-days with margin and a mark-to-market after it", "account-days", 0,
         f->tests, NULL},
        {"6.5", "Account-days whose loss was beyond initial margin", "account-days", 0,
         f->breaches, NULL},
        {"6.5", "Coverage achieved", "%", 4, 100 * (1 - f->breaches / fmax(f->tests, 1)), tests},
        {"6.5", "Greatest loss beyond initial margin", "USD", 2, f->worst, NULL},
        {"6.8", "Margin calls made in a day, greatest sum", "USD", 2, f->calls_most, NULL},
        {"6.8", "Number of margin calls", "calls", 0, f->calls, NULL},
        {"7.3", "Payments due from the two members who paid most in a day, greatest", "USD", 2,
         f->two_most, NULL},
        {"7.3", "The same, average of days with any", "USD", 2, f->two_mean, NULL},
        {"6.6", "Variation margin paid in, average of days with any", "USD", 2,
         f->vm_sum / vm_days, NULL},
        {"6.7", "Variation margin paid in, greatest day", "USD", 2, f->vm_most, NULL},
        {"15", "Fees from members", "USD", 2, f->fees, NULL},
        {"23", "Volume, average of days with trades", "lots", 2, f->volume / days, NULL},
        {"23", "Notional traded, average of days with trades", "USD", 2, f->notional / days, NULL},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *none = have ? lines[i].none : "needs --database";
        report_add(r, lines[i].number, lines[i].text, lines[i].unit,
                   none != NULL ? none : "history", none == NULL ? "%.*f" : NULL, lines[i].places,
                   lines[i].value);
    }
}

int report_history(struct report *r, const char *path)
{
    sqlite3 *db = NULL;
    struct figures f = {0};
    int status = SQLITE_OK;
    if (path != NULL) {
        status = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
        if (status == SQLITE_OK) status = read_figures(db, r, &f);
        if (status != 0)
            (void)fprintf(stderr, "dojima: %s: %s\n", path,
                          db != NULL ? sqlite3_errmsg(db) : "it cannot be opened");
        (void)sqlite3_close(db);
    }
    if (status != 0) return 1;
    add_figures(r, &f, path != NULL);
    return 0;
}
