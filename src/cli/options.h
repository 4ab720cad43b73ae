/* options.h: values of options that several subcommands have. What is none is said, and ends the
 * process as argp_error does.
 */
#ifndef DOJIMA_CLI_OPTIONS_H
#define DOJIMA_CLI_OPTIONS_H

#include <argp.h>
#include <stdint.h>

/* A whole number within these bounds. */
int64_t option_whole(struct argp_state *state, const char *name, const char *text, int64_t low,
                     int64_t high);
/* enum grade */
uint32_t option_grade(struct argp_state *state, const char *text);

#endif
