/* demo_stage.c: see demo_stage.h: processes and words. */
#include "cli/demo_stage.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MOMENT_MS = 50, BEGIN_MS = 60000, END_MS = 10000 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- words ---- */

void stage_step(struct stage *s, const char *format, ...)
{
    va_list list;
    (void)printf("\n%u. ", ++s->number);
    va_start(list, format);
    (void)vprintf(format, list);
    va_end(list);
    (void)printf("\n");
    (void)fflush(stdout);
}

void stage_say(struct stage *s, const char *format, ...)
{
    va_list list;
    (void)s;
    (void)printf("   ");
    va_start(list, format);
    (void)vprintf(format, list);
    va_end(list);
    (void)printf("\n");
    (void)fflush(stdout);
}

bool stage_fail(struct stage *s, const char *format, ...)
{
    va_list list;
    if (s->failed) return false; /* the first reason is the reason */
    s->failed = true;
    (void)fflush(stdout);
    (void)fprintf(stderr, "dojima demo: ");
    va_start(list, format);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    (void)fprintf(stderr, "\n");
    return false;
}

/* ---- opening ---- */

int stage_open(struct stage *s, const char *directory, bool keep)
{
    size_t size = sizeof s->program;
    uv_fs_t request;
    s->keep = keep;
    if (uv_loop_init(&s->loop) != 0 || uv_exepath(s->program, &size) != 0) return -1;
    if (directory != NULL) {
        (void)snprintf(s->directory, sizeof s->directory, "%s", directory);
        int status = uv_fs_mkdir(NULL, &request, s->directory, 0700, NULL);
        uv_fs_req_cleanup(&request);
        if (status != 0) {
            (void)stage_fail(s, "%s must be a directory that is not there yet", directory);
            return -1;
        }
    } else {
        const char *temporary = getenv("TMPDIR");
        char pattern[STAGE_PATH_SIZE];
        (void)snprintf(pattern, sizeof pattern, "%.200s/dojima-demo-XXXXXX",
                       temporary != NULL && temporary[0] != 0 ? temporary : "/tmp");
        int status = uv_fs_mkdtemp(NULL, &request, pattern, NULL);
        if (status == 0)
            (void)snprintf(s->directory, sizeof s->directory, "%s", request.path);
        uv_fs_req_cleanup(&request);
        if (status != 0) {
            (void)stage_fail(s, "no temporary directory: %s", uv_strerror(status));
            return -1;
        }
    }
    interrupted = 0;
    (void)signal(SIGINT, on_interrupt);
    (void)signal(SIGTERM, on_interrupt);
    (void)signal(SIGPIPE, SIG_IGN);
    return 0;
}

void stage_path(const struct stage *s, char path[STAGE_PATH_SIZE], const char *name)
{
    (void)snprintf(path, STAGE_PATH_SIZE, "%.180s/%.60s", s->directory, name);
}

/* ---- processes ---- */

static void on_end(uv_process_t *handle, int64_t status, int number)
{
    struct stage_process *p = handle->data;
    p->running = false;
    p->status = number != 0 ? 128 + number : status;
}

/* A file for a process's words; its descriptor. */
static int words_open(const struct stage *s, const char *name, const char *suffix)
{
    char file[64], path[STAGE_PATH_SIZE];
    uv_fs_t request;
    (void)snprintf(file, sizeof file, "%s.%s", name, suffix);
    stage_path(s, path, file);
    int descriptor = (int)uv_fs_open(NULL, &request, path,
                                     UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_APPEND, 0600, NULL);
    uv_fs_req_cleanup(&request);
    return descriptor;
}

static void words_close(int descriptor)
{
    uv_fs_t request;
    if (descriptor < 0) return;
    (void)uv_fs_close(NULL, &request, descriptor, NULL);
    uv_fs_req_cleanup(&request);
}

struct stage_process *stage_start(struct stage *s, const char *name, const char *const *arguments)
{
    char *list[STAGE_ARGUMENTS + 2];
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
    int out = words_open(s, name, "out"), err = words_open(s, name, "err");
    size_t n = 0;
    if (s->process_count == STAGE_PROCESSES || out < 0 || err < 0) {
        (void)stage_fail(s, "%s cannot be started", name);
        return NULL;
    }
    list[n++] = s->program;
    while (arguments[n - 1] != NULL && n <= STAGE_ARGUMENTS) {
        list[n] = (char *)(uintptr_t)arguments[n - 1];
        n += 1;
    }
    list[n] = NULL;
    stdio[1] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = out};
    stdio[2] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = err};
    struct stage_process *p = &s->processes[s->process_count];
    uv_process_options_t o = {.file = s->program, .args = list, .exit_cb = on_end,
                              .stdio = stdio, .stdio_count = 3};
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    p->handle.data = p;
    int status = uv_spawn(&s->loop, &p->handle, &o);
    words_close(out);
    words_close(err);
    if (status != 0) {
        (void)stage_fail(s, "%s cannot be started: %s", name, uv_strerror(status));
        return NULL;
    }
    s->process_count += 1;
    p->running = true;
    return p;
}

/* What a process said last on standard error. */
static void last_words(const struct stage *s, const char *name)
{
    char file[64], path[STAGE_PATH_SIZE], line[512], kept[4][512] = {{0}};
    uint32_t n = 0;
    (void)snprintf(file, sizeof file, "%s.err", name);
    stage_path(s, path, file);
    FILE *f = fopen(path, "r");
    if (f == NULL) return;
    while (fgets(line, sizeof line, f) != NULL)
        (void)snprintf(kept[n++ % 4], sizeof kept[0], "%s", line);
    (void)fclose(f);
    for (uint32_t i = n > 4 ? n - 4 : 0; i < n; i++)
        (void)fprintf(stderr, "dojima demo: %s: %s", name, kept[i % 4]);
}

