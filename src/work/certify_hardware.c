/* certify_hardware.c: see certify_hardware.h. */
#include "work/certify_hardware.h"

#include "io/io_machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 512, FILE_SIZE = 1 << 20, DEVICES_READ = 512 };

/* Printable ASCII without spaces at the ends or two in a row; what is not, is left out. */
static void make_printable(char *text)
{
    size_t to = 0;
    for (size_t i = 0; text[i] != 0; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\t' || c == '\n' || c == '\r') c = ' ';
        if (c < ' ' || c > '~') continue;
        if (c == ' ' && (to == 0 || text[to - 1] == ' ')) continue;
        text[to++] = (char)c;
    }
    while (to > 0 && text[to - 1] == ' ') to -= 1;
    text[to] = 0;
}

/* The value of a line `key : value`, as /proc writes them, from `text` on. false: there is none. */
static bool value_of(const char *text, const char *key, char *value, size_t size)
{
    size_t length = strlen(key);
    for (const char *line = text; line != NULL && *line != 0;) {
        const char *end = strchr(line, '\n'), *colon;
        if (strncmp(line, key, length) == 0 && (colon = strchr(line, ':')) != NULL &&
            strspn(line + length, " \t") == (size_t)(colon - line) - length) {
            size_t rest = end != NULL ? (size_t)(end - colon) - 1 : strlen(colon + 1);
            (void)snprintf(value, size, "%.*s", (int)(rest < size ? rest : size - 1), colon + 1);
            make_printable(value);
            return true;
        }
        line = end != NULL ? end + 1 : NULL;
    }
    return false;
}

static uint32_t count_lines(const char *text, const char *key)
{
    uint32_t count = 0;
    size_t length = strlen(key);
    for (const char *line = text; line != NULL && *line != 0;) {
        if (strncmp(line, key, length) == 0) count += 1;
        line = strchr(line, '\n');
        if (line != NULL) line += 1;
    }
    return count;
}

/* Whether a word stands in a list of words. */
static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *p = words; (p = strstr(p, word)) != NULL; p += length)
        if ((p == words || p[-1] == ' ') && (p[length] == ' ' || p[length] == 0)) return true;
    return false;
}

static void read_features(struct hardware *h, const char *flags)
{
    static const char *const names[] = {"avx2", "fma", "avx512f", "avx512bw", "avx512_vnni",
                                        "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8",
                                        "amx_bf16", "asimd", "asimddp", "i8mm", "bf16", "sve"};
    size_t length = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!has_word(flags, names[i])) continue;
        length += (size_t)snprintf(h->features + length, sizeof h->features - length, "%s%s",
                                   length > 0 ? " " : "", names[i]);
        if (length >= sizeof h->features) return;
    }
}

static void read_processor(struct hardware *h, const char *root, char *text)
{
    char path[PATH_SIZE], value[8192];
    (void)snprintf(path, sizeof path, "%s/proc/cpuinfo", root);
    if (io_machine_text(path, text, FILE_SIZE) < 0) return;
    h->threads = count_lines(text, "processor");
    if (value_of(text, "model name", value, sizeof value) ||
        value_of(text, "Model", value, sizeof value))
        (void)snprintf(h->processor, sizeof h->processor, "%.95s", value);
    if (value_of(text, "cpu cores", value, sizeof value))
        h->cores = (uint32_t)strtoul(value, NULL, 10);
    for (uint32_t i = 0; i < 64; i++) { /* physical ids are small */
        char line[48];
        (void)snprintf(line, sizeof line, "physical id\t: %" PRIu32 "\n", i);
        if (strstr(text, line) != NULL) h->sockets += 1;
    }
    if (value_of(text, "flags", value, sizeof value) ||
        value_of(text, "Features", value, sizeof value)) {
        read_features(h, value);
        (void)snprintf(h->hypervisor, sizeof h->hypervisor, "%s",
                       has_word(value, "hypervisor") ? "yes" : "no");
    }
}

static void read_system(struct hardware *h, const char *root, char *text)
{
    char path[PATH_SIZE], value[256];
    (void)snprintf(path, sizeof path, "%s/proc/meminfo", root);
    if (io_machine_text(path, text, FILE_SIZE) >= 0 &&
        value_of(text, "MemTotal", value, sizeof value))
        h->memory = strtoull(value, NULL, 10) << 10;
    (void)snprintf(path, sizeof path, "%s/proc/sys/kernel/osrelease", root);
    (void)io_machine_text(path, h->kernel, sizeof h->kernel);
    make_printable(h->kernel);
    static const char *const drivers[][2] = {{"NVIDIA", "/sys/module/nvidia/version"},
                                             {"amdgpu", "/sys/module/amdgpu/version"}};
    for (int i = 0; i < 2 && h->driver[0] == 0; i++) {
        (void)snprintf(path, sizeof path, "%s%s", root, drivers[i][1]);
        if (io_machine_text(path, value, 64) <= 0) continue;
        make_printable(value);
        (void)snprintf(h->driver, sizeof h->driver, "%s %.63s", drivers[i][0], value);
    }
}

static uint32_t number_in(const char *folder, const char *name, char *text)
{
    char path[PATH_SIZE + 16];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return io_machine_text(path, text, 64) > 0 ? (uint32_t)strtoul(text, NULL, 16) : 0;
}

static void read_devices(struct hardware *h, const char *root, char *text)
{
    enum { DISPLAY = 0x03, ACCELERATOR = 0x12 };
    char path[PATH_SIZE];
    struct io_name *names = calloc(DEVICES_READ, sizeof *names);
    (void)snprintf(path, sizeof path, "%s/sys/bus/pci/devices", root);
    int64_t count = names != NULL ? io_machine_list(path, names, DEVICES_READ) : 0;
    for (int64_t i = 0; i < count && i < DEVICES_READ; i++) {
        struct hardware_device d = {0};
        if (h->device_count == HARDWARE_DEVICES_MAX) break;
        (void)snprintf(path, sizeof path, "%s/sys/bus/pci/devices/%s", root, names[i].text);
        d.class = number_in(path, "class", text);
        if (d.class >> 16 != DISPLAY && d.class >> 16 != ACCELERATOR) continue;
        d.vendor = number_in(path, "vendor", text);
        d.device = number_in(path, "device", text);
        (void)snprintf(d.address, sizeof d.address, "%.23s", names[i].text);
        make_printable(d.address);
        h->devices[h->device_count++] = d;
    }
    free(names);
}

void hardware_read(struct hardware *h, const char *root)
{
    *h = (struct hardware){0};
    char *text = malloc(FILE_SIZE);
    if (text == NULL) return;
    read_processor(h, root, text);
    read_system(h, root, text);
    read_devices(h, root, text);
    free(text);
}

void hardware_line(char *text, size_t size, const struct hardware *h, const struct gpu_facts *gpu)
{
    char processor[2 * HARDWARE_WORD_SIZE];
    (void)snprintf(processor, sizeof processor, "%" PRIu32 " x %s, %" PRIu64 " GiB", h->threads,
                   h->processor[0] != 0 ? h->processor : "unknown processor",
                   (h->memory + (UINT64_C(1) << 29)) >> 30);
    if (gpu != NULL) {
        bool said = strncmp(gpu->name, gpu->vendor, strlen(gpu->vendor)) == 0;
        (void)snprintf(text, size, "1 x %s%s%.40s, %" PRIu64 " GiB; %s", said ? "" : gpu->vendor,
                       said ? "" : " ", gpu->name, gpu->memory >> 30, processor);
    }
    else
        (void)snprintf(text, size, "%s", processor);
    make_printable(text);
}
