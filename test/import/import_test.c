/* import_test.c: the importers on the small made-up files in data/, and on the real ones where they
 * are (DOJIMA_SHARED, or ../shared beside the project); without them it says so and skips.
 *
 * usage: import_test DIRECTORY-OF-MADE-DATA PROJECT-ROOT
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/import.h"

#include <stdlib.h>
#include <string.h>

static const char *data_path, *root_path;

typedef int (*importer)(const struct import_options *options, struct import_report *report);

static int import_file(importer run, const char *folder, const char *name, uint32_t depth,
                       struct import_report *r)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    struct import_options o = {.path = path, .depth = depth};
    *r = (struct import_report){0};
    int status = run(&o, r);
    if (status != 0) print_message("%s\n", r->error);
    return status;
}

static void expect(const struct import_report *r, const char *key, int64_t value)
{
    if (import_value(r, key) != value) print_message("%s:\n", key);
    assert_int_equal(import_value(r, key), value);
}

/* A file of bytes that no importer may take; what it says must name the line. */
static void refuse(importer run, const char *text, const char *says)
{
    char name[] = "/tmp/dojima-import-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
    struct import_options o = {.path = name, .depth = 10};
    struct import_report r = {0};
    int status = run(&o, &r);
    (void)remove(name);
    assert_int_equal(status, -1);
    if (strstr(r.error, says) == NULL) print_message("said: %s\n", r.error);
    assert_non_null(strstr(r.error, says));
}

static void lobster_made(void **state)
{
    (void)state;
    struct import_report r;
    assert_int_equal(import_file(import_lobster, data_path, "lobster.csv", 0, &r), 0);
    expect(&r, "messages", 17);
    expect(&r, "new_orders", 7);
    expect(&r, "partial_cancels", 1);
    expect(&r, "deletes", 2);
    expect(&r, "executions", 6);
    expect(&r, "hidden_executions", 1);
    expect(&r, "unknown", 2);
    expect(&r, "unknown_deletes", 1);
    expect(&r, "unknown_executions", 1);
    expect(&r, "executions_known", 5);
    expect(&r, "executions_best", 5);
    expect(&r, "executions_front", 4);
    expect(&r, "execution_mismatches", 0);
    expect(&r, "size_mismatches", 0);
    expect(&r, "rejects", 0);
    expect(&r, "crossed", 0);
    expect(&r, "resting", 3);      /* 13, 23, 14 */
    expect(&r, "resting_lots", 95);
    assert_true(r.ok);
}

static void lobster_refused(void **state)
{
    (void)state;
    refuse(import_lobster, "34200.1,1,5,10,5853300,1\n34200.2,1,6,ten,5853300,1\n", "line 2");
    refuse(import_lobster, "34200.1,1,5,10,5853300\n", "line 1: six fields");
    refuse(import_lobster, "34200.1,9,5,10,5853300,1\n", "message type");
    refuse(import_lobster, "34200.1,1,5,10,5853300,0\n", "direction");
    refuse(import_lobster, "34200.1,1,5,0,5853300,1\n", "size");
    refuse(import_lobster, "34200.1,1,5,1,5853300,1\n34200.1,1,5,1,5853300,1\n", "in use");
    refuse(import_lobster, "1,2,3,4,5,6,7,8,9,10,11,12,13,14\n", "too many fields");
    struct import_options o = {.path = "/nonexistent/file"};
    struct import_report r = {0};
    assert_int_equal(import_lobster(&o, &r), -1);
    assert_non_null(strstr(r.error, "cannot be read"));
}

static void kraken_made(void **state)
{
    (void)state;
    struct import_report r;
    assert_int_equal(import_file(import_kraken, data_path, "kraken.csv", 12, &r), 0);
    expect(&r, "pairs", 2);
    expect(&r, "snapshot_rows", 46);
    expect(&r, "update_rows", 9);
    expect(&r, "checksums", 8);
    expect(&r, "checksums_equal", 8);
    expect(&r, "unknown_removals", 1);
    expect(&r, "trimmed", 3);
    expect(&r, "traded", 0);
    expect(&r, "crossed", 0);
    expect(&r, "rejects", 0);
    assert_true(import_value(&r, "split_levels") >= 11); /* 2.2 x 10^15 lots of 10^-8 */
    assert_true(r.ok);
    assert_int_equal(import_file(import_kraken, data_path, "kraken_bad.csv", 12, &r), 0);
    expect(&r, "checksums_equal", 7);
    assert_false(r.ok);
    assert_non_null(strstr(r.error, "BBBUSD at line"));
}

