/* disk.c: see disk.h. */
#include "sim/disk.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 1024, SECTOR = 512, CHANGES_MAX = 256 };

struct blob {
    unsigned char *bytes; /* zeros behind size, up to capacity */
    size_t size;
    size_t capacity;
};

struct dirty { /* one write that no sync has covered */
    uint64_t offset;
    size_t size;
    unsigned char *bytes;
    struct dirty *next;
};

struct file {
    struct blob cache;
    struct blob durable;
    struct dirty *first;
    struct dirty *last;
    bool used;
};

struct name {
    char text[IO_NAME_SIZE]; /* empty: not in use */
    int file;
};

struct change { /* of a name; from empty: created, to empty: removed */
    char from[IO_NAME_SIZE];
    char to[IO_NAME_SIZE];
    int file;
};

struct disk {
    struct io io; /* first: an io is cast to its disk */
    struct random random;
    struct file files[FILES_MAX];
    struct name names[FILES_MAX];         /* as the process sees them */
    struct name names_durable[FILES_MAX];
    struct change changes[CHANGES_MAX];   /* between the two */
    size_t change_count;
    struct io_task *queue_first[IO_QUEUE_count];
    struct io_task *queue_last[IO_QUEUE_count];
    disk_hook *hook;
    void *hook_context;
    uint64_t operations;
    uint64_t stop_at;
    bool stop_at_names; /* at the next io_sync_directory */
    uint64_t syncs;
    uint64_t fail_sync_at;
    uint64_t space;
    ts_t now;
    bool stopped;
    bool eager;
};

static struct disk *disk_of(struct io *io) { return (struct disk *)(void *)io; }

/* ---- bytes ---- */

static void blob_grow(struct blob *b, size_t size)
{
    if (size > b->capacity) {
        size_t capacity = b->capacity == 0 ? 4096 : b->capacity;
        while (capacity < size) capacity *= 2;
        b->bytes = realloc(b->bytes, capacity);
        ASSERT(b->bytes != NULL);
        memset(b->bytes + b->capacity, 0, capacity - b->capacity);
        b->capacity = capacity;
    }
    if (size > b->size) b->size = size;
}

static void blob_put(struct blob *b, uint64_t offset, const void *bytes, size_t size)
{
    blob_grow(b, (size_t)offset + size);
    if (size > 0) memcpy(b->bytes + offset, bytes, size);
}

static void blob_copy(struct blob *to, const struct blob *from)
{
    if (to->size > from->size) memset(to->bytes + from->size, 0, to->size - from->size);
    to->size = 0;
    blob_put(to, 0, from->bytes, from->size);
}

static void dirty_drop(struct file *f)
{
    while (f->first != NULL) {
        struct dirty *next = f->first->next;
        free(f->first->bytes);
        free(f->first);
        f->first = next;
    }
    f->last = NULL;
}

static void dirty_add(struct file *f, uint64_t offset, const void *bytes, size_t size)
{
    struct dirty *w = calloc(1, sizeof *w);
    ASSERT(w != NULL);
    w->offset = offset;
    w->size = size;
    w->bytes = malloc(size == 0 ? 1 : size);
    ASSERT(w->bytes != NULL);
    if (size > 0) memcpy(w->bytes, bytes, size);
    if (f->last == NULL) f->first = w;
    else f->last->next = w;
    f->last = w;
}

static void file_clear(struct file *f)
{
    dirty_drop(f);
    free(f->cache.bytes);
    free(f->durable.bytes);
    *f = (struct file){0};
}

