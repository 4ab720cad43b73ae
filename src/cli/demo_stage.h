/* demo_stage.h: what a demonstration plays on: a directory of its own, the venue and the agents as
 * processes, callers with keys, the venue's clock, and words for who watches.
 *
 * Invariants: (1) every process that was started is ended by its id, however the story ends; (2)
 * what goes wrong is said with the process's own last words, and the exit status is 1; (3) without
 * --keep nothing stays.
 *
 * Upstream: demo. Downstream: dojima's own subcommands, through processes and sockets only.
 */
#ifndef DOJIMA_CLI_DEMO_STAGE_H
#define DOJIMA_CLI_DEMO_STAGE_H

#include "base/units.h"
#include "cli/client.h"
#include "cli/signing_key.h"

#include <uv.h>

enum { STAGE_PROCESSES = 12, STAGE_CALLERS = 8, STAGE_PATH_SIZE = 256, STAGE_ARGUMENTS = 40,
       STAGE_LINE_SIZE = 256 };

struct stage_process {
    uv_process_t handle;
    char name[24];
    bool running;
    int64_t status; /* of its end */
};

struct stage {
    char directory[STAGE_PATH_SIZE];
    char program[1024];
    char url[64];
    bool keep;
    bool failed;
    uint32_t number; /* of the step */
    uv_loop_t loop;
    struct stage_process processes[STAGE_PROCESSES];
    uint32_t process_count;
    struct client callers[STAGE_CALLERS];
    char names[STAGE_CALLERS][24];
    uint32_t caller_count;
};

int stage_open(struct stage *s, const char *directory, bool keep);
/* Ends what runs, removes what is not kept; the exit status. */
int stage_close(struct stage *s);

/* ---- words ---- */
__attribute__((format(printf, 2, 3))) void stage_step(struct stage *s, const char *format, ...);
__attribute__((format(printf, 2, 3))) void stage_say(struct stage *s, const char *format, ...);
/* Says why the story cannot go on. Always false. */
__attribute__((format(printf, 2, 3))) bool stage_fail(struct stage *s, const char *format, ...);

/* ---- processes ---- */
void stage_path(const struct stage *s, char path[STAGE_PATH_SIZE], const char *name);
/* Starts `dojima ARGUMENTS...` (NULL ends them); its words go to NAME.out and NAME.err. */
struct stage_process *stage_start(struct stage *s, const char *name, const char *const *arguments);
/* Waits for its first line of output. */
bool stage_line(struct stage *s, const struct stage_process *p, char line[STAGE_LINE_SIZE]);
/* Runs it to its end; its exit status, -1 when the story is over. */
int stage_run(struct stage *s, const char *name, const char *const *arguments);
bool stage_stop(struct stage *s, struct stage_process *p, int number);
/* How often a process has written this on standard error. */
uint32_t stage_heard(struct stage *s, const char *name, const char *text);
/* A moment; false: the story is over (interrupted, or a process that should run has ended). */
bool stage_moment(struct stage *s);
/* Waits until `is` says so. False: it did not within so many seconds. */
bool stage_wait(struct stage *s, const char *what, uint32_t seconds,
                bool (*is)(struct stage *s, void *context), void *context);

/* ---- the venue ---- */
/* Makes an API key for an account in the venue's directory, and a caller that has it; writes it to
 * NAME.key for a process. */
struct client *stage_caller(struct stage *s, const char *data, const char *account,
                            uint32_t scopes);
struct client *stage_who(struct stage *s, const char *account);
/* Calls; the parameters are members as JSON text. False: said, and the story is over. */
__attribute__((format(printf, 4, 5))) bool stage_ask(struct stage *s, const char *account,
                                                     const char *method, const char *format, ...);
/* The same, and the second officer confirms what waits for that. */
__attribute__((format(printf, 3, 4))) bool stage_officers(struct stage *s, const char *method,
                                                          const char *format, ...);
bool stage_jump(struct stage *s, ts_t at);
bool stage_rate(struct stage *s, int64_t rate);

#endif