static void kraken_refused(void **state)
{
    (void)state;
    refuse(import_kraken, "1.5,A/B,S,a,1.0,1.0,1.4,\n1.5,A/B,U,x,1.0,1.0,1.4,5\n", "line 2");
    refuse(import_kraken, "1.5,A/B,S,a,1.x,1.0,1.4,\n", "decimal");
    refuse(import_kraken, "1.5,A/B,S,a,1.0,1.0,1.4,-5\n", "checksum");
    refuse(import_kraken, "1.5,A B,S,a,1.0,1.0,1.4,5\n", "name");
    refuse(import_kraken, "1.5,A/B,S,a,1.0\n", "eight fields");
}

static void reserve_made(void **state)
{
    (void)state;
    struct import_report r;
    assert_int_equal(import_file(import_independent_reserve, data_path, "independent_reserve.csv",
                                 0, &r), 0);
    expect(&r, "pairs", 2);
    expect(&r, "snapshots", 2);
    expect(&r, "snapshot_rows", 4);
    expect(&r, "replaced", 1);
    expect(&r, "new_orders", 4);
    expect(&r, "repeated", 1);
    expect(&r, "changes", 2);
    expect(&r, "cancels", 3);
    expect(&r, "unknown_before", 1);
    expect(&r, "unknown_after", 1);
    expect(&r, "nonce_gaps", 0);
    expect(&r, "traded", 0);
    expect(&r, "resting", 4); /* 2, 6, 5, 7 */
    assert_true(r.ok);
    refuse(import_independent_reserve, "1.5,a,b,NewOrder,1,B,zz,1.0,1.0,x\n", "GUID");
    refuse(import_independent_reserve, "1.5,a,b,Nothing,1,B,zz,1.0,1.0,x\n", "event");
}

/* The folder of real data, or NULL. */
static const char *shared(const char *name)
{
    static char folder[512];
    char path[640];
    const char *given = getenv("DOJIMA_SHARED");
    if (given != NULL) (void)snprintf(folder, sizeof folder, "%s/data", given);
    else (void)snprintf(folder, sizeof folder, "%s/../shared/data", root_path);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        print_message("skipped: %s is not there (DOJIMA_SHARED names its parent)\n", name);
        return NULL;
    }
    (void)fclose(f);
    return folder;
}

static void lobster_real(void **state)
{
    (void)state;
    const char *name = "lobster_AAPL_20120621_0930_1030_message50.csv.gz";
    const char *folder = shared(name);
    if (folder == NULL) skip();
    struct import_report r;
    assert_int_equal(import_file(import_lobster, folder, name, 0, &r), 0);
    expect(&r, "messages", 91997);
    expect(&r, "new_orders", 44256);
    expect(&r, "partial_cancels", 469);
    expect(&r, "deletes", 41004);
    expect(&r, "executions", 4067);
    expect(&r, "hidden_executions", 2201);
    expect(&r, "unknown", 84);
    expect(&r, "unknown_deletes", 72);
    expect(&r, "unknown_executions", 12);
    expect(&r, "executions_known", 4055);
    expect(&r, "executions_best", 4055);
    expect(&r, "executions_front", 4031);
    expect(&r, "execution_mismatches", 0);
    expect(&r, "size_mismatches", 0);
    expect(&r, "traded_at_entry", 0);
    expect(&r, "crossed", 0);
    expect(&r, "resting", 380);
    assert_true(r.ok);
}

static void kraken_real(void **state)
{
    (void)state;
    const char *name = "kraken_l2_book_2021.csv.gz";
    const char *folder = shared(name);
    if (folder == NULL) skip();
    struct import_report r;
    assert_int_equal(import_file(import_kraken, folder, name, 1000, &r), 0);
    expect(&r, "pairs", 10);
    expect(&r, "rows", 11745);
    expect(&r, "checksums", 4269);
    expect(&r, "checksums_equal", 4269);
    expect(&r, "traded", 0);
    assert_true(r.ok);
}

static void reserve_real(void **state)
{
    (void)state;
    const char *name = "independent_reserve_l3_2022.csv.gz";
    const char *folder = shared(name);
    if (folder == NULL) skip();
    struct import_report r;
    assert_int_equal(import_file(import_independent_reserve, folder, name, 0, &r), 0);
    expect(&r, "pairs", 5);
    expect(&r, "snapshot_rows", 1784);
    expect(&r, "new_orders", 831);
    expect(&r, "repeated", 36);
    expect(&r, "cancels", 832);
    expect(&r, "unknown_before", 2);
    expect(&r, "unknown_after", 37);
    expect(&r, "replaced", 3);
    expect(&r, "nonce_gaps", 0);
    expect(&r, "resting", 1783);
    expect(&r, "crossed", 0);
    expect(&r, "traded", 0);
    assert_true(r.ok);
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    data_path = argv[1];
    root_path = argv[2];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lobster_made), cmocka_unit_test(lobster_refused),
        cmocka_unit_test(kraken_made), cmocka_unit_test(kraken_refused),
        cmocka_unit_test(reserve_made), cmocka_unit_test(lobster_real),
        cmocka_unit_test(kraken_real), cmocka_unit_test(reserve_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