/* What a crash leaves of a file's unsynced writes. */
static void file_crash(struct disk *d, struct file *f, enum disk_crash how)
{
    size_t size_max = f->cache.size; /* whether a new size survives is a matter of its own */
    bool size_kept = how == DISK_CRASH_all_kept ||
                     (how != DISK_CRASH_all_lost && random_below(&d->random, 2) == 0);
    if (!size_kept) size_max = f->durable.size;
    bool cut = how == DISK_CRASH_all_lost;
    for (const struct dirty *w = f->first; w != NULL; w = w->next) {
        for (size_t at = 0; at < w->size; at += SECTOR) {
            size_t part = w->size - at < SECTOR ? w->size - at : SECTOR;
            if (w->offset + at + part > size_max) continue;
            uint64_t luck = random_below(&d->random, 64);
            if (how == DISK_CRASH_prefix && luck < 6) cut = true;
            bool kept = !cut && (how <= DISK_CRASH_prefix || luck < 40);
            if (!kept) continue;
            blob_put(&f->durable, w->offset + at, w->bytes + at, part);
            if (how != DISK_CRASH_garbage || luck >= 16) continue;
            for (size_t i = 0; i < part; i++)
                f->durable.bytes[w->offset + at + i] = (unsigned char)random_next(&d->random);
        }
    }
    if (size_kept) blob_grow(&f->durable, size_max);
    dirty_drop(f);
    blob_copy(&f->cache, &f->durable);
}

/* ---- names ---- */

static struct name *name_find(struct name *names, const char *text)
{
    for (int i = 0; i < FILES_MAX; i++) {
        if (names[i].text[0] != 0 && strcmp(names[i].text, text) == 0) return &names[i];
    }
    return NULL;
}

static void name_set(struct name *names, const char *text, int file)
{
    struct name *n = name_find(names, text);
    for (int i = 0; n == NULL && i < FILES_MAX; i++) {
        if (names[i].text[0] == 0) n = &names[i];
    }
    ASSERT(n != NULL && strlen(text) < IO_NAME_SIZE);
    (void)memccpy(n->text, text, 0, IO_NAME_SIZE);
    n->file = file;
}

static void change_apply(struct name *names, const struct change *c)
{
    struct name *from = c->from[0] == 0 ? NULL : name_find(names, c->from);
    if (from != NULL) from->text[0] = 0;
    if (c->to[0] != 0) name_set(names, c->to, c->file);
}

static void files_forget(struct disk *d)
{
    bool named[FILES_MAX] = {false};
    for (int i = 0; i < FILES_MAX; i++) {
        if (d->names[i].text[0] != 0) named[d->names[i].file] = true;
        if (d->names_durable[i].text[0] != 0) named[d->names_durable[i].file] = true;
    }
    for (size_t i = 0; i < d->change_count; i++) named[d->changes[i].file] = true;
    for (int i = 0; i < FILES_MAX; i++) {
        if (d->files[i].used && !named[i]) file_clear(&d->files[i]);
    }
}

static void names_sync(struct disk *d)
{
    memcpy(d->names_durable, d->names, sizeof d->names);
    d->change_count = 0;
}

static void change_make(struct disk *d, const char *from, const char *to, int file)
{
    ASSERT(d->change_count < CHANGES_MAX);
    struct change *c = &d->changes[d->change_count++];
    *c = (struct change){.file = file};
    (void)memccpy(c->from, from, 0, IO_NAME_SIZE);
    (void)memccpy(c->to, to, 0, IO_NAME_SIZE);
    change_apply(d->names, c);
}

/* ---- operations ---- */

static int step(struct disk *d)
{
    if (d->stopped) return -EIO;
    d->operations += 1;
    if (d->hook != NULL) d->hook(d->hook_context, d);
    if (d->stop_at != 0 && d->operations >= d->stop_at) d->stopped = true;
    return d->stopped ? -EIO : 0;
}

static int op_open(struct io *io, const char *name, enum io_open_mode mode)
{
    (void)mode;
    struct disk *d = disk_of(io);
    if (d->stopped) return -EIO;
    const struct name *n = name_find(d->names, name);
    return n == NULL ? -ENOENT : n->file;
}

