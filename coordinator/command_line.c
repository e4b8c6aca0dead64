#include "coordinator/command_line.h"

#include "coordinator/spelling.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum option_number {
	OPTION_CONFIG,
	OPTION_SET,
	OPTION_QUIET,
	OPTION_JSON,
	OPTION_CHECK,
	OPTION_RESUME,
	OPTION_BANDWIDTH,
	OPTION_PROGRESS,
	OPTION_EXPLAIN,
	OPTION_RUNS,
	OPTION_SEED,
	OPTION_JOBS,
	OPTION_FAILURES,
	OPTION_MODEL,
	OPTION_DATA,
	OPTION_OUTPUT,
	OPTION_WORKERS,
	OPTION_ROWS,
	OPTION_FEATURES,
	OPTION_NOISE,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT
};

/* What getopt_long returns for an option, letters included: beyond every character. */
enum { OPTION_BASE = 256 };

#define TRAIN (1U << COMMAND_TRAIN)
#define CAMPAIGN (1U << COMMAND_CAMPAIGN)
#define PREDICT (1U << COMMAND_PREDICT)
#define GENERATE (1U << COMMAND_GENERATE)
#define ALL ((1U << COMMAND_COUNT) - 1)

/* Every option, and the commands that take it. A letter may mean one thing to one command only. */
static const struct known_option {
	const char *name;
	char letter; /* 0: none */
	bool takes_value;
	unsigned commands; /* bits */
} known_options[OPTION_COUNT] = {
        [OPTION_CONFIG] = {"config", 'c', true, TRAIN | CAMPAIGN},
        [OPTION_SET] = {"set", 's', true, TRAIN | CAMPAIGN},
        [OPTION_QUIET] = {"quiet", 'q', false, ALL},
        [OPTION_JSON] = {"json", 0, false, TRAIN | CAMPAIGN},
        [OPTION_CHECK] = {"check", 0, false, TRAIN},
        [OPTION_RESUME] = {"resume", 0, false, TRAIN},
        [OPTION_BANDWIDTH] = {"bandwidth", 0, false, TRAIN},
        [OPTION_PROGRESS] = {"progress", 0, true, TRAIN},
        [OPTION_EXPLAIN] = {"explain", 0, false, TRAIN},
        [OPTION_RUNS] = {"runs", 'n', true, CAMPAIGN},
        [OPTION_SEED] = {"seed", 0, true, CAMPAIGN | GENERATE},
        [OPTION_JOBS] = {"jobs", 'j', true, CAMPAIGN},
        [OPTION_FAILURES] = {"failures", 0, true, CAMPAIGN},
        [OPTION_MODEL] = {"model", 'm', true, PREDICT},
        [OPTION_DATA] = {"data", 'd', true, PREDICT},
        [OPTION_OUTPUT] = {"output", 'o', true, PREDICT | GENERATE},
        [OPTION_WORKERS] = {"workers", 'w', true, PREDICT},
        [OPTION_ROWS] = {"rows", 'r', true, GENERATE},
        [OPTION_FEATURES] = {"features", 'f', true, GENERATE},
        [OPTION_NOISE] = {"noise", 0, true, GENERATE},
        [OPTION_HELP] = {"help", 'h', false, ALL},
        [OPTION_VERSION] = {"version", 0, false, ALL},
};

static const char *const command_words[COMMAND_COUNT] = {
        [COMMAND_CAMPAIGN] = "campaign",
        [COMMAND_PREDICT] = "predict",
        [COMMAND_GENERATE] = "generate",
        [COMMAND_CONVERT] = "convert",
};

/* The options of one command, as getopt_long takes them. */
struct syntax {
	char letters[3 * OPTION_COUNT];
	struct option names[OPTION_COUNT + 1];
};

