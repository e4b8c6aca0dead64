#include "coordinator/config.h"

#include "tests/unit/config_reading.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(config, .init = scratch_enter, .fini = scratch_leave, .timeout = 60);

#define MINIMAL "{ \"dataset\": { \"path\": \"data.csv\" } }"

static void expect_message(const char *text, const char *const *overrides, enum exit_code code, const char *message)
{
	struct reading reading = read_config(text, overrides);
	cr_expect(!reading.ok, "accepted: %s", text);
	if (!reading.ok) {
		cr_expect_str_eq(reading.error.message, message);
		cr_expect_eq(reading.error.code, code);
	}
	reading_release(&reading);
}

/* A configuration that must be good. */
static struct config read_good(const char *text, const char *const *overrides)
{
	struct reading reading = read_config(text, overrides);
	cr_assert(reading.ok, "%s", reading.error.message);
	return reading.config;
}

Test(config, needs_only_the_path_and_has_defaults_for_the_rest)
{
	struct config config = read_good(MINIMAL, NULL);
	cr_expect_str_eq(config.source, "run.json");
	cr_expect_str_eq(config.dataset.path, "data.csv");
	cr_expect_eq(config.dataset.format, FORMAT_DETECT);
	cr_expect_eq(config.dataset.header, HEADER_DETECT);
	cr_expect_eq(config.dataset.delimiter, 0);
	cr_expect(!config.dataset.has_target);
	cr_expect(!config.dataset.has_features);
	cr_expect_eq(config.dataset.missing, MISSING_ERROR);
	cr_expect_eq(config.workers, 0);
	cr_expect_eq(config.training.optimizer, OPTIMIZER_GRADIENT_DESCENT);
	cr_expect(config.training.automatic_rate);
	cr_expect_eq(config.training.epochs, 1000);
	cr_expect_eq(config.training.tolerance, 1e-9);
	cr_expect(config.training.standardize);
	cr_expect_eq(config.training.aggregation, AGGREGATE_MEAN);
	cr_expect_eq(config.training.initial_count, 0);
	cr_expect_eq(config.training.initial_b, 0);
	cr_expect_eq(config.recovery.worker_timeout_s, 30);
	cr_expect(config.isolation.enabled);
	cr_expect_eq(config.isolation.max_memory_mb, 0);
	cr_expect_eq(config.isolation.max_cpu_s, 0);
	cr_expect_null(config.output.model);
	cr_expect_null(config.output.events);
	cr_expect_null(config.output.trace);
	cr_expect_null(config.output.report);
	cr_expect_null(config.output.faults);
	cr_expect_eq(config.fault_count, 0);
	cr_expect_eq(config.chaos.seed, 1);
	cr_expect_eq(config.chaos.rate, 0);
	cr_expect_eq(config.chaos.kinds, UINT32_C(1) << FAULT_KILL);
	config_release(&config);
}

