#include "tests/end_to_end/fault_run.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *directory;
static char *reference;

/* A worker on these rows answers in less than a millisecond. */
static const double PATIENCE_S = 20.0;

static const char ROWS[] = "x,y\n1,3.1\n2,5.2\n3,6.9\n4,9.1\n5,11.2\n6,12.8\n7,15.1\n8,17.0\n9,18.9\n10,21.2\n"
                           "11,23.1\n12,24.8\n";

void fault_lab_enter(void)
{
	directory = directory_new();
	char *path = path_join(directory, "d.csv");
	file_write(path, ROWS);
	free(path);
	struct run_result result = fault_run(&(struct fault_run){.workers = 1});
	cr_assert_eq(result.exit_code, 0, "%s", result.err);
	reference = strdup(result.out);
	run_result_release(&result);
}

void fault_lab_leave(void)
{
	directory_remove(directory);
	free(directory);
	free(reference);
}

const char *fault_lab(void)
{
	return directory;
}

const char *fault_free_result(void)
{
	return reference;
}

static void write_configuration(const struct fault_run *run)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	cr_assert_not_null(out);
	fprintf(out,
	        "{ \"dataset\": { \"path\": \"d.csv\" }, \"workers\": %u, \"training\": { \"epochs\": 3 },\n"
	        "  \"recovery\": { \"max_restarts\": 1000000, \"worker_timeout_s\": %g%s%s },\n"
	        "  \"output\": { \"faults\": \"fired.json\", \"events\": \"events.jsonl\" }%s%s,\n"
	        "  \"faults\": %s }\n",
	        run->workers > 0 ? run->workers : 3, run->timeout_s > 0 ? run->timeout_s : PATIENCE_S,
	        run->recovery != NULL ? ", " : "", run->recovery != NULL ? run->recovery : "",
	        run->more != NULL ? ", " : "", run->more != NULL ? run->more : "",
	        run->faults != NULL ? run->faults : "[]");
	cr_assert_eq(fclose(out), 0);
	char *path = path_join(directory, "run.json");
	file_write(path, text);
	free(path);
	free(text);
}

struct run_result fault_run(const struct fault_run *run)
{
	struct run_options options = {.directory = directory};
	write_configuration(run);
	struct run_result result =
	        run_program(RUN_ARGV(coordinator_path(), "--config", "run.json", "--json"), &options);
	cr_assert_not(result.timed_out, "%s:\n%s", run->faults, result.err);
	cr_assert(session_ends(result.pid, 5), "%s: somebody is left", run->faults);
	return result;
}

json_t *faults_fired(void)
{
	char *path = path_join(directory, "fired.json");
	json_t *root = json_from_file(path);
	json_t *list = json_incref(json_at(root, "faults"));
	json_decref(root);
	free(path);
	return list;
}

bool fault_has_fired(const char *kind, const char *site)
{
	json_t *list = faults_fired(), *fault;
	size_t index;
	bool found = false;
	json_array_foreach(list, index, fault)
	{
		found = found || (strcmp(json_string_at(fault, "kind"), kind) == 0 &&
		                         strcmp(json_string_at(fault, "site"), site) == 0);
	}
	json_decref(list);
	return found;
}

void expect_identical(const struct run_result *result, const char *faults)
{
	cr_expect(result->exit_code == 0 && strcmp(result->out, reference) == 0,
	        "%.300s: exit code %d (signal %d), standard output\n%s\nand standard error\n%.2000s", faults,
	        result->exit_code, result->signal, result->out, result->err);
}

/* Where each worker was struck by a fault that says so. False: none of them was. */
static bool places_struck(const char *fault, const char *site, unsigned workers, const char *which, size_t *places)
{
	char faults[192];
	size_t index;
	json_t *entry;
	snprintf(faults, sizeof faults, "[{%s, \"site\": \"%s\", %s}]", fault, site, which);
	struct run_result result = fault_run(&(struct fault_run){.faults = faults, .workers = workers});
	expect_identical(&result, faults);
	run_result_release(&result);
	json_t *fired = faults_fired();
	size_t struck = json_array_size(fired);
	cr_assert(struck == 0 || struck == workers, "%s: %zu of %u workers", faults, struck, workers);
	json_array_foreach(fired, index, entry)
	{
		places[(size_t)json_number_at(entry, "worker")] = (size_t)json_number_at(entry, "byte");
	}
	json_decref(fired);
	return struck > 0;
}

bool frame_lengths(const char *site, unsigned workers, const char *which, size_t *lengths)
{
	/* A frame that is truncated is so in its middle; a flip behind the end starts again at its beginning. */
	char behind[64];
	size_t places[16];
	cr_assert(workers <= sizeof places / sizeof *places);
	if (!places_struck("\"kind\": \"truncate\", \"ms\": 0", site, workers, which, lengths))
		return false;
	for (unsigned worker = 0; worker < workers; worker++) {
		size_t even = 2 * lengths[worker];
		snprintf(behind, sizeof behind, "\"kind\": \"flip\", \"byte\": %zu", even);
		cr_assert(places_struck(behind, site, workers, which, places));
		lengths[worker] = places[worker] == 0 ? even : even + 1;
	}
	return true;
}

/* As many in a row as rows may lose before they count as poisonous, with their number at 8. */
enum { DEATHS_IN_A_ROW = 7, EPOCHS = 3 };

/* The next byte, or with `bits` bit, of the frame. */
struct position {
	size_t next;
	size_t end;
	size_t step;
};

