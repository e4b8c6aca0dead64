/*
 * What the program can be asked to do: one function and one file a command, of which main chooses one. False: *error
 * says why, and its code is the exit status.
 */
#ifndef FORKFIT_COORDINATOR_COMMAND_H
#define FORKFIT_COORDINATOR_COMMAND_H

#include "common/error.h"
#include "coordinator/command_line.h"

#include <stdbool.h>

bool command_train(const struct command_line *line, struct error *error);
bool command_campaign(const struct command_line *line, struct error *error);
bool command_predict(const struct command_line *line, struct error *error);
bool command_generate(const struct command_line *line, struct error *error);
bool command_convert(const struct command_line *line, struct error *error);

#endif