Test(config, reads_every_key)
{
	struct config config = read_good(
	        "{ \"$schema\": \"any\","
	        "  \"dataset\": { \"path\": \"d.csv\", \"format\": \"csv\", \"header\": false, \"delimiter\": \";\","
	        "    \"target\": \"price\", \"features\": [\"carat\", 4], \"missing\": \"skip_row\" },"
	        "  \"workers\": 3,"
	        "  \"training\": { \"optimizer\": \"gradient_descent\", \"learning_rate\": 0.25, \"epochs\": 50,"
	        "    \"tolerance\": 0, \"standardize\": false, \"aggregation\": \"sum\","
	        "    \"initial\": { \"w\": [0.5, -1], \"b\": 2 } },"
	        "  \"isolation\": { \"enabled\": false, \"max_memory_mb\": 64, \"max_cpu_s\": 600 },"
	        "  \"checkpoint\": { \"path\": \"state\", \"every_epochs\": 7 },"
	        "  \"recovery\": { \"policy\": \"drop\", \"worker_timeout_s\": 2.5, \"max_restarts\": 9,"
	        "    \"restart_window_s\": 0.25, \"backup_after\": 3, \"replicas\": 2, \"allow_degraded\": true },"
	        "  \"faults\": [{ \"kind\": \"nan\" }], \"chaos\": { \"seed\": 3, \"rate\": 0.5, \"kinds\": [\"stop\"] "
	        "},"
	        "  \"output\": { \"model\": \"m.json\", \"events\": \"e.jsonl\", \"trace\": \"t.json\", \"report\": "
	        "\"r.html\", \"faults\": "
	        "\"f.json\" } }",
	        NULL);
	cr_expect_eq(config.dataset.format, FORMAT_CSV);
	cr_expect_eq(config.dataset.header, HEADER_ABSENT);
	cr_expect_eq(config.dataset.delimiter, ';');
	cr_expect(config.dataset.has_target);
	cr_expect_str_eq(config.dataset.target.name, "price");
	cr_assert_eq(config.dataset.feature_count, 2);
	cr_expect_str_eq(config.dataset.features[0].name, "carat");
	cr_expect_null(config.dataset.features[1].name);
	cr_expect_eq(config.dataset.features[1].index, 4);
	cr_expect_eq(config.dataset.missing, MISSING_SKIP_ROW);
	cr_expect_eq(config.workers, 3);
	cr_expect(!config.training.automatic_rate);
	cr_expect_eq(config.training.learning_rate, 0.25);
	cr_expect_eq(config.training.epochs, 50);
	cr_expect_eq(config.training.tolerance, 0);
	cr_expect(!config.training.standardize);
	cr_expect_eq(config.training.aggregation, AGGREGATE_SUM);
	cr_assert_eq(config.training.initial_count, 2);
	cr_expect_eq(config.training.initial_w[0], 0.5);
	cr_expect_eq(config.training.initial_w[1], -1);
	cr_expect_eq(config.training.initial_b, 2);
	cr_expect_eq(config.recovery.policy, RECOVERY_DROP);
	cr_expect_eq(config.recovery.worker_timeout_s, 2.5);
	cr_expect(!config.isolation.enabled);
	cr_expect_eq(config.isolation.max_memory_mb, 64);
	cr_expect_eq(config.isolation.max_cpu_s, 600);
	cr_expect_str_eq(config.checkpoint.path, "state");
	cr_expect_eq(config.checkpoint.every_epochs, 7);
	cr_expect_eq(config.recovery.max_restarts, 9);
	cr_expect_eq(config.recovery.restart_window_s, 0.25);
	cr_expect_eq(config.recovery.backup_after, 3);
	cr_expect_eq(config.recovery.replicas, 2);
	cr_expect(config.recovery.allow_degraded);
	cr_expect_str_eq(config.output.model, "m.json");
	cr_expect_str_eq(config.output.events, "e.jsonl");
	cr_expect_str_eq(config.output.trace, "t.json");
	cr_expect_str_eq(config.output.report, "r.html");
	cr_expect_str_eq(config.output.faults, "f.json");
	cr_expect_eq(config.fault_count, 1);
	cr_expect_eq(config.chaos.seed, 3);
	cr_expect_eq(config.chaos.rate, 0.5);
	cr_expect_eq(config.chaos.kinds, UINT32_C(1) << FAULT_STOP);
	config_release(&config);
}

Test(config, knows_each_delimiter)
{
	static const struct {
		const char *override;
		char delimiter;
	} rows[] = {
	        {"dataset.delimiter=auto", 0},
	        {"dataset.delimiter=,", ','},
	        {"dataset.delimiter=;", ';'},
	        {"dataset.delimiter=\"\\t\"", '\t'},
	        {"dataset.delimiter=\t", '\t'},
	        {"dataset.delimiter=|", '|'},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct config config = read_good(MINIMAL, (const char *const[]){rows[i].override, NULL});
		cr_expect_eq(config.dataset.delimiter, rows[i].delimiter, "%s", rows[i].override);
		config_release(&config);
	}
}

Test(config, names_its_words)
{
	cr_expect_str_eq(aggregation_name(AGGREGATE_MEAN), "mean");
	cr_expect_str_eq(aggregation_name(AGGREGATE_AVERAGE), "average");
	cr_expect_str_eq(aggregation_name(AGGREGATE_SUM), "sum");
	cr_expect_str_eq(optimizer_name(OPTIMIZER_GRADIENT_DESCENT), "gradient_descent");
}

