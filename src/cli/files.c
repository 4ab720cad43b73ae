/* files.c: see files.h. */
#include "cli/files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

enum { CHUNK = 1 << 16, PATH_SIZE = 4500 };

void files_directory_make(const char *path)
{
    uv_fs_t request;
    (void)uv_fs_mkdir(NULL, &request, path, 0700, NULL);
    uv_fs_req_cleanup(&request);
}

/* Bytes that will do at once, where the file tells its length. */
static size_t capacity_of(FILE *f)
{
    long length = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    if (length < 0) clearerr(f);
    rewind(f);
    return length > 0 && length < LONG_MAX ? (size_t)length + 1 : CHUNK; /* a directory's is that */
}

uint8_t *files_read(const char *path, size_t most, size_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t used = 0, capacity = 0;
    while (f != NULL) {
        if (used == capacity) {
            capacity = capacity == 0 ? capacity_of(f) : capacity * 2;
            errno = EFBIG;
            if (capacity > most + CHUNK) break;
            uint8_t *more = realloc(bytes, capacity);
            if (more == NULL) break;
            bytes = more;
        }
        size_t got = fread(bytes + used, 1, capacity - used, f);
        used += got;
        if (got != 0) continue;
        errno = used > most ? EFBIG : errno;
        if (used > most || ferror(f)) break;
        (void)fclose(f);
        *size = used;
        return bytes;
    }
    int kept = errno;
    if (f != NULL) (void)fclose(f);
    free(bytes);
    errno = kept;
    return NULL;
}

int64_t files_size(const char *path)
{
    uv_fs_t request;
    int64_t size = uv_fs_stat(NULL, &request, path, NULL) == 0
                       ? (int64_t)request.statbuf.st_size : -1;
    uv_fs_req_cleanup(&request);
    return size;
}

bool files_sync(FILE *f)
{
    uv_fs_t request;
    bool synced = fflush(f) == 0 && uv_fs_fsync(NULL, &request, fileno(f), NULL) == 0;
    if (synced) uv_fs_req_cleanup(&request);
    return synced;
}

void files_touch(const char *path)
{
    uv_fs_t request;
    double now = (double)time(NULL);
    (void)uv_fs_utime(NULL, &request, path, now, now, NULL);
    uv_fs_req_cleanup(&request);
}

static bool is_unused(const char *path, int64_t since)
{
    uv_fs_t request;
    bool unused = uv_fs_lstat(NULL, &request, path, NULL) == 0 &&
                  (request.statbuf.st_mode & S_IFMT) == S_IFREG &&
                  request.statbuf.st_mtim.tv_sec < since;
    uv_fs_req_cleanup(&request);
    return unused;
}

void files_sweep(const char *directory, int64_t seconds)
{
    uv_fs_t scan;
    uv_dirent_t entry;
    int64_t since = (int64_t)time(NULL) - seconds;
    if (uv_fs_scandir(NULL, &scan, directory, 0, NULL) > 0) {
        while (uv_fs_scandir_next(&scan, &entry) != UV_EOF) {
            char path[PATH_SIZE];
            int n = snprintf(path, sizeof path, "%s/%s", directory, entry.name);
            if (n < (int)sizeof path && is_unused(path, since)) (void)remove(path);
        }
    }
    uv_fs_req_cleanup(&scan);
}

bool files_write(const char *path, const void *bytes, size_t size)
{
    char part[PATH_SIZE];
    (void)snprintf(part, sizeof part, "%.4400s.part", path);
    FILE *f = fopen(part, "wb");
    bool written = f != NULL && fwrite(bytes, 1, size, f) == size;
    if (f != NULL && fclose(f) != 0) written = false;
    if (written && rename(part, path) == 0) return true;
    (void)remove(part);
    return false;
}