static int op_create(struct io *io, const char *name)
{
    struct disk *d = disk_of(io);
    if (d->stopped) return -EIO;
    if (name_find(d->names, name) != NULL) return -EEXIST;
    files_forget(d);
    int file = 0;
    while (file < FILES_MAX && d->files[file].used) file += 1;
    ASSERT(file < FILES_MAX);
    d->files[file].used = true;
    change_make(d, "", name, file);
    int error = step(d);
    return error < 0 ? error : file;
}

static int op_close(struct io *io, int file)
{
    (void)file;
    return disk_of(io)->stopped ? -EIO : 0;
}

static int64_t op_read(struct io *io, int file, uint64_t offset, void *bytes, size_t size)
{
    struct disk *d = disk_of(io);
    if (d->stopped) return -EIO;
    const struct blob *b = &d->files[file].cache;
    if (offset >= b->size) return 0;
    if (size > b->size - offset) size = b->size - (size_t)offset;
    memcpy(bytes, b->bytes + offset, size);
    return (int64_t)size;
}

static bool space_is_short(const struct disk *d, const struct file *f, uint64_t end)
{
    if (d->space == 0 || end <= f->cache.size) return false;
    uint64_t used = end - f->cache.size;
    for (int i = 0; i < FILES_MAX; i++) used += d->files[i].cache.size;
    return used > d->space;
}

static int op_write(struct io *io, int file, uint64_t offset, const void *bytes, size_t size)
{
    struct disk *d = disk_of(io);
    struct file *f = &d->files[file];
    if (d->stopped) return -EIO;
    if (space_is_short(d, f, offset + size)) return -ENOSPC;
    blob_put(&f->cache, offset, bytes, size);
    dirty_add(f, offset, bytes, size);
    return step(d);
}

/* Whether this sync is the one that fails: any part got there, the rest only looks as if. */
static bool sync_fails(struct disk *d, struct file *f)
{
    d->syncs += 1;
    if (d->syncs != d->fail_sync_at) return false;
    struct blob seen = {0};
    blob_copy(&seen, &f->cache);
    file_crash(d, f, DISK_CRASH_some);
    blob_copy(&f->cache, &seen);
    free(seen.bytes);
    return true;
}

static int op_sync(struct io *io, int file)
{
    struct disk *d = disk_of(io);
    struct file *f = &d->files[file];
    int error = step(d);
    if (error < 0) return error;
    if (sync_fails(d, f)) return -EIO;
    dirty_drop(f);
    blob_copy(&f->durable, &f->cache);
    return 0;
}

/* Only its own range becomes durable: what was written before stays as it was. */
static int op_write_sync(struct io *io, int file, uint64_t offset, const void *bytes, size_t size)
{
    struct disk *d = disk_of(io);
    struct file *f = &d->files[file];
    ASSERT(d->stopped || offset + size <= f->durable.size);
    int error = op_write(io, file, offset, bytes, size);
    if (error < 0) return error;
    if (sync_fails(d, f)) return -EIO;
    struct dirty *own = f->last;
    struct dirty *before = NULL;
    if (f->first != own) {
        before = f->first;
        while (before->next != own) before = before->next;
        before->next = NULL;
    } else {
        f->first = NULL;
    }
    f->last = before;
    blob_put(&f->durable, own->offset, own->bytes, own->size);
    free(own->bytes);
    free(own);
    return 0;
}

static int op_settle(struct io *io, int file)
{
    struct file *f = &disk_of(io)->files[file];
    int error = f->first == NULL ? 0 : op_sync(io, file);
    if (error < 0) return error;
    blob_copy(&f->cache, &f->durable);
    return 0;
}

static int64_t op_size(struct io *io, int file)
{
    struct disk *d = disk_of(io);
    return d->stopped ? -EIO : (int64_t)d->files[file].cache.size;
}

static int op_rename(struct io *io, const char *from, const char *to)
{
    struct disk *d = disk_of(io);
    if (d->stopped) return -EIO;
    const struct name *n = name_find(d->names, from);
    if (n == NULL) return -ENOENT;
    change_make(d, from, to, n->file);
    return step(d);
}