/* What a part of the effective configuration is after overrides, in compact JSON; "null" if it is not there. */
static void expect_effect(
        const char *text, const char *const *overrides, const char *object, const char *key, const char *expected)
{
	struct config config = read_good(text, overrides);
	char *effective = config_to_json(&config);
	json_t *root = json_loads(effective, 0, NULL);
	const json_t *parent = *object ? json_object_get(root, object) : root;
	char *value = json_dumps(json_object_get(parent, key), JSON_COMPACT | JSON_ENCODE_ANY);
	cr_expect_str_eq(value ? value : "null", expected, "%s.%s after %s is %s", object, key, overrides[0], value);
	free(value);
	json_decref(root);
	free(effective);
	config_release(&config);
}

Test(config, takes_overrides)
{
	static const struct {
		const char *overrides[3];
		const char *object, *key, *expected;
	} rows[] = {
	        {{"workers=5"}, "", "workers", "5"},
	        {{"workers=\"auto\""}, "", "workers", "\"auto\""},
	        {{"workers=auto"}, "", "workers", "\"auto\""},
	        {{"workers= 5 "}, "", "workers", "5"},
	        {{"workers=5", "workers=6"}, "", "workers", "6"},
	        {{"training.standardize=false"}, "training", "standardize", "false"},
	        {{"training.initial.w=[1,2]"}, "training", "initial", "{\"w\":[1,2],\"b\":0}"},
	        {{"training.initial={\"b\":1}", "training.initial.w=[3]"}, "training", "initial",
	                "{\"w\":[3],\"b\":1}"},
	        {{"training.initial.w=[3]", "training.initial={\"b\":1}"}, "training", "initial", "{\"b\":1}"},
	        {{"dataset.path=a=b.csv"}, "dataset", "path", "\"a=b.csv\""},
	        {{"dataset.path=\"1\""}, "dataset", "path", "\"1\""},
	        {{"dataset.path=[draft].csv"}, "dataset", "path", "\"[draft].csv\""},
	        {{"dataset.target=3"}, "dataset", "target", "3"},
	        {{"dataset.target=\"3\""}, "dataset", "target", "\"3\""},
	        {{"dataset.target=99999999999999999999 kg"}, "dataset", "target", "\"99999999999999999999 kg\""},
	        {{"dataset.features=[\"x\", 2]"}, "dataset", "features", "[\"x\",2]"},
	        {{"output.model=m.json", "output.model=null"}, "output", "model", "null"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_effect(MINIMAL, rows[i].overrides, rows[i].object, rows[i].key, rows[i].expected);
}

Test(config, lets_overrides_put_right_what_the_file_has_wrong)
{
	expect_effect("{ \"dataset\": { \"path\": \"d\" }, \"workers\": \"many\" }",
	        (const char *const[]){"workers=2", NULL}, "", "workers", "2");
	expect_effect("{ \"dataset\": \"d\" }", (const char *const[]){"dataset={\"path\":\"e\"}", NULL}, "dataset",
	        "path", "\"e\"");
	expect_effect("{}", (const char *const[]){"dataset.path=f", NULL}, "dataset", "path", "\"f\"");
}

Test(config, calls_an_override_without_key_or_value_bad_usage)
{
	static const struct {
		const char *override, *message;
	} rows[] = {
	        {"workers", "--set workers: expected key.path=value"},
	        {"", "--set : expected key.path=value"},
	        {"=", "--set =: expected key.path=value"},
	        {".workers=1", "--set .workers=1: expected key.path=value, found an empty key"},
	        {"training.=1", "--set training.=1: expected key.path=value, found an empty key"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_message(MINIMAL, (const char *const[]){rows[i].override, NULL}, EXIT_BAD_USAGE, rows[i].message);
}

Test(config, wants_utf8_in_overrides)
{
	expect_message(MINIMAL, (const char *const[]){"dataset.path=a\xFF", NULL}, EXIT_BAD_CONFIGURATION,
	        "--set dataset.path=a\\xFF: dataset.path: the value is not UTF-8");
	expect_message(MINIMAL, (const char *const[]){"w\xFF=1", NULL}, EXIT_BAD_CONFIGURATION,
	        "--set w\\xFF=1: w\\xFF: unknown key, expected \"$schema\", \"dataset\", \"workers\", \"training\", "
	        "\"recovery\", \"isolation\", \"checkpoint\", \"faults\", \"chaos\" or \"output\"");
}

Test(config, resolves_paths_from_the_directory_it_lies_in)
{
	static const struct {
		const char *config, *given, *resolved;
	} rows[] = {
	        {"run.json", "data.csv", "data.csv"},
	        {"run.json", "../data.csv", "../data.csv"},
	        {"run.json", "/data.csv", "/data.csv"},
	        {"./run.json", "data.csv", "./data.csv"},
	        {"sub/run.json", "data.csv", "sub/data.csv"},
	        {"sub/run.json", "../data.csv", "sub/../data.csv"},
	        {"sub/run.json", "/data.csv", "/data.csv"},
	        {"sub//run.json", "a/data.csv", "sub//a/data.csv"},
	};
	cr_assert(mkdir("sub", 0700) == 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[256];
		snprintf(text, sizeof text, "{ \"dataset\": { \"path\": \"%s\" }, \"output\": { \"events\": \"%s\" } }",
		        rows[i].given, rows[i].given);
		char override[64], other[64];
		snprintf(override, sizeof override, "output.model=%s", rows[i].given);
		snprintf(other, sizeof other, "checkpoint.path=%s", rows[i].given);
		struct reading reading =
		        read_config_from(rows[i].config, text, (const char *const[]){override, other, NULL});
		cr_assert(reading.ok, "%s", reading.error.message);
		cr_expect_str_eq(reading.config.dataset.path, rows[i].resolved);
		cr_expect_str_eq(reading.config.checkpoint.path, rows[i].resolved);
		cr_expect_str_eq(reading.config.output.model, rows[i].resolved);
		cr_expect_str_eq(reading.config.output.events, rows[i].resolved);
		cr_expect_str_eq(reading.config.dataset.given_path, rows[i].given);
		cr_expect_str_eq(reading.config.source, rows[i].config);
		reading_release(&reading);
	}
}

static bool read_from_stdin(const char *text, struct config *config, struct error *error)
{
	write_file("input", text, strlen(text));
	cr_assert_not_null(freopen("input", "r", stdin));
	return config_read("-", NULL, 0, config, error);
}

Test(config, comes_from_standard_input_with_paths_from_the_working_directory)
{
	struct config config;
	struct error error;
	cr_assert(read_from_stdin(MINIMAL, &config, &error), "%s", error.message);
	cr_expect_str_eq(config.source, "<stdin>");
	cr_expect_str_eq(config.dataset.path, "data.csv");
	config_release(&config);
}

Test(config, calls_standard_input_by_name_in_errors)
{
	struct config config;
	struct error error;
	cr_assert(!read_from_stdin("{\n\"workers\": 0 }", &config, &error));
	cr_expect_str_eq(error.message, "<stdin>:2: workers: expected \"auto\" or an integer from 1 to 4096, found 0");
}

Test(config, passes_over_a_byte_order_mark)
{
	struct config config = read_good("\xEF\xBB\xBF" MINIMAL, NULL);
	cr_expect_str_eq(config.dataset.path, "data.csv");
	config_release(&config);
	expect_message("\xEF\xBB\xBF{ x }", NULL, EXIT_BAD_CONFIGURATION,
	        "run.json:1:3: syntax error: expected a key in double quotes or '}', found x");
}

Test(config, accepts_lines_that_end_in_crlf)
{
	struct config config = read_good("{\r\n\t\"dataset\": {\r\n\t\t\"path\": \"d\"\r\n\t}\r\n}\r\n", NULL);
	cr_expect_str_eq(config.dataset.path, "d");
	config_release(&config);
}

Test(config, reports_a_file_that_cannot_be_read_as_missing_input)
{
	struct config config;
	struct error error;
	cr_assert(!config_read("absent.json", NULL, 0, &config, &error));
	cr_expect_str_eq(error.message, "cannot open absent.json: No such file or directory");
	cr_expect_eq(error.code, EXIT_INPUT_MISSING);
	cr_assert(!config_read(".", NULL, 0, &config, &error));
	cr_expect_str_eq(error.message, "cannot read .: Is a directory");
	cr_expect_eq(error.code, EXIT_INPUT_MISSING);
	cr_assert(symlink("absent.json", "link.json") == 0);
	cr_assert(!config_read("link.json", NULL, 0, &config, &error));
	cr_expect_str_eq(error.message, "cannot open link.json: No such file or directory");
}

Test(config, gives_up_on_a_file_without_end)
{
	struct config config;
	struct error error;
	cr_assert(!config_read("/dev/zero", NULL, 0, &config, &error));
	cr_expect_str_eq(error.message, "/dev/zero: too large for a configuration: more than 16 MiB");
	cr_expect_eq(error.code, EXIT_BAD_CONFIGURATION);
}

Test(config, writes_what_it_understood_with_every_default)
{
	struct config config = read_good(MINIMAL, NULL);
	char *text = config_to_json(&config);
	cr_expect_str_eq(text, "{\n"
	                       "  \"dataset\": {\n"
	                       "    \"path\": \"data.csv\",\n"
	                       "    \"format\": \"auto\",\n"
	                       "    \"header\": \"auto\",\n"
	                       "    \"delimiter\": \"auto\",\n"
	                       "    \"missing\": \"error\"\n"
	                       "  },\n"
	                       "  \"workers\": \"auto\",\n"
	                       "  \"training\": {\n"
	                       "    \"optimizer\": \"gradient_descent\",\n"
	                       "    \"learning_rate\": \"auto\",\n"
	                       "    \"epochs\": 1000,\n"
	                       "    \"tolerance\": 1e-9,\n"
	                       "    \"standardize\": true,\n"
	                       "    \"aggregation\": \"mean\",\n"
	                       "    \"initial\": {\n"
	                       "      \"b\": 0\n"
	                       "    }\n"
	                       "  },\n"
	                       "  \"recovery\": {\n"
	                       "    \"policy\": \"respawn\",\n"
	                       "    \"worker_timeout_s\": 30,\n"
	                       "    \"max_restarts\": 5,\n"
	                       "    \"restart_window_s\": 10,\n"
	                       "    \"backup_after\": 0,\n"
	                       "    \"replicas\": 1,\n"
	                       "    \"allow_degraded\": false\n"
	                       "  },\n"
	                       "  \"isolation\": {\n"
	                       "    \"enabled\": true,\n"
	                       "    \"max_memory_mb\": null,\n"
	                       "    \"max_cpu_s\": null\n"
	                       "  },\n"
	                       "  \"checkpoint\": {\n"
	                       "    \"path\": null,\n"
	                       "    \"every_epochs\": 100\n"
	                       "  },\n"
	                       "  \"faults\": [],\n"
	                       "  \"chaos\": {\n"
	                       "    \"seed\": 1,\n"
	                       "    \"rate\": 0,\n"
	                       "    \"kinds\": [\"kill\"]\n"
	                       "  },\n"
	                       "  \"output\": {\n"
	                       "    \"model\": null,\n"
	                       "    \"events\": null,\n"
	                       "    \"trace\": null,\n"
	                       "    \"report\": null,\n"
	                       "    \"faults\": null\n"
	                       "  }\n"
	                       "}");
	free(text);
	config_release(&config);
}

enum { RANDOM_WEIGHTS = 4000 };

/* Any finite double, by its bits; one in four is a short decimal fraction, as people write them. */
static double random_weight(uint64_t *state)
{
	double value;
	do {
		uint64_t bits = random_next(state);
		memcpy(&value, &bits, sizeof value);
	} while (!isfinite(value));
	return random_below(state, 4) == 0 ? random_below(state, 100000) / 1000.0 : value;
}

Test(config, writes_numbers_that_read_back_to_the_same_bits)
{
	double weights[RANDOM_WEIGHTS] = {
	        0, -0.0, 0.1, 1.0 / 3, 1e15, 1e16, 5e-324, 1.7976931348623157e308, 1e22, 1e23};
	uint64_t state = 7;
	for (size_t i = 10; i < RANDOM_WEIGHTS; i++)
		weights[i] = random_weight(&state);
	struct config config = read_good(MINIMAL, NULL);
	config.training.initial_w = weights;
	config.training.initial_count = RANDOM_WEIGHTS;
	char *text = config_to_json(&config);
	struct config again = read_good(text, NULL);
	cr_expect_eq(again.training.initial_count, RANDOM_WEIGHTS);
	cr_expect(memcmp(again.training.initial_w, weights, sizeof weights) == 0);
	config.training.initial_w = NULL;
	config_release(&config);
	config_release(&again);
	free(text);
}
