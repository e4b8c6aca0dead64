#include "coordinator/command_line.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char command_line_help[] = "usage: coordinator --config FILE [--set KEY=VALUE]... [--quiet] [--json] [--check]\n"
                                 "                   [--resume]\n"
                                 "\n"
                                 "Fits a line, or a plane in more dimensions, to the rows of a CSV or .npy file by\n"
                                 "gradient descent: a coordinator forks workers, each of which maps its own chunk of\n"
                                 "the file, sends them the parameters and adds up their gradients. The result is the\n"
                                 "same to the bit for any number of workers.\n"
                                 "\n"
                                 "  -c, --config FILE    the run's configuration in JSON; - reads standard input\n"
                                 "  -s, --set KEY=VALUE  change one key of it, such as training.epochs=500\n"
                                 "  -q, --quiet          nothing on standard error but errors\n"
                                 "      --json           print the result as JSON, not as a table\n"
                                 "      --resume         go on from the last checkpoint, if there is one\n"
                                 "      --check          check configuration and dataset header, print the effective\n"
                                 "                       configuration, and stop\n"
                                 "  -h, --help           this text\n"
                                 "      --version        the version\n"
                                 "\n"
                                 "exit status: 0 fitted, 3 diverged, 4 a worker was lost, 64 usage, 65 bad dataset,\n"
                                 "66 input missing, 71 system error, 73 cannot write output, 78 bad configuration,\n"
                                 "130 interrupted\n";

enum { OPTION_JSON = 256, OPTION_CHECK, OPTION_RESUME, OPTION_VERSION };

static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"quiet", no_argument, NULL, 'q'},
        {"json", no_argument, NULL, OPTION_JSON},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"resume", no_argument, NULL, OPTION_RESUME},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
};

static bool usage_error(struct error *error, const char *problem, const char *word)
{
	return error_set(error, EXIT_BAD_USAGE, "%s%s; coordinator --help tells more", problem, word);
}

static bool is_known(int option)
{
	for (const struct option *known = options; known->name != NULL; known++)
		if (known->val == option)
			return true;
	return false;
}

/* What getopt_long has answered with '?'. A letter in the middle of a word leaves optind at that word. */
static bool refuse_option(struct error *error, const char *word)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	if (optopt == 0)
		return usage_error(error, "no such option, or the beginning of several: ", word);
	if (is_known(optopt))
		return usage_error(error, "that option takes no value: ", word);
	return usage_error(error, "no such option: ", letter);
}

static bool take_option(struct command_line *line, int option, struct error *error, const char *word)
{
	switch (option) {
	case 'c':
		if (line->config != NULL)
			return usage_error(error, "--config is given twice", "");
		line->config = optarg;
		return true;
	case 's':
		line->overrides[line->override_count++] = optarg;
		return true;
	case 'q':
		line->quiet = true;
		return true;
	case 'h':
		line->command = COMMAND_HELP;
		return true;
	case OPTION_JSON:
		line->json = true;
		return true;
	case OPTION_CHECK:
		line->command = COMMAND_CHECK;
		return true;
	case OPTION_RESUME:
		line->resume = true;
		return true;
	case OPTION_VERSION:
		line->command = COMMAND_VERSION;
		return true;
	case ':':
		return usage_error(error, "an argument is missing after ", word);
	default:
		return refuse_option(error, word);
	}
}

bool command_line_parse(int count, char **arguments, struct command_line *line, struct error *error)
{
	*line = (struct command_line){.command = COMMAND_TRAIN};
	line->overrides = calloc((size_t)count + 1, sizeof *line->overrides);
	if (line->overrides == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	int option;
	opterr = 0;
	while ((option = getopt_long(count, arguments, ":c:s:qh", options, NULL)) != -1) {
		if (!take_option(line, option, error, arguments[optind - 1]))
			goto failed;
		if (line->command == COMMAND_HELP || line->command == COMMAND_VERSION)
			return true;
	}
	if (optind < count) {
		usage_error(error, "nothing takes the argument ", arguments[optind]);
		goto failed;
	}
	if (line->config == NULL) {
		usage_error(error, "a configuration is needed: coordinator --config run.json", "");
		goto failed;
	}
	return true;
failed:
	command_line_release(line);
	return false;
}

void command_line_release(struct command_line *line)
{
	free(line->overrides);
	line->overrides = NULL;
}