static void fill_syntax(struct syntax *syntax, enum command command)
{
	struct option *name = syntax->names;
	char *letter = syntax->letters;
	*letter++ = ':'; /* a missing value is ':', not '?' */
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct known_option *known = &known_options[i];
		if ((known->commands & 1U << command) == 0)
			continue;
		*name++ = (struct option){
		        known->name, known->takes_value ? required_argument : no_argument, NULL, OPTION_BASE + i};
		if (known->letter == 0)
			continue;
		*letter++ = known->letter;
		if (known->takes_value)
			*letter++ = ':';
	}
	*letter = '\0';
	*name = (struct option){NULL, 0, NULL, 0};
}

/* The option that getopt_long has found; OPTION_COUNT: none. */
static enum option_number option_number(int found)
{
	if (found >= OPTION_BASE)
		return (enum option_number)(found - OPTION_BASE);
	for (int i = 0; i < OPTION_COUNT; i++)
		if (known_options[i].letter == found)
			return (enum option_number)i;
	return OPTION_COUNT;
}

static bool usage_error(const struct command_line *line, struct error *error, const char *problem, const char *word)
{
	const char *command = line->command < COMMAND_COUNT ? command_words[line->command] : NULL;
	return error_set(error, EXIT_BAD_USAGE, "%s%s; coordinator %s%s--help tells more", problem, word,
	        command != NULL ? command : "", command != NULL ? " " : "");
}

/* Does the word name an option, with or without a value behind '='? */
static bool names_option(const char *word, const struct known_option *known)
{
	size_t length = strlen(known->name);
	return strncmp(word, "--", 2) == 0 && strncmp(word + 2, known->name, length) == 0 &&
	       (word[2 + length] == '\0' || word[2 + length] == '=');
}

/* The command's option that a long one, which is none, most likely stands for; NULL: none comes near. */
static const char *meant_option(const struct command_line *line, const char *word)
{
	const char *names[OPTION_COUNT];
	char typed[SPELLING_LONGEST + 2];
	size_t count = 0, length = strcspn(word + 2, "=");
	if (length >= sizeof typed)
		return NULL;
	memcpy(typed, word + 2, length);
	typed[length] = '\0';
	for (int i = 0; i < OPTION_COUNT; i++)
		if ((known_options[i].commands & 1U << line->command) != 0)
			names[count++] = known_options[i].name;
	return spelling_nearest(typed, names, count);
}

static bool refuse_long_option(const struct command_line *line, struct error *error, const char *word)
{
	const char *meant = meant_option(line, word);
	if (meant == NULL)
		return usage_error(line, error, "no such option, or the beginning of several: ", word);
	return error_set(error, EXIT_BAD_USAGE, "no such option: %s; did you mean --%s?", word, meant);
}

/* What getopt_long has answered with '?'. A letter in the middle of a word leaves optind at that word. */
static bool refuse_option(const struct command_line *line, struct error *error, const char *word)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	if (optopt >= OPTION_BASE)
		return usage_error(line, error, "that option takes no value: ", word);
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct known_option *known = &known_options[i];
		bool is_it = optopt == 0 ? names_option(word, known) : known->letter == optopt;
		if (is_it && line->command == COMMAND_TRAIN && (known->commands & CAMPAIGN) != 0)
			return usage_error(
			        line, error, "only of a campaign (coordinator campaign --config ...): ", word);
		if (is_it)
			return usage_error(line, error, "not an option of this command: ", word);
	}
	if (optopt == 0)
		return refuse_long_option(line, error, word);
	return usage_error(line, error, "no such option: ", letter);
}

/* Far more than anybody waits for, or has memory for; and as much as one notes down, as of chaos.seed. */
static const uint64_t most_runs = 1000000000, most_jobs = 1024, largest_seed = UINT32_MAX;
static const uint64_t most_rows = 1000000000000, most_features = 65534, most_workers = 4096;

