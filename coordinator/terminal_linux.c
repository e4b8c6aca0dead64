/* For TIOCGWINSZ, which POSIX has only since 2024, as tcgetwinsize. */
#define _DEFAULT_SOURCE
#include "coordinator/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

struct terminal_size terminal_size(FILE *out)
{
	struct winsize size = {0};
	if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
		return (struct terminal_size){80, 24};
	return (struct terminal_size){size.ws_col, size.ws_row};
}

bool terminal_is_in_background(FILE *out)
{
	pid_t foreground = tcgetpgrp(fileno(out));
	return foreground > 0 && foreground != getpgrp();
}
