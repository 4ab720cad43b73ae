/* io_machine.c: see io_machine.h. */
#include "io/io_machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct io_name *)a)->text, ((const struct io_name *)b)->text);
}

int64_t io_machine_list(const char *path, struct io_name *names, size_t names_max)
{
    DIR *directory = opendir(path);
    if (directory == NULL) return -errno;
    size_t count = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || length >= IO_NAME_SIZE) continue;
        if (count < names_max) memcpy(names[count].text, entry->d_name, length + 1);
        count += 1;
    }
    (void)closedir(directory);
    qsort(names, count < names_max ? count : names_max, sizeof *names, by_name);
    return (int64_t)count;
}

int64_t io_machine_text(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    size_t length = 0;
    while (length < size - 1) {
        ssize_t got = read(file, text + length, size - 1 - length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        length += (size_t)got;
    }
    (void)close(file);
    text[length] = 0;
    return (int64_t)length;
}