bool stage_moment(struct stage *s)
{
    if (s->failed) return false;
    uv_sleep(MOMENT_MS);
    (void)uv_run(&s->loop, UV_RUN_NOWAIT);
    return interrupted == 0 || stage_fail(s, "interrupted");
}

static bool all_run(struct stage *s)
{
    for (uint32_t i = 0; i < s->process_count; i++) {
        struct stage_process *p = &s->processes[i];
        if (p->running || p->status == 0) continue;
        (void)stage_fail(s, "%s has ended with %lld", p->name, (long long)p->status);
        last_words(s, p->name);
        return false;
    }
    return true;
}

bool stage_wait(struct stage *s, const char *what, uint32_t seconds,
                bool (*is)(struct stage *s, void *context), void *context)
{
    uint64_t until = uv_hrtime() + (uint64_t)seconds * 1000000000u;
    while (!is(s, context)) {
        if (!stage_moment(s) || !all_run(s)) return false;
        if (uv_hrtime() < until) continue;
        (void)stage_fail(s, "waited in vain: %s", what);
        for (uint32_t i = 0; i < s->process_count; i++) last_words(s, s->processes[i].name);
        return false;
    }
    return !s->failed;
}

static bool line_read(struct stage *s, const char *name, char line[STAGE_LINE_SIZE])
{
    char file[64], path[STAGE_PATH_SIZE];
    (void)snprintf(file, sizeof file, "%s.out", name);
    stage_path(s, path, file);
    FILE *f = fopen(path, "r");
    bool whole = f != NULL && fgets(line, STAGE_LINE_SIZE, f) != NULL &&
                 strchr(line, '\n') != NULL;
    if (f != NULL) (void)fclose(f);
    if (whole) line[strcspn(line, "\n")] = 0;
    return whole;
}

bool stage_line(struct stage *s, const struct stage_process *p, char line[STAGE_LINE_SIZE])
{
    uint64_t until = uv_hrtime() + (uint64_t)BEGIN_MS * 1000000u;
    while (p != NULL && !line_read(s, p->name, line)) {
        if (!stage_moment(s)) return false;
        if (p->running && uv_hrtime() < until) continue;
        last_words(s, p->name);
        return stage_fail(s, "%s did not begin", p->name);
    }
    return p != NULL;
}

int stage_run(struct stage *s, const char *name, const char *const *arguments)
{
    struct stage_process *p = stage_start(s, name, arguments);
    if (p == NULL) return -1;
    while (p->running && stage_moment(s)) {}
    if (p->running) return -1;
    int64_t status = p->status;
    uv_close((uv_handle_t *)&p->handle, NULL);
    (void)uv_run(&s->loop, UV_RUN_NOWAIT);
    s->process_count -= 1; /* the last one: its place is free again */
    return (int)status;
}

bool stage_stop(struct stage *s, struct stage_process *p, int number)
{
    if (!p->running) return true;
    (void)uv_process_kill(&p->handle, number);
    uint64_t until = uv_hrtime() + (uint64_t)END_MS * 1000000u;
    while (p->running) {
        (void)uv_run(&s->loop, UV_RUN_NOWAIT);
        uv_sleep(10);
        if (uv_hrtime() > until) (void)uv_process_kill(&p->handle, SIGKILL);
    }
    bool clean = p->status == 0;
    p->status = 0; /* it was told to */
    return clean;
}

uint32_t stage_heard(struct stage *s, const char *name, const char *text)
{
    char file[64], path[STAGE_PATH_SIZE], line[1024];
    uint32_t count = 0;
    (void)snprintf(file, sizeof file, "%s.err", name);
    stage_path(s, path, file);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strstr(line, text) != NULL) count += 1;
    if (f != NULL) (void)fclose(f);
    return count;
}

/* ---- the end ---- */

/* Files and then the directories that held them. */
static void remove_all(const char *path)
{
    uv_fs_t scan, request;
    uv_dirent_t entry;
    char inner[1024];
    if (uv_fs_scandir(NULL, &scan, path, 0, NULL) >= 0) {
        while (uv_fs_scandir_next(&scan, &entry) != UV_EOF) {
            (void)snprintf(inner, sizeof inner, "%s/%s", path, entry.name);
            if (entry.type == UV_DIRENT_DIR) {
                remove_all(inner);
            } else {
                (void)uv_fs_unlink(NULL, &request, inner, NULL);
                uv_fs_req_cleanup(&request);
            }
        }
    }
    uv_fs_req_cleanup(&scan);
    (void)uv_fs_rmdir(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
}

int stage_close(struct stage *s)
{
    for (uint32_t i = s->process_count; i-- > 0;) {
        (void)stage_stop(s, &s->processes[i], SIGTERM);
        uv_close((uv_handle_t *)&s->processes[i].handle, NULL);
    }
    (void)uv_run(&s->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&s->loop);
    for (uint32_t i = 0; i < s->caller_count; i++) client_close(&s->callers[i]);
    if (s->keep) (void)printf("\nEverything is kept in %s\n", s->directory);
    else if (s->directory[0] != 0) remove_all(s->directory);
    return s->failed ? 1 : 0;
}