static bool take_number(uint64_t minimum, uint64_t maximum, uint64_t *number, const char *option, struct error *error)
{
	size_t digits = strspn(optarg, "0123456789");
	errno = 0;
	*number = strtoull(optarg, NULL, 10);
	if (digits > 0 && optarg[digits] == '\0' && errno == 0 && *number >= minimum && *number <= maximum)
		return true;
	return error_set(error, EXIT_BAD_USAGE, "%s: expected an integer from %" PRIu64 " to %" PRIu64 ", found \"%s\"",
	        option, minimum, maximum, optarg);
}

static bool take_small_number(uint64_t maximum, uint32_t *number, const char *option, struct error *error)
{
	uint64_t wide;
	if (!take_number(1, maximum, &wide, option, error))
		return false;
	*number = (uint32_t)wide;
	return true;
}

static bool take_noise(struct command_line *line, struct error *error)
{
	char *end;
	line->generate.noise = strtod(optarg, &end);
	if (end != optarg && *end == '\0' && isfinite(line->generate.noise) && line->generate.noise >= 0)
		return true;
	return error_set(
	        error, EXIT_BAD_USAGE, "--noise: expected a number that is not negative, found \"%s\"", optarg);
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
	return usage_error(line, error, "--progress is auto, workers, bar or lines, not ", optarg);
}

/* A path that may be given once. */
static bool take_path(struct command_line *line, const char **path, const char *option, struct error *error)
{
	if (*path != NULL)
		return usage_error(line, error, option, " is given twice");
	*path = optarg;
	return true;
}

static bool take_value(struct command_line *line, enum option_number option, struct error *error)
{
	switch (option) {
	case OPTION_CONFIG:
		return take_path(line, &line->config, "--config", error);
	case OPTION_SET:
		line->overrides[line->override_count++] = optarg;
		return true;
	case OPTION_PROGRESS:
		return take_progress(line, error);
	case OPTION_RUNS:
		return take_number(1, most_runs, &line->campaign.runs, "--runs", error);
	case OPTION_SEED:
		return take_number(0, largest_seed, &line->seed, "--seed", error);
	case OPTION_JOBS:
		return take_small_number(most_jobs, &line->campaign.jobs, "--jobs", error);
	case OPTION_FAILURES:
		return take_path(line, &line->campaign.failures, "--failures", error);
	case OPTION_MODEL:
		return take_path(line, &line->predict.model, "--model", error);
	case OPTION_DATA:
		return take_path(line, &line->predict.data, "--data", error);
	case OPTION_WORKERS:
		return take_small_number(most_workers, &line->predict.workers, "--workers", error);
	case OPTION_OUTPUT:
		return take_path(line, &line->output, "--output", error);
	case OPTION_ROWS:
		return take_number(1, most_rows, &line->generate.rows, "--rows", error);
	case OPTION_FEATURES:
		return take_small_number(most_features, &line->generate.features, "--features", error);
	default:
		return take_noise(line, error);
	}
}

static void take_switch(struct command_line *line, enum option_number option)
{
	switch (option) {
	case OPTION_QUIET:
		line->quiet = true;
		break;
	case OPTION_JSON:
		line->json = true;
		break;
	case OPTION_CHECK:
		line->check = true;
		break;
	case OPTION_RESUME:
		line->resume = true;
		break;
	case OPTION_EXPLAIN:
		line->explain = true;
		break;
	case OPTION_BANDWIDTH:
		line->bandwidth = true;
		break;
	case OPTION_HELP:
		line->help = command_help(line->command);
		line->command = COMMAND_HELP;
		break;
	default:
		line->command = COMMAND_VERSION;
	}
}

static bool take_option(struct command_line *line, int found, struct error *error, const char *word)
{
	if (found == ':')
		return usage_error(line, error, "an argument is missing after ", word);
	enum option_number option = option_number(found);
	if (option == OPTION_COUNT)
		return refuse_option(line, error, word);
	if (known_options[option].takes_value)
		return take_value(line, option, error);
	take_switch(line, option);
	return true;
}

