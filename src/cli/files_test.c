/* files_test.c: whole files, and what is swept away. */
#include "cli/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

enum { DAY = 24 * 3600 };
static char directory[64];

static int make(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/dojima-files-XXXXXX");
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int drop(void **state)
{
    (void)state;
    return rmdir(directory);
}

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void aged(const char *name, int64_t seconds)
{
    struct utimbuf t = {.actime = time(NULL) - seconds, .modtime = time(NULL) - seconds};
    assert_true(files_write(path_of(name), name, strlen(name)));
    assert_int_equal(utime(path_of(name), &t), 0);
}

static void unused_files_go(void **state)
{
    (void)state;
    files_directory_make(path_of("folder"));
    struct utimbuf long_ago = {.actime = 1, .modtime = 1};
    assert_int_equal(utime(path_of("folder"), &long_ago), 0);
    aged("new", 0);
    aged("old", 3 * DAY);
    aged("young", DAY);
    aged("used", 3 * DAY);
    files_touch(path_of("used"));
    files_sweep(directory, 2 * DAY);
    assert_int_equal(files_size(path_of("new")), 3);
    assert_int_equal(files_size(path_of("old")), -1);
    assert_int_equal(files_size(path_of("young")), 5);
    assert_int_equal(files_size(path_of("used")), 4);
    assert_int_equal(rmdir(path_of("folder")), 0); /* directories stay */
    files_sweep(path_of("none"), 0);
    files_sweep(directory, -DAY);
    assert_int_equal(files_size(path_of("new")), -1);
}

static void a_file_is_read_whole_or_not(void **state)
{
    size_t size;
    (void)state;
    assert_true(files_write(path_of("five"), "12345", 5));
    uint8_t *bytes = files_read(path_of("five"), 5, &size);
    assert_non_null(bytes);
    assert_int_equal(size, 5);
    assert_memory_equal(bytes, "12345", 5);
    free(bytes);
    assert_null(files_read(path_of("five"), 4, &size));
    assert_int_equal(errno, EFBIG);
    assert_int_equal(unlink(path_of("five")), 0);
    assert_null(files_read(path_of("five"), 5, &size));
    assert_int_equal(errno, ENOENT);
    assert_false(files_write(path_of("folder/five"), "12345", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unused_files_go, make, drop),
        cmocka_unit_test_setup_teardown(a_file_is_read_whole_or_not, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
