#include "coordinator/command_line.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char command_line_help[] = "usage: coordinator --config FILE [--set KEY=VALUE]... [--quiet] [--json] [--check]\n"
                                 "                   [--resume] [--progress STYLE]\n"
                                 "       coordinator campaign --config FILE [--set KEY=VALUE]... [--quiet] [--json]\n"
                                 "                   [--runs N] [--seed S] [--jobs J] [--failures DIRECTORY]\n"
                                 "\n"
                                 "Fits a line, or a plane in more dimensions, to the rows of a CSV or .npy file by\n"
                                 "gradient descent: a coordinator forks workers, each of which maps its own chunk of\n"
                                 "the file, sends them the parameters and adds up their gradients. The result is the\n"
                                 "same to the bit for any number of workers.\n"
                                 "\n"
                                 "  -c, --config FILE    the run's configuration in JSON; - reads standard input\n"
                                 "  -s, --set KEY=VALUE  change one key of it, such as training.epochs=500\n"
                                 "  -q, --quiet          nothing on standard error but errors\n"
                                 "      --progress STYLE workers, bar or lines; auto: on a terminal workers, or bar\n"
                                 "                       where there are more than 16, and lines anywhere else\n"
                                 "      --json           print the result as JSON, not as a table\n"
                                 "      --resume         go on from the last checkpoint, if there is one\n"
                                 "      --check          check configuration and dataset header, print the effective\n"
                                 "                       configuration, and stop\n"
                                 "  -h, --help           this text\n"
                                 "      --version        the version\n"
                                 "\n"
                                 "A campaign runs the configuration once without faults and then with one schedule of\n"
                                 "faults after the other, and judges how each run ends.\n"
                                 "\n"
                                 "  -n, --runs N         so many schedules; 1000\n"
                                 "      --seed S         which ones; 1\n"
                                 "  -j, --jobs J         so many runs at the same time; 8 for each CPU\n"
                                 "      --failures DIRECTORY\n"
                                 "                       for files that make failed runs happen again; beside FILE\n"
                                 "\n"
                                 "exit status: 0 fitted, 3 diverged, 4 a worker was lost, 5 a run of a campaign was\n"
                                 "wrong, hung or left something behind, 64 usage, 65 bad dataset, 66 input missing,\n"
                                 "71 system error, 73 cannot write output, 78 bad configuration, 130 interrupted\n";

enum { OPTION_JSON = 256, OPTION_CHECK, OPTION_RESUME, OPTION_PROGRESS, OPTION_VERSION, OPTION_SEED, OPTION_FAILURES };

static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"quiet", no_argument, NULL, 'q'},
        {"json", no_argument, NULL, OPTION_JSON},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"resume", no_argument, NULL, OPTION_RESUME},
        {"progress", required_argument, NULL, OPTION_PROGRESS},
        {"runs", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, OPTION_SEED},
        {"jobs", required_argument, NULL, 'j'},
        {"failures", required_argument, NULL, OPTION_FAILURES},
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

/* Far more than anybody waits for, or has memory for; and as much as one notes down, as of chaos.seed. */
static const uint64_t most_runs = 1000000000, most_jobs = 1024, largest_seed = UINT32_MAX;

static bool take_number(uint64_t minimum, uint64_t maximum, uint64_t *number, struct error *error)
{
	size_t digits = strspn(optarg, "0123456789");
	errno = 0;
	*number = strtoull(optarg, NULL, 10);
	if (digits > 0 && optarg[digits] == '\0' && errno == 0 && *number >= minimum && *number <= maximum)
		return true;
	return error_set(error, EXIT_BAD_USAGE, "expected an integer from %" PRIu64 " to %" PRIu64 ", found \"%s\"",
	        minimum, maximum, optarg);
}

static bool take_campaign_option(struct command_line *line, int option, struct error *error, const char *word)
{
	uint64_t jobs;
	if (line->command != COMMAND_CAMPAIGN)
		return usage_error(error, "only of a campaign (coordinator campaign --config ...): ", word);
	switch (option) {
	case 'n':
		return take_number(1, most_runs, &line->campaign.runs, error);
	case OPTION_SEED:
		return take_number(0, largest_seed, &line->campaign.seed, error);
	case 'j':
		if (!take_number(1, most_jobs, &jobs, error))
			return false;
		line->campaign.jobs = (uint32_t)jobs;
		return true;
	default:
		line->campaign.failures = optarg;
		return true;
	}
}

static bool take_progress(struct command_line *line, struct error *error)
{
	static const char *const names[] = {
	        [PROGRESS_AUTO] = "auto",
	        [PROGRESS_WORKERS] = "workers",
	        [PROGRESS_BAR] = "bar",
	        [PROGRESS_LINES] = "lines",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(optarg, names[i]) == 0) {
			line->progress = (enum progress_style)i;
			return true;
		}
	}
	return usage_error(error, "--progress is auto, workers, bar or lines, not ", optarg);
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
	case 'n':
	case 'j':
	case OPTION_SEED:
	case OPTION_FAILURES:
		return take_campaign_option(line, option, error, word);
	case OPTION_CHECK:
		if (line->command == COMMAND_CAMPAIGN)
			return usage_error(error, "not of a campaign: ", word);
		line->command = COMMAND_CHECK;
		return true;
	case OPTION_PROGRESS:
		return take_progress(line, error);
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
	*line = (struct command_line){.command = COMMAND_TRAIN, .campaign = {.runs = 1000, .seed = 1}};
	if (count > 1 && strcmp(arguments[1], "campaign") == 0) {
		/* Words behind the first are what getopt looks at. */
		line->command = COMMAND_CAMPAIGN;
		arguments++;
		count--;
	}
	line->overrides = calloc((size_t)count + 1, sizeof *line->overrides);
	if (line->overrides == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	int option;
	opterr = 0;
	while ((option = getopt_long(count, arguments, ":c:s:qhn:j:", options, NULL)) != -1) {
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
