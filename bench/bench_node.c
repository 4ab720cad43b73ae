/* bench_node.c: an order into a running node and its durable acknowledgement out of it, over
 * WebSocket on the loopback, beside the raw floor on the same disk in the same run.
 *
 * Floor: a blocking TCP ping-pong of the same sizes in which the other side writes 4 KiB into a
 * file written beforehand and calls fdatasync before it answers. One outstanding: the next order
 * goes out when the last is acknowledged. Open loop: orders go out by the clock, and their latency
 * counts from the time at which they were due, however late they were sent: nothing is omitted
 * because the node was slow. Every acknowledgement is of a command on disk.
 *
 * Left out: TLS, other machines' networks, notifications to subscribers.
 */
#include "bench.h"

#include "gate/keys.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE = 260, ANSWER = 900, BLOCK = 4096, FLOOR_BYTES = 16 << 20, BUFFER = 1 << 20,
       CONNECTIONS = 8, FLOOR_ROUNDS = 3000, ORDERS = 5000, OPEN_SECONDS = 5 };

extern char **environ;

static int connect_to(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    if (s < 0 || connect(s, (struct sockaddr *)&a, sizeof a) != 0) return -1;
    (void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return s;
}

static bool read_all(int s, void *bytes, size_t size)
{
    return recv(s, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

/* ---- the floor ---- */

struct floor_side {
    int listener;
    int file;
};

static void *floor_main(void *argument)
{
    const struct floor_side *f = argument;
    static char block[BLOCK];
    char message[MESSAGE];
    char answer[ANSWER] = {0};
    int one = 1;
    int s = accept(f->listener, NULL, NULL);
    (void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (off_t at = 0; read_all(s, message, sizeof message); at = (at + BLOCK) % FLOOR_BYTES) {
        block[at / BLOCK % BLOCK] ^= 1;
        if (pwrite(f->file, block, BLOCK, at) != BLOCK || fdatasync(f->file) != 0) break;
        if (send(s, answer, sizeof answer, MSG_NOSIGNAL) != (ssize_t)sizeof answer) break;
    }
    close(s);
    return NULL;
}

static int floor_open(struct floor_side *f, const char *directory, int *port)
{
    char path[300];
    static char zeros[1 << 16];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    snprintf(path, sizeof path, "%s/floor", directory);
    f->file = open(path, O_RDWR | O_CREAT, 0600);
    for (int i = 0; f->file >= 0 && i < FLOOR_BYTES / (int)sizeof zeros; i++) {
        if (write(f->file, zeros, sizeof zeros) != (ssize_t)sizeof zeros) return -1;
    }
    if (f->file < 0 || fsync(f->file) != 0) return -1;
    f->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(f->listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(f->listener, 1) != 0)
        return -1;
    if (getsockname(f->listener, (struct sockaddr *)&a, &size) != 0) return -1;
    *port = ntohs(a.sin_port);
    return 0;
}

static double median_us(uint32_t *times, size_t count)
{
    double *v = malloc(count * sizeof *v);
    if (v == NULL) return 0;
    for (size_t i = 0; i < count; i++) v[i] = times[i] / 1000.0;
    double m = bench_median(v, count);
    free(v);
    return m;
}

/* p50 in microseconds; negative: it cannot be measured. */
static double floor_run(const char *directory)
{
    struct floor_side f;
    pthread_t thread;
    int port = 0;
    static uint32_t times[FLOOR_ROUNDS];
    char message[MESSAGE] = {0};
    char answer[ANSWER];
    if (floor_open(&f, directory, &port) != 0) return -1;
    if (pthread_create(&thread, NULL, floor_main, &f) != 0) return -1;
    int s = connect_to(port);
    size_t count = 0;
    for (; count < FLOOR_ROUNDS; count++) {
        uint64_t start = bench_now();
        if (send(s, message, sizeof message, MSG_NOSIGNAL) < 0) break;
        if (!read_all(s, answer, sizeof answer)) break;
        times[count] = (uint32_t)(bench_now() - start);
    }
    close(s);
    (void)pthread_join(thread, NULL);
    close(f.listener);
    close(f.file);
    if (count == 0) return -1;
    double p50 = median_us(times, count);
    printf("    floor: TCP ping-pong + fdatasync of 4 KiB: ");
    bench_percentiles_print(times, count);
    return p50;
}

/* ---- the node ---- */

struct node_process {
    pid_t pid;
    int port;
    char directory[200];
    struct key key;
    struct key officers[2]; /* a deposit takes two */
};

static const char config[] =
    "{\"products\":[{\"product\":\"BENCH\",\"kind\":\"future\",\"tick_size\":\"0.001\","
    "\"contract_size\":10,\"settlement\":\"cash\",\"matching\":{\"algorithm\":\"fifo\"},"
    "\"price_floor\":0,\"price_band\":1,\"protection_points\":\"0.5\","
    "\"flat_margin\":\"0.000001\","
    "\"guards\":{\"breaker_percent\":100,\"velocity_ticks\":1000000,"
    "\"limit_percent\":[100,200,300],\"auction_random_seconds\":5}}],"
    "\"instruments\":[{\"product\":\"BENCH\",\"period\":\"2027M03\"}],"
    "\"accounts\":[{\"account\":\"bench\",\"member\":\"bench\"}],"
    "\"states\":[{\"product\":\"BENCH\",\"state\":\"open\"}]}";

/* The port in the first line that the node prints; 0: it ended. */
static int port_read(int pipe_end)
{
    char line[200] = "";
    for (size_t n = 0; n < sizeof line - 1 && strchr(line, '\n') == NULL; n++) {
        if (read(pipe_end, line + n, 1) != 1) return 0;
    }
    const char *colon = strrchr(line, ':');
    return colon == NULL ? 0 : (int)strtol(colon + 1, NULL, 10);
}

static int node_start(struct node_process *n)
{
    char data[256], path[256], error[300];
    int ends[2];
    snprintf(data, sizeof data, "%s/data", n->directory);
    snprintf(path, sizeof path, "%s/config.json", n->directory);
    FILE *f = fopen(path, "w");
    if (f == NULL || fputs(config, f) < 0 || fclose(f) != 0) return -1;
    if (mkdir(data, 0700) != 0 && errno != EEXIST) return -1;
    if (keys_make(data, KEY_hmac, "bench", SCOPE_read | SCOPE_trade, NULL, &n->key, error,
                  sizeof error) != 0 || pipe(ends) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        if (keys_make(data, KEY_hmac, "officer", SCOPE_officer, NULL, &n->officers[i], error,
                      sizeof error) != 0)
            return -1;
    }
    char *argv[] = {"dojima", "serve", "--data", data, "--listen", "127.0.0.1:0", "--config", path,
                    "--no-history", "--quiet", "--limits", "rate=1000000,burst=1000000", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    int status = posix_spawn(&n->pid, "/proc/self/exe", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    n->port = status == 0 ? port_read(ends[0]) : 0;
    close(ends[0]);
    return n->port == 0 ? -1 : 0;
}

static void node_stop(struct node_process *n)
{
    int status = 0;
    kill(n->pid, SIGTERM);
    (void)waitpid(n->pid, &status, 0);
}

/* ---- a WebSocket client ---- */

struct client {
    int socket;
    size_t used;
    char *bytes; /* BUFFER */
};

/* A masked text frame with a zero mask. */
static size_t frame(char *out, const char *text, size_t size)
{
    size_t head = size < 126 ? 2 : 4;
    out[0] = (char)0x81;
    out[1] = (char)(0x80 | (head == 2 ? size : 126));
    if (head == 4) {
        out[2] = (char)(size >> 8);
        out[3] = (char)size;
    }
    memset(out + head, 0, 4);
    memcpy(out + head + 4, text, size);
    return head + 4 + size;
}

static bool client_send(struct client *c, const char *text, size_t size)
{
    char out[1024];
    size_t n = frame(out, text, size);
    return send(c->socket, out, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* The next whole message, and pings before it: the bytes they take, 0 when there is none. */
static size_t client_next(const struct client *c, const char **text, size_t *size)
{
    size_t at = 0;
    while (c->used - at >= 4) {
        const unsigned char *b = (const unsigned char *)c->bytes + at;
        size_t head = b[1] < 126 ? 2 : 4;
        *size = head == 2 ? b[1] : (size_t)b[2] << 8 | b[3];
        *text = c->bytes + at + head;
        if (c->used - at < head + *size) return 0;
        at += head + *size;
        if ((b[0] & 0x0fu) == 1) return at;
    }
    return 0;
}

static void client_drop(struct client *c, size_t size)
{
    c->used -= size;
    memmove(c->bytes, c->bytes + size, c->used);
}

static bool client_receive(struct client *c, const char **text, size_t *size, size_t *whole)
{
    while ((*whole = client_next(c, text, size)) == 0) {
        ssize_t n = recv(c->socket, c->bytes + c->used, BUFFER - c->used, 0);
        if (n <= 0) return false;
        c->used += (size_t)n;
    }
    return true;
}

static int client_open(struct client *c, const struct node_process *n, const struct key *key)
{
    static const char upgrade[] =
        "GET /ws/api/v2 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    char text[400];
    const char *answer = NULL;
    size_t size = 0, whole = 0;
    c->socket = connect_to(n->port);
    c->used = 0;
    c->bytes = malloc(BUFFER);
    if (c->socket < 0 || c->bytes == NULL) return -1;
    if (send(c->socket, upgrade, sizeof upgrade - 1, 0) < 0) return -1;
    if (recv(c->socket, c->bytes, BUFFER, 0) <= 0) return -1;
    int m = snprintf(text, sizeof text,
                     "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"public/auth\",\"params\":{"
                     "\"grant_type\":\"client_credentials\",\"client_id\":\"%s\","
                     "\"client_secret\":\"%s\"}}", key->id, key->secret);
    if (!client_send(c, text, (size_t)m) || !client_receive(c, &answer, &size, &whole)) return -1;
    bool good = memmem(answer, size, "access_token", 12) != NULL;
    client_drop(c, whole);
    return good ? 0 : -1;
}

static void client_close(struct client *c)
{
    if (c->socket >= 0) close(c->socket);
    free(c->bytes);
}

static bool order_send(struct client *c, uint64_t id)
{
    char text[400];
    int n = snprintf(text, sizeof text,
                     "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"private/%s\",\"params\":{"
                     "\"instrument_name\":\"BENCH-2027M03\",\"type\":\"limit\",\"amount\":1,"
                     "\"price\":\"2.00%llu\"}}", (unsigned long long)id,
                     id % 2 == 0 ? "buy" : "sell", (unsigned long long)(id / 2 % 10));
    return client_send(c, text, (size_t)n);
}

/* Asks as one officer: the request's number in the answer, 0 when it is refused. */
static uint64_t officer_ask(const struct node_process *n, int officer, const char *method,
                            const char *params)
{
    struct client c;
    char text[400];
    const char *answer = NULL;
    size_t size = 0, whole = 0;
    uint64_t request = 0;
    int m = snprintf(text, sizeof text,
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"private/%s\",\"params\":%s}",
                     method, params);
    if (client_open(&c, n, &n->officers[officer]) == 0 && client_send(&c, text, (size_t)m) &&
        client_receive(&c, &answer, &size, &whole)) {
        const char *at = memmem(answer, size, "\"request\":", 10);
        if (at != NULL) request = strtoull(at + 10, NULL, 10);
        else fprintf(stderr, "bench node: %.*s\n", (int)(size < 300 ? size : 300), answer);
    }
    client_close(&c);
    return request;
}

static bool deposit(const struct node_process *n)
{
    char confirm[64];
    uint64_t request = officer_ask(n, 0, "officer_deposit",
                                   "{\"account\":\"bench\",\"asset\":\"USD\","
                                   "\"amount\":1000000000}");
    snprintf(confirm, sizeof confirm, "{\"request\":%llu}", (unsigned long long)request);
    return request != 0 && officer_ask(n, 1, "officer_confirm", confirm) == request;
}

/* The id of an answer, 0 when it is not a result. */
static uint64_t answer_id(const char *text, size_t size)
{
    static const char mark[] = "\"id\":";
    const char *at = memmem(text, size < 64 ? size : 64, mark, sizeof mark - 1);
    if (at == NULL || memmem(text, size < 80 ? size : 80, "\"result\"", 8) == NULL) return 0;
    return strtoull(at + sizeof mark - 1, NULL, 10);
}

static double one_outstanding(struct client *c, uint64_t *id)
{
    static uint32_t times[ORDERS];
    for (size_t i = 0; i < ORDERS; i++) {
        const char *text = NULL;
        size_t size = 0, whole = 0;
        uint64_t start = bench_now();
        if (!order_send(c, ++*id) || !client_receive(c, &text, &size, &whole)) return -1;
        times[i] = (uint32_t)(bench_now() - start);
        if (answer_id(text, size) != *id) {
            fprintf(stderr, "bench node: %.*s\n", (int)(size < 300 ? size : 300), text);
            return -1;
        }
        client_drop(c, whole);
    }
    double p50 = median_us(times, ORDERS);
    printf("    one outstanding:   ");
    bench_percentiles_print(times, ORDERS);
    return p50;
}

/* ---- open loop ---- */

struct open_loop {
    struct client *clients;
    uint64_t first;    /* id of the first order */
    uint64_t start;    /* ns */
    uint64_t interval; /* ns between two orders */
    uint32_t count;
    uint32_t sent;
    uint32_t received;
    uint32_t *times;
};

static int take_answers(struct open_loop *o, struct client *c)
{
    ssize_t n = recv(c->socket, c->bytes + c->used, BUFFER - c->used, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return -1;
    if (n > 0) c->used += (size_t)n;
    uint64_t now = bench_now();
    const char *text = NULL;
    size_t size = 0;
    size_t at = 0;
    struct client rest = *c;
    for (size_t whole; (whole = client_next(&rest, &text, &size)) != 0;) {
        uint64_t id = answer_id(text, size);
        if (id < o->first || id >= o->first + o->count) {
            fprintf(stderr, "bench node: %.*s\n", (int)(size < 300 ? size : 300), text);
            return -1;
        }
        uint64_t due = o->start + (id - o->first) * o->interval;
        o->times[o->received++] = (uint32_t)(now - due);
        at += whole;
        rest.bytes += whole;
        rest.used -= whole;
    }
    client_drop(c, at);
    return 0;
}

static int open_loop_turn(struct open_loop *o)
{
    struct pollfd p[CONNECTIONS];
    uint64_t now = bench_now();
    while (o->sent < o->count && o->start + o->sent * o->interval <= now) {
        if (!order_send(&o->clients[o->sent % CONNECTIONS], o->first + o->sent)) return -1;
        o->sent += 1;
    }
    uint64_t due = o->start + o->sent * o->interval;
    uint64_t wait = o->sent == o->count ? 100000000 : due > now ? due - now : 0;
    struct timespec t = {0, (long)wait};
    for (int i = 0; i < CONNECTIONS; i++)
        p[i] = (struct pollfd){.fd = o->clients[i].socket, .events = POLLIN};
    if (ppoll(p, CONNECTIONS, &t, NULL) < 0) return -1;
    for (int i = 0; i < CONNECTIONS; i++) {
        if ((p[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0 &&
            take_answers(o, &o->clients[i]) != 0)
            return -1;
    }
    return 0;
}

static double open_loop(struct client *clients, uint64_t *id, uint32_t rate)
{
    struct open_loop o = {.clients = clients, .first = *id + 1, .count = rate * OPEN_SECONDS,
                          .interval = 1000000000u / rate};
    o.times = calloc(o.count, sizeof *o.times);
    if (o.times == NULL) return -1;
    o.start = bench_now() + 1000000;
    uint64_t end = o.start + 30ull * 1000000000u;
    while (o.received < o.count && bench_now() < end) {
        if (open_loop_turn(&o) != 0) break;
    }
    *id += o.count;
    double p50 = o.received == o.count ? median_us(o.times, o.count) : -1;
    printf("    open loop %6u/s: ", rate);
    if (p50 >= 0) bench_percentiles_print(o.times, o.count);
    else printf("%u of %u answered\n", o.received, o.count);
    free(o.times);
    return p50;
}

static int measure(const struct node_process *n)
{
    struct client clients[CONNECTIONS] = {0};
    uint64_t id = 0;
    if (!deposit(n)) return 2;
    double floor_before = floor_run(n->directory);
    for (int i = 0; i < CONNECTIONS; i++) {
        if (client_open(&clients[i], n, &n->key) != 0) return 2;
    }
    double one = one_outstanding(&clients[0], &id);
    double slow = open_loop(clients, &id, 1000);
    double fast = open_loop(clients, &id, 20000);
    double floor_after = floor_run(n->directory);
    for (int i = 0; i < CONNECTIONS; i++) client_close(&clients[i]);
    double low = (floor_before + floor_after) / 2;
    if (low <= 0 || one < 0 || slow < 0 || fast < 0) return 2;
    printf("    p50 against the floor (%.0f us): one outstanding %.2f (bound 1.5), open loop "
           "1,000/s %.2f, 20,000/s %.2f (bound 2.5)\n", low, one / low, slow / low, fast / low);
    return one > 1.5 * low || slow > 2.5 * low || fast > 2.5 * low ? 1 : 0;
}

/* Removes a folder of files. */
static bool directory_remove(const char *path)
{
    char file[600];
    DIR *d = opendir(path);
    if (d == NULL) return false;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        snprintf(file, sizeof file, "%.250s/%s", path, e->d_name);
        (void)unlink(file); /* "." and ".." stay */
    }
    closedir(d);
    return rmdir(path) == 0;
}

static int run(const struct bench_options *options)
{
    struct node_process n = {0};
    char data[260];
    (void)options;
    const char *where = getenv("TMPDIR");
    snprintf(n.directory, sizeof n.directory, "%.150s/dojima-bench-XXXXXX",
             where == NULL ? "/tmp" : where);
    if (mkdtemp(n.directory) == NULL) return 2;
    int status = node_start(&n) == 0 ? measure(&n) : 2;
    if (n.pid != 0) node_stop(&n);
    snprintf(data, sizeof data, "%s/data", n.directory);
    (void)directory_remove(data);
    if (!directory_remove(n.directory)) fprintf(stderr, "bench node: %s is left\n", n.directory);
    return status;
}

const struct bench bench_node = {"node", "an order in to its durable acknowledgement out, by "
                                         "WebSocket on the loopback, beside the raw floor", run};