static int op_remove(struct io *io, const char *name)
{
    struct disk *d = disk_of(io);
    if (d->stopped) return -EIO;
    const struct name *n = name_find(d->names, name);
    if (n == NULL) return -ENOENT;
    change_make(d, name, "", n->file);
    return step(d);
}

static int op_sync_directory(struct io *io)
{
    struct disk *d = disk_of(io);
    if (d->stop_at_names) disk_stop_after(d, 1);
    int error = step(d);
    if (error < 0) return error;
    names_sync(d);
    return 0;
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(((const struct io_name *)a)->text, ((const struct io_name *)b)->text);
}

static int64_t op_list(struct io *io, struct io_name *names, size_t names_max)
{
    struct disk *d = disk_of(io);
    if (d->stopped) return -EIO;
    size_t count = 0;
    for (int i = 0; i < FILES_MAX; i++) {
        if (d->names[i].text[0] == 0) continue;
        if (count < names_max) (void)memccpy(names[count].text, d->names[i].text, 0, IO_NAME_SIZE);
        count += 1;
    }
    if (names_max > 0)
        qsort(names, count < names_max ? count : names_max, sizeof *names, name_compare);
    return (int64_t)count;
}

static ts_t op_now(struct io *io) { return disk_of(io)->now; }

static int op_entropy(struct io *io, void *bytes, size_t size)
{
    struct disk *d = disk_of(io);
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)random_next(&d->random);
    return 0;
}

/* ---- tasks ---- */

static void op_submit(struct io *io, enum io_queue queue, struct io_task *task)
{
    struct disk *d = disk_of(io);
    task->next = NULL;
    if (d->queue_last[queue] == NULL) d->queue_first[queue] = task;
    else d->queue_last[queue]->next = task;
    d->queue_last[queue] = task;
}

static bool task_turn(struct disk *d, int queue)
{
    struct io_task *task = d->queue_first[queue];
    if (task == NULL) return false;
    d->queue_first[queue] = task->next;
    if (task->next == NULL) d->queue_last[queue] = NULL;
    task->run(task);
    task->done(task);
    return true;
}

static bool has_tasks(const struct disk *d)
{
    return d->queue_first[IO_QUEUE_journal] != NULL || d->queue_first[IO_QUEUE_background] != NULL;
}

static size_t op_poll(struct io *io)
{
    struct disk *d = disk_of(io);
    size_t ran = 0;
    while (has_tasks(d) && (d->eager || random_below(&d->random, 3) != 0)) {
        if (task_turn(d, (int)random_below(&d->random, IO_QUEUE_count))) ran += 1;
    }
    return ran;
}

static size_t op_wait(struct io *io)
{
    struct disk *d = disk_of(io);
    while (has_tasks(d)) {
        if (task_turn(d, (int)random_below(&d->random, IO_QUEUE_count))) return 1;
    }
    return 0;
}

static const struct io_verbs disk_verbs = {
    .open = op_open, .create = op_create, .close = op_close, .read = op_read,
    .write = op_write, .write_sync = op_write_sync, .sync = op_sync, .settle = op_settle,
    .size = op_size, .rename = op_rename, .remove = op_remove,
    .sync_directory = op_sync_directory, .list = op_list, .now = op_now,
    .entropy = op_entropy, .submit = op_submit, .poll = op_poll, .wait = op_wait,
};

/* ---- the disk from outside ---- */

struct disk *disk_new(uint64_t seed)
{
    struct disk *d = calloc(1, sizeof *d);
    ASSERT(d != NULL);
    d->io.verbs = &disk_verbs;
    d->random.state = seed;
    d->now = TS(INT64_C(1798761600) * NS_PER_SECOND); /* 2027-01-01 */
    return d;
}