/* The words that are no options: a command may take some. */
static bool take_words(struct command_line *line, int count, char **arguments, struct error *error)
{
	int wanted = line->command == COMMAND_CONVERT ? 2 : 0;
	if (optind + wanted < count)
		return usage_error(line, error, "nothing takes the argument ", arguments[optind + wanted]);
	for (int i = 0; i < wanted && optind + i < count; i++)
		line->paths[i] = arguments[optind + i];
	return true;
}

/* Is there everything that the command cannot do without? */
static bool is_complete(const struct command_line *line, struct error *error)
{
	switch (line->command) {
	case COMMAND_TRAIN:
	case COMMAND_CAMPAIGN:
		if (line->explain && line->quiet)
			return usage_error(line, error, "--explain and --quiet contradict each other", "");
		return line->config != NULL ||
		       usage_error(line, error, "a configuration is needed: coordinator --config run.json", "");
	case COMMAND_PREDICT:
		return (line->predict.model != NULL && line->predict.data != NULL) ||
		       usage_error(line, error,
		               "a model and data are needed: coordinator predict --model model.json --data new.csv",
		               "");
	case COMMAND_GENERATE:
		return line->output != NULL ||
		       usage_error(line, error, "a place is needed: coordinator generate --output x.npy", "");
	case COMMAND_CONVERT:
		return line->paths[1] != NULL ||
		       usage_error(line, error, "two files are needed: coordinator convert data.csv data.npy", "");
	case COMMAND_HELP:
	case COMMAND_VERSION:
		break;
	}
	return true;
}

static enum command command_of(const char *word)
{
	for (int i = 0; i < COMMAND_COUNT; i++)
		if (word != NULL && command_words[i] != NULL && strcmp(word, command_words[i]) == 0)
			return (enum command)i;
	return COMMAND_TRAIN;
}

/* A first word that is none of the commands, but near one. */
static bool is_misspelt_command(const struct command_line *line, const char *word, struct error *error)
{
	const char *words[COMMAND_COUNT];
	size_t count = 0;
	if (line->command != COMMAND_TRAIN || word == NULL || word[0] == '-')
		return false;
	for (int i = 0; i < COMMAND_COUNT; i++)
		if (command_words[i] != NULL)
			words[count++] = command_words[i];
	const char *meant = spelling_nearest(word, words, count);
	if (meant != NULL)
		error_set(error, EXIT_BAD_USAGE, "no such command: %s; did you mean %s?", word, meant);
	return meant != NULL;
}

static bool parse(int count, char **arguments, struct command_line *line, struct error *error)
{
	struct syntax syntax = {.letters = ""};
	int found;
	fill_syntax(&syntax, line->command);
	opterr = 0;
	while ((found = getopt_long(count, arguments, syntax.letters, syntax.names, NULL)) != -1) {
		if (!take_option(line, found, error, arguments[optind - 1]))
			return false;
		if (line->command == COMMAND_HELP || line->command == COMMAND_VERSION)
			return true;
	}
	return take_words(line, count, arguments, error) && is_complete(line, error);
}

bool command_line_parse(int count, char **arguments, struct command_line *line, struct error *error)
{
	*line = (struct command_line){
	        .command = command_of(count > 1 ? arguments[1] : NULL),
	        .seed = 1,
	        .campaign = {.runs = 1000},
	        .generate = {.rows = 1000, .features = 1, .noise = 1},
	};
	if (is_misspelt_command(line, count > 1 ? arguments[1] : NULL, error))
		return false;
	int skipped = line->command != COMMAND_TRAIN; /* words behind the first are what getopt looks at */
	line->overrides = calloc((size_t)count + 1, sizeof *line->overrides);
	if (line->overrides == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	if (parse(count - skipped, arguments + skipped, line, error))
		return true;
	command_line_release(line);
	return false;
}

void command_line_release(struct command_line *line)
{
	free(line->overrides);
	line->overrides = NULL;
}
