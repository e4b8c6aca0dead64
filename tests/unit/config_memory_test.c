#include "coordinator/config.h"

#include "tests/unit/config_reading.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

TestSuite(config_memory, .init = scratch_enter, .fini = scratch_leave, .timeout = 60);

enum { NEVER = 0, ALLOCATIONS_MAX = 100000, BLOCKS_MAX = 1000 };

static size_t allocations;       /* of jansson, so far */
static size_t failing;           /* the one that fails, counted from 1 */
static bool fails_from_then;     /* and all after it */
static void *blocks[BLOCKS_MAX]; /* those that live, with gaps */

static void *allocate(size_t size)
{
	size_t i = 0;
	allocations++;
	if (failing != NEVER && (fails_from_then ? allocations >= failing : allocations == failing))
		return NULL;
	while (blocks[i])
		i++;
	cr_assert(i < BLOCKS_MAX - 1);
	return blocks[i] = malloc(size);
}

static void release(void *block)
{
	for (size_t i = 0; i < BLOCKS_MAX; i++) {
		if (blocks[i] == block)
			blocks[i] = NULL;
	}
	free(block);
}

/* How many blocks were lost; they are freed, which jansson is past. */
static size_t release_lost(void)
{
	size_t lost = 0;
	for (size_t i = 0; i < BLOCKS_MAX; i++) {
		lost += blocks[i] != NULL;
		free(blocks[i]);
		blocks[i] = NULL;
	}
	return lost;
}

static void set_failing(size_t number, bool from_then)
{
	allocations = 0;
	failing = number;
	fails_from_then = from_then;
}

/* Good, and wrong in each of the ways that take memory to tell. */
static const char *const documents[] = {
        "{ \"dataset\": { \"path\": \"a path longer than sixteen bytes\", \"target\": \"y\", \"features\": [\"a\", 2] "
        "}, \"workers\": 2,"
        "  \"training\": { \"initial\": { \"w\": [1, 2.5] } }, \"output\": { \"model\": \"m\" } }",
        "{ \"faults\": [{ \"kind\": \"flip\", \"bit\": 3 }], \"chaos\": { \"kinds\": [\"stop\"] } }",
        "{ \"faults\": [{ \"kind\": \"flop\" }] }",
        "{ \"faults\": [{ \"kind\": \"flip\", \"bit\": 8 }] }",
        "{ \"workers\": 1, \"workers\": 2 }",
        "{ \"dataset\": { \"features\": [\"a\", \"a\"] } }",
        "{ \"dataset\": { \"features\": [\"a\", {\"b\": 1}] } }",
        "{ \"training\": [1, 2] }",
        "{ \"dataset\": { \"path\": \"d\" }, \"wokers\": 2 }",
        "{}",
        "[\"a\"]",
};

/* True once nothing failed on the way. */
static bool survives(const char *text, const struct error *expected)
{
	static const char *const overrides[] = {"workers=3", "training.epochs=5"};
	struct config config;
	struct error error;
	write_file("run.json", text, strlen(text));
	bool ok = config_read("run.json", overrides, 2, &config, &error);
	bool failed = failing != NEVER && allocations >= failing;
	if (ok)
		config_release(&config);
	else if (error.code == EXIT_OS_ERROR)
		cr_expect_str_eq(error.message, "out of memory");
	else
		cr_expect(expected && strcmp(error.message, expected->message) == 0, "allocation %zu: %s", failing,
		        error.message);
	size_t lost = release_lost();
	cr_expect(failed || lost == 0, "%zu blocks are lost", lost);
	return !failed;
}

static void fail_each_allocation(const char *text, bool from_then)
{
	struct config config;
	struct error error = {.code = EXIT_OK};
	static const char *const overrides[] = {"workers=3", "training.epochs=5"};
	set_failing(NEVER, false);
	write_file("run.json", text, strlen(text));
	if (config_read("run.json", overrides, 2, &config, &error))
		config_release(&config);
	size_t number = 0;
	do {
		number++;
		set_failing(number, from_then);
		cr_assert(number < ALLOCATIONS_MAX);
	} while (!survives(text, &error));
	cr_expect(number > 1);
}

Test(config_memory, reports_any_allocation_of_jansson_that_fails)
{
	json_set_alloc_funcs(allocate, release);
	for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
		fail_each_allocation(documents[i], false);
		fail_each_allocation(documents[i], true);
	}
}

Test(config_memory, writes_no_text_rather_than_half_of_it)
{
	set_failing(NEVER, false);
	json_set_alloc_funcs(allocate, release);
	struct reading reading = read_config(documents[0], NULL);
	cr_assert(reading.ok);
	char *whole = config_to_json(&reading.config);
	char *text = NULL;
	for (size_t number = 1; !text; number++) {
		set_failing(number, true);
		text = config_to_json(&reading.config);
	}
	cr_expect_str_eq(text, whole);
	free(text);
	free(whole);
	reading_release(&reading);
}