struct disk *disk_clone(const struct disk *d, uint64_t seed)
{
    struct disk *c = disk_new(seed);
    c->now = d->now;
    memcpy(c->names, d->names, sizeof c->names);
    memcpy(c->names_durable, d->names_durable, sizeof c->names_durable);
    memcpy(c->changes, d->changes, d->change_count * sizeof c->changes[0]);
    c->change_count = d->change_count;
    for (int i = 0; i < FILES_MAX; i++) {
        const struct file *f = &d->files[i];
        if (!f->used) continue;
        c->files[i].used = true;
        blob_copy(&c->files[i].cache, &f->cache);
        blob_copy(&c->files[i].durable, &f->durable);
        for (const struct dirty *w = f->first; w != NULL; w = w->next)
            dirty_add(&c->files[i], w->offset, w->bytes, w->size);
    }
    return c;
}

void disk_free(struct disk *d)
{
    for (int i = 0; i < FILES_MAX; i++) file_clear(&d->files[i]);
    free(d);
}

struct io *disk_io(struct disk *d) { return &d->io; }

void disk_kill(struct disk *d)
{
    for (int i = 0; i < IO_QUEUE_count; i++) d->queue_first[i] = d->queue_last[i] = NULL;
    d->stopped = false;
    d->stop_at = 0;
    d->stop_at_names = false;
    d->fail_sync_at = 0;
    d->space = 0;
}

void disk_crash(struct disk *d, enum disk_crash how)
{
    disk_kill(d);
    size_t kept = how == DISK_CRASH_all_lost ? 0 : d->change_count;
    if (how > DISK_CRASH_all_kept) kept = random_below(&d->random, d->change_count + 1);
    for (size_t i = 0; i < kept; i++) change_apply(d->names_durable, &d->changes[i]);
    memcpy(d->names, d->names_durable, sizeof d->names);
    d->change_count = 0;
    for (int i = 0; i < FILES_MAX; i++) {
        if (d->files[i].used) file_crash(d, &d->files[i], how);
    }
    files_forget(d);
}

void disk_hook_set(struct disk *d, disk_hook *hook, void *context)
{
    d->hook = hook;
    d->hook_context = context;
}

void disk_stop_after(struct disk *d, uint64_t operations)
{
    d->stop_at = operations == 0 ? 0 : d->operations + operations;
}

void disk_stop_at_names(struct disk *d) { d->stop_at_names = true; }

bool disk_stopped(const struct disk *d) { return d->stopped; }

void disk_fail_sync_after(struct disk *d, uint64_t syncs)
{
    d->fail_sync_at = syncs == 0 ? 0 : d->syncs + syncs;
}

void disk_space_set(struct disk *d, uint64_t bytes) { d->space = bytes; }

void disk_clock_set(struct disk *d, ts_t now) { d->now = now; }

bool disk_is_faulty(const struct disk *d)
{
    return d->stopped || d->stop_at != 0 || d->fail_sync_at != 0 || d->space != 0;
}

void disk_eager_set(struct disk *d, bool eager) { d->eager = eager; }

unsigned char *disk_bytes(struct disk *d, const char *name, size_t *size)
{
    const struct name *n = name_find(d->names, name);
    if (n == NULL) return NULL;
    *size = d->files[n->file].durable.size;
    return d->files[n->file].durable.bytes;
}

void disk_flip(struct disk *d, const char *name, size_t at, unsigned char mask)
{
    size_t size;
    unsigned char *bytes = disk_bytes(d, name, &size);
    ASSERT(bytes != NULL && at < size);
    bytes[at] ^= mask;
    blob_copy(&d->files[name_find(d->names, name)->file].cache,
              &d->files[name_find(d->names, name)->file].durable);
}

void disk_put(struct disk *d, const char *name, const void *bytes, size_t size)
{
    int file = op_create(&d->io, name);
    ASSERT(file >= 0);
    blob_put(&d->files[file].cache, 0, bytes, size);
    blob_put(&d->files[file].durable, 0, bytes, size);
    names_sync(d);
}
