/* import_fuzz.c: any bytes as a file of any of the three formats: figures or an error, never a bug.
 *
 * The importers read files, so the bytes go through one; its name is the process's own.
 */
#include "cli/import.h"

#include <stdlib.h>

static char path[] = "/tmp/dojima-import-fuzz-XXXXXX";

static void remove_file(void) { (void)remove(path); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int (*const formats[])(const struct import_options *, struct import_report *) = {
        import_lobster, import_kraken, import_independent_reserve};
    static bool made;
    if (size < 1) return 0;
    if (!made) {
        int fd = mkstemp(path);
        FILE *first = fd < 0 ? NULL : fdopen(fd, "wb");
        if (first == NULL) return 0;
        (void)fclose(first);
        (void)atexit(remove_file);
        made = true;
    }
    FILE *f = fopen(path, "wb");
    if (f == NULL) return 0;
    (void)fwrite(data + 1, 1, size - 1, f);
    (void)fclose(f);
    struct import_options options = {.path = path, .depth = 10, .orders = 64};
    struct import_report report = {0};
    int status = formats[data[0] % 3](&options, &report);
    ASSERT(status == 0 || report.error[0] != 0);
    return 0;
}
