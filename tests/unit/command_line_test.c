#include "coordinator/command_line.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

TestSuite(command_line, .timeout = 10);

/* getopt_long keeps its place between calls: a parameterized test parses each in a process of its own. */
enum { WORDS_MAX = 8 };

struct words {
	char word[WORDS_MAX][32]; /* up to an empty one, behind the program's name */
};

struct parsed {
	struct words words;
	enum command command;
	char config[16];
	bool quiet, json, check, bandwidth;
	char overrides[48]; /* joined by spaces */
};

struct refused {
	struct words words;
	char message[96];
};

static bool parse(struct words *words, struct command_line *line, struct error *error)
{
	static char name[] = "coordinator", empty[] = "";
	static char *arguments[WORDS_MAX + 2];
	int count = 1;
	arguments[0] = name;
	for (; count <= WORDS_MAX && words->word[count - 1][0] != '\0'; count++)
		arguments[count] = strcmp(words->word[count - 1], "(empty)") == 0 ? empty : words->word[count - 1];
	arguments[count] = NULL;
	return command_line_parse(count, arguments, line, error);
}

ParameterizedTestParameters(command_line, is_understood)
{
	static struct parsed rows[] = {
	        {{{"--config", "run.json"}}, COMMAND_TRAIN, "run.json", false, false, false, false, ""},
	        {{{"-c", "-"}}, COMMAND_TRAIN, "-", false, false, false, false, ""},
	        {{{"-crun.json", "-q"}}, COMMAND_TRAIN, "run.json", true, false, false, false, ""},
	        {{{"-qcrun.json"}}, COMMAND_TRAIN, "run.json", true, false, false, false, ""},
	        {{{"--config=run.json", "--quiet", "--json"}}, COMMAND_TRAIN, "run.json", true, true, false, false, ""},
	        {{{"--json", "--set", "a=1", "-c", "x", "-s", "b.c=x", "--set=d="}}, COMMAND_TRAIN, "x", false, true,
	                false, false, "a=1 b.c=x d="},
	        {{{"--check", "--config", "x"}}, COMMAND_TRAIN, "x", false, false, true, false, ""},
	        {{{"--conf", "x", "--qui"}}, COMMAND_TRAIN, "x", true, false, false, false, ""},
	        {{{"-c", "x", "--"}}, COMMAND_TRAIN, "x", false, false, false, false, ""},
	        {{{"--config", "x", "--bandwidth"}}, COMMAND_TRAIN, "x", false, false, false, true, ""},
	        {{{"--help"}}, COMMAND_HELP, "", false, false, false, false, ""},
	        {{{"-h", "--nonsense"}}, COMMAND_HELP, "", false, false, false, false, ""},
	        {{{"-q", "--version"}}, COMMAND_VERSION, "", true, false, false, false, ""},
	};
	return cr_make_param_array(struct parsed, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct parsed *row, command_line, is_understood)
{
	struct command_line line;
	struct error error = {0};
	char overrides[64] = "";
	cr_assert(parse(&row->words, &line, &error), "%s", error.message);
	for (size_t i = 0; i < line.override_count; i++) {
		strcat(overrides, i > 0 ? " " : "");
		strcat(overrides, line.overrides[i]);
	}
	cr_expect_eq(line.command, row->command);
	cr_expect_str_eq(line.config != NULL ? line.config : "", row->config);
	cr_expect_eq(line.quiet, row->quiet);
	cr_expect_eq(line.json, row->json);
	cr_expect_eq(line.check, row->check);
	cr_expect_eq(line.bandwidth, row->bandwidth);
	cr_expect_str_eq(overrides, row->overrides);
	command_line_release(&line);
}

#define MORE "; coordinator --help tells more"

ParameterizedTestParameters(command_line, is_refused)
{
	static struct refused rows[] = {
	        {{{""}}, "a configuration is needed: coordinator --config run.json" MORE},
	        {{{"--quiet"}}, "a configuration is needed: coordinator --config run.json" MORE},
	        {{{"--config", "a", "-c", "b"}}, "--config is given twice" MORE},
	        {{{"--config"}}, "an argument is missing after --config" MORE},
	        {{{"-q", "-c"}}, "an argument is missing after -c" MORE},
	        {{{"-c", "a", "--set"}}, "an argument is missing after --set" MORE},
	        {{{"--workers", "4"}}, "not an option of this command: --workers" MORE},
	        {{{"--quiet", "-x"}}, "no such option: -x" MORE},
	        {{{"-xq"}}, "no such option: -x" MORE},
	        {{{"--json", "-qx"}}, "no such option: -x" MORE},
	        {{{"--json", "-qxh"}}, "no such option: -x" MORE},
	        {{{"--quiet=1"}}, "that option takes no value: --quiet=1" MORE},
	        {{{"--c", "a"}}, "no such option, or the beginning of several: --c" MORE}, /* --config or --check */
	        {{{"--confg", "a"}}, "no such option: --confg; did you mean --config?"},
	        {{{"--procress=bar"}}, "no such option: --procress=bar; did you mean --progress?"},
	        {{{"predikt", "--model", "m.json"}}, "no such command: predikt; did you mean predict?"},
	        {{{"gen"}}, "no such command: gen; did you mean generate?"},
	        {{{"run.json"}}, "nothing takes the argument run.json" MORE},
	        {{{"--config", "a", "b", "--quiet"}}, "nothing takes the argument b" MORE},
	        {{{"--config", "a", "--", "--quiet"}}, "nothing takes the argument --quiet" MORE},
	        {{{"--config", "a", "(empty)"}}, "nothing takes the argument " MORE},
	};
	return cr_make_param_array(struct refused, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct refused *row, command_line, is_refused)
{
	struct command_line line;
	struct error error = {0};
	cr_assert_not(parse(&row->words, &line, &error));
	cr_expect_eq(error.code, EXIT_BAD_USAGE);
	cr_expect_str_eq(error.message, row->message);
	cr_expect_null(line.overrides);
}

Test(command_line, help_fits_on_a_screen)
{
	for (int command = 0; command < COMMAND_COUNT; command++) {
		const char *text = command_help((enum command)command);
		unsigned lines = 0;
		for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1, lines++)
			cr_expect_leq(end - text, 80, "command %d: %.*s", command, (int)(end - text), text);
		cr_expect_eq(*text, '\0', "command %d: no end of line at its end", command);
		cr_expect_leq(lines, 24, "command %d has %u lines", command, lines);
	}
}

Test(command_line, help_names_every_option)
{
	static const char options[][16] = {
	        "-c, --config", "-s, --set", "-q, --quiet", "--json", "--check", "-h, --help", "--version"};
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		cr_expect(strstr(command_help(COMMAND_TRAIN), options[i]) != NULL, "%s", options[i]);
}