static size_t advance(struct position *position)
{
	size_t at = position->next;
	position->next += position->step;
	return at;
}

static void put_fault(FILE *out, const struct frame_sweep *sweep, unsigned worker, unsigned incarnation, int epoch,
        size_t at, size_t *count)
{
	fprintf(out, "%s\n    {\"kind\": \"%s\", \"site\": \"%s\", \"worker\": %u, \"incarnation\": %u, \"epoch\": %d",
	        *count > 0 ? "," : "", sweep->kind, sweep->site, worker, incarnation, epoch);
	if (sweep->bits)
		fprintf(out, ", \"byte\": %zu, \"bit\": %zu}", at / 8, at % 8);
	else
		fprintf(out, ", \"byte\": %zu}", at);
	++*count;
}

/* One worker's faults in one run. Who is to load in an epoch must have been lost in it, so there the first is killed.
 */
static void put_chain(
        FILE *out, const struct frame_sweep *sweep, unsigned worker, struct position *position, size_t *count)
{
	unsigned incarnation = 0;
	for (int epoch = sweep->loading ? 0 : 1; epoch <= EPOCHS && position->next < position->end; epoch++) {
		int deaths = 0;
		if (sweep->loading && epoch > 0) {
			fprintf(out, "%s\n    {\"kind\": \"kill\", \"worker\": %u, \"incarnation\": %u, \"epoch\": %d}",
			        *count > 0 ? "," : "", worker, incarnation++, epoch);
			++*count;
			deaths++;
		}
		for (; deaths < DEATHS_IN_A_ROW && position->next < position->end; deaths++)
			put_fault(out, sweep, worker, incarnation++, epoch, advance(position), count);
	}
}

static bool run_sweep(const struct frame_sweep *sweep, unsigned workers, struct position *positions)
{
	char *faults = NULL;
	size_t length, count = 0;
	FILE *out = open_memstream(&faults, &length);
	cr_assert_not_null(out);
	fputc('[', out);
	for (unsigned worker = 0; worker < workers; worker++)
		put_chain(out, sweep, worker, &positions[worker], &count);
	fputc(']', out);
	cr_assert_eq(fclose(out), 0);
	if (count > 0) {
		struct run_result result = fault_run(
		        &(struct fault_run){.faults = faults, .workers = workers, .timeout_s = sweep->timeout_s});
		expect_identical(&result, faults);
		run_result_release(&result);
		json_t *fired = faults_fired();
		cr_expect_eq(json_array_size(fired), count, "%zu of %zu happened: %.300s", json_array_size(fired),
		        count, faults);
		json_decref(fired);
	}
	free(faults);
	return count > 0;
}

void sweep_frame(const struct frame_sweep *sweep, unsigned workers)
{
	struct position positions[16];
	size_t lengths[16];
	cr_assert(workers <= sizeof positions / sizeof *positions);
	cr_assert(frame_lengths(sweep->site, workers, sweep->loading ? "\"epoch\": 0" : "\"epoch\": 1", lengths));
	/*
	 * Bytes: every worker, since the frames of some may be longer than those of others. Bits: they share those of
	 * one frame, in turn, so that the bits of its length, which take a deadline each, fall to all.
	 */
	for (unsigned worker = 0; worker < workers; worker++) {
		size_t places = lengths[worker] * (sweep->bits ? 8 : 1);
		positions[worker] = (struct position){
		        .next = sweep->bits ? worker : 0,
		        .end = places,
		        .step = sweep->bits ? workers : 1,
		};
	}
	while (run_sweep(sweep, workers, positions))
		;
}

static void expect_lost(const struct run_result *result, unsigned worker, const char *faults)
{
	char words[64];
	snprintf(words, sizeof words, "coordinator: worker %u is replaced by pid ", worker);
	cr_expect_not_null(strstr(result->err, words), "%s: nobody noticed:\n%s", faults, result->err);
}

static size_t count_fired(void)
{
	json_t *fired = faults_fired();
	size_t count = json_array_size(fired);
	json_decref(fired);
	return count;
}

/* Where the deadline is short, a busy machine's worker may miss it before it is struck: then it is done again. */
enum { ATTEMPTS = 5 };

void strike_frame(const struct frame_strike *strike, unsigned workers)
{
	char faults[192], bit[24] = "";
	bool flips = strcmp(strike->kind, "flip") == 0, missed = true;
	if (flips)
		snprintf(bit, sizeof bit, ", \"bit\": %zu", strike->bit);
	snprintf(faults, sizeof faults, "[{\"kind\": \"%s\", \"site\": \"%s\", \"skip\": %u, \"byte\": %zu%s}]",
	        strike->kind, strike->site, strike->skip, strike->byte, bit);
	for (int attempt = 0; missed && attempt < ATTEMPTS; attempt++) {
		struct run_result result = fault_run(
		        &(struct fault_run){.faults = faults, .workers = workers, .timeout_s = strike->timeout_s});
		missed = count_fired() < workers && strstr(result.err, "did not answer within") != NULL;
		expect_identical(&result, faults);
		bool is_noticed = flips && !missed && strcmp(strike->site, "stop.read") != 0;
		for (unsigned worker = 0; is_noticed && worker < workers; worker++)
			expect_lost(&result, worker, faults);
		run_result_release(&result);
	}
	cr_expect_eq(count_fired(), workers, "%s: %zu of %u workers", faults, count_fired(), workers);
}
