#include "worker/worker.h"

#include "common/busy_wait.h"
#include "common/calls.h"
#include "common/clock.h"
#include "common/frame_io.h"
#include "common/tree.h"
#include "worker/chunk.h"
#include "worker/faults.h"
#include "worker/isolation.h"
#include "worker/kernels.h"
#include "worker/last_words.h"
#include "worker/predict.h"
#include "worker/residuals.h"
#include "worker/scheduling.h"
#include "worker/stream.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a worker has been told so far decides what it may be told next. */
enum phase { PHASE_NEW, PHASE_ASSIGNED, PHASE_COUNT };

struct worker {
	struct frame_reader reader;
	struct frame_writer writer;
	enum phase phase;
	int not_isolated;             /* errno, if it could not confine itself */
	struct frame_header question; /* the frame being answered */
	struct worker_times times;    /* of it */
	bool waits_awake;             /* may it, for the next */
	struct busy_wait questions;   /* how soon they come */
	struct assignment assignment;
	struct chunk *chunk;
	struct chunk_facts facts;
	uint64_t next_leaf;     /* for PREDICT: the leaf in which it ended last, or 0 … */
	uint64_t next_leaf_row; /* … whose first row this is, counted in the chunk */
	struct kernels kernels;
	struct tree_stack tree;
	double *parameters;    /* features + 1, and one more for the kernels that take it */
	double *first_row;     /* features + 1 */
	struct faults *faults; /* NULL: none, as in every run outside the laboratory */
};

/* What a frame's handler wants next. */
enum outcome { GO_ON, LEAVE, GIVE_UP, PIPE_FAILED };

/* Writes the whole queue; the descriptor blocks. */
static enum outcome send_queue(struct worker *worker)
{
	enum io_status status;
	last_words_hold(true);
	do
		status = worker->faults == NULL ? frame_writer_flush(&worker->writer, STDOUT_FILENO)
		                                : faults_flush(worker->faults, &worker->writer, STDOUT_FILENO);
	while (status == IO_BLOCKED);
	last_words_hold(false);
	if (status == IO_CLOSED)
		return LEAVE; /* the coordinator is gone */
	return status == IO_DONE ? GO_ON : PIPE_FAILED;
}

static enum outcome send_error(struct worker *worker, const struct worker_error *error)
{
	if (!wire_encode_error(&worker->writer.queue, &worker->question, error))
		return PIPE_FAILED;
	enum outcome outcome = send_queue(worker);
	return outcome == GO_ON ? GIVE_UP : outcome;
}

static enum outcome fail(struct worker *worker, enum error_stage stage, int system_error, const char *text)
{
	struct worker_error error;
	chunk_fail(&error, stage, system_error, text);
	return send_error(worker, &error);
}

/* Faults that are due before some work. False: memory has run out, by a fault. */
static bool strike(struct worker *worker, enum fault_site site)
{
	return worker->faults == NULL || faults_strike(worker->faults, site, worker->question.epoch);
}

static void forget_assignment(struct worker *worker)
{
	chunk_free(worker->chunk);
	kernels_release(&worker->kernels);
	tree_stack_release(&worker->tree);
	free(worker->parameters);
	free(worker->first_row);
	assignment_release(&worker->assignment);
	worker->chunk = NULL;
	worker->parameters = worker->first_row = NULL;
	worker->next_leaf = worker->next_leaf_row = 0;
	worker->phase = PHASE_NEW;
}

static bool same_dataset(const struct dataset *a, const struct dataset *b)
{
	return a->identity.bytes == b->identity.bytes && a->identity.inode == b->identity.inode &&
	       a->identity.modified_ns == b->identity.modified_ns && a->format == b->format &&
	       a->missing == b->missing && a->data_offset == b->data_offset && a->file_columns == b->file_columns &&
	       a->features == b->features && a->delimiter == b->delimiter && a->rows == b->rows &&
	       a->element == b->element && a->fortran_order == b->fortran_order && strcmp(a->path, b->path) == 0 &&
	       memcmp(a->columns, b->columns, ((size_t)a->features + 1) * sizeof *a->columns) == 0;
}

/* Is the new assignment the present one but for the centre? Then the chunk stays loaded. */
static bool same_chunk(const struct assignment *a, const struct assignment *b)
{
	return a->leaf_count == b->leaf_count && a->leaves.begin == b->leaves.begin && a->leaves.end == b->leaves.end &&
	       a->bytes.begin == b->bytes.begin && a->bytes.end == b->bytes.end && a->quotes == b->quotes &&
	       a->cache_bytes == b->cache_bytes && same_dataset(&a->dataset, &b->dataset);
}

/* Allocates all that rounds will need. */
static bool prepare_rounds(struct worker *worker)
{
	const struct dataset *dataset = &worker->assignment.dataset;
	size_t columns = (size_t)dataset->features + 1;
	/* Rows that are to be skipped, a CSV's parser has left out already. */
	bool skip = dataset->missing == MISSING_KEEP_ROW ||
	            (dataset->missing == MISSING_SKIP_ROW && dataset->format == DATASET_NPY);
	worker->parameters = calloc(columns + 1, sizeof(double));
	worker->first_row = calloc(columns, sizeof(double));
	return worker->parameters != NULL && worker->first_row != NULL &&
	       kernels_init(&worker->kernels, dataset->features, skip, kernel_best_clone()) &&
	       tree_stack_init(&worker->tree, sums_max_width(dataset->features));
}

/* Copies the chunk's first row that counts to worker->first_row. *found: there is one. */
static bool find_first_row(struct worker *worker, bool *found, struct worker_error *error)
{
	uint32_t d = worker->assignment.dataset.features;
	struct tile_reader *reader = &worker->kernels.reader;
	*found = false;
	for (uint64_t leaf = worker->assignment.leaves.begin; leaf < worker->assignment.leaves.end; leaf++) {
		struct leaf_rows rows;
		if (!chunk_leaf(worker->chunk, (uint32_t)leaf, &rows, error))
			return false;
		tile_reader_begin(reader, &rows);
		const struct leaf_rows *tile = tile_reader_next(reader);
		if (tile == NULL)
			continue;
		for (uint32_t j = 0; j <= d; j++)
			worker->first_row[j] = leaf_number(tile, 0, j);
		*found = true;
		return true;
	}
	return true;
}

/* Of the leaves, which are nearly of one length. A CSV's numbers take about as much as its text. */
static uint64_t chunk_bytes(const struct assignment *assignment)
{
	uint64_t leaves = assignment->leaves.end - assignment->leaves.begin;
	return leaves > 0 ? assignment->dataset.identity.bytes / assignment->leaf_count * leaves : 0;
}

static enum outcome load_chunk(struct worker *worker)
{
	struct worker_error error;
	if (!strike(worker, SITE_LOAD) || !prepare_rounds(worker))
		return fail(worker, STAGE_SYSTEM, ENOMEM, "cannot prepare for the chunk");
	kernels_expect(&worker->kernels, chunk_bytes(&worker->assignment));
	worker->chunk = chunk_new(&worker->assignment, &worker->facts, &error);
	if (worker->chunk == NULL)
		return send_error(worker, &error);
	if (!worker->facts.starts_doubted) /* else there is nothing to sum, and the next ASSIGN loads anew */
		worker->phase = PHASE_ASSIGNED;
	return GO_ON;
}

static enum outcome take_assignment(struct worker *worker, const unsigned char *payload)
{
	struct assignment assignment;
	bool out_of_memory;
	if (worker->not_isolated != 0)
		return fail(worker, STAGE_SYSTEM, worker->not_isolated, "cannot isolate itself");
	if (wire_decode_assign(payload, worker->question.payload_length, &assignment, &out_of_memory) != WIRE_OK)
		return fail(worker, STAGE_PROTOCOL, 0, "an ASSIGN frame that does not make sense");
	if (out_of_memory)
		return fail(worker, STAGE_SYSTEM, ENOMEM, "cannot take the assignment");
	if (worker->phase == PHASE_ASSIGNED && same_chunk(&worker->assignment, &assignment)) {
		double *centre = worker->assignment.centre;
		worker->assignment.centre = assignment.centre;
		assignment.centre = centre;
		assignment_release(&assignment);
	} else {
		forget_assignment(worker);
		worker->assignment = assignment;
		enum outcome outcome = load_chunk(worker);
		if (outcome != GO_ON)
			return outcome;
	}
	bool found = false;
	struct worker_error error;
	if (!worker->facts.starts_doubted && !find_first_row(worker, &found, &error))
		return send_error(worker, &error);
	worker->times.finished_ns = clock_now_ns();
	struct ready ready = {
	        .rows = worker->facts.rows,
	        .skipped = worker->facts.skipped,
	        .times = worker->times,
	        .starts_doubted = worker->facts.starts_doubted,
	        .first_row_count = found ? worker->assignment.dataset.features + 1 : 0,
	        .first_row = worker->first_row,
	};
	if (!wire_encode_ready(&worker->writer.queue, &worker->question, &ready))
		return PIPE_FAILED;
	return send_queue(worker);
}

static struct residual_question ask_for_residuals(struct worker *worker, const struct params *params)
{
	return (struct residual_question){
	        params, worker->assignment.centre, worker->assignment.leaf_count, &worker->kernels.reader};
}

/* False: no row of the leaf counts. */
static bool sum_leaf(
        struct worker *worker, const struct params *params, uint32_t leaf, const struct leaf_rows *rows, double *out)
{
	if (params->kernel == KERNEL_RESIDUALS || params->kernel == KERNEL_SAMPLE) {
		const struct residual_question question = ask_for_residuals(worker, params);
		return residuals_sum_leaf(&question, leaf, rows, out);
	}
	if (params->kernel != KERNEL_STREAM)
		return kernels_sum_leaf(&worker->kernels, rows, out);
	stream_leaf(rows, worker->assignment.dataset.features);
	*out = (double)rows->rows;
	return rows->rows > 0;
}

/* One pass over the chunk: the tree's stack then holds its maximal nodes. */
static bool sum_chunk(struct worker *worker, const struct params *params, struct worker_error *error)
{
	const struct assignment *assignment = &worker->assignment;
	const struct residual_question question = ask_for_residuals(worker, params);
	kernels_choose(&worker->kernels, params->kernel, params->values, assignment->centre);
	tree_stack_reset(
	        &worker->tree, sums_width(params->kernel, assignment->dataset.features), assignment->leaves.begin);
	for (uint64_t leaf = assignment->leaves.begin; leaf < assignment->leaves.end; leaf++) {
		struct leaf_rows rows;
		struct tree_node node = {0, (uint32_t)leaf};
		if (!residuals_want_leaf(&question, node.index))
			continue;
		if (!chunk_leaf(worker->chunk, node.index, &rows, error))
			return false;
		if (sum_leaf(worker, params, node.index, &rows, tree_stack_place(&worker->tree, node)))
			tree_stack_push(&worker->tree, node);
	}
	tree_stack_settle(&worker->tree, assignment->leaves.end);
	return true;
}

/* The first pass over all numbers meets what cannot be calculated with: in its sums, so that it costs nothing. */
static bool sums_are_finite(const struct tree_stack *tree)
{
	for (size_t i = 0; i < tree->count * tree->width; i++)
		if (!isfinite(tree->vectors[i]))
			return false;
	return true;
}

static enum outcome run_round(struct worker *worker, const unsigned char *payload)
{
	struct params params;
	struct worker_error error;
	uint32_t values = worker->assignment.dataset.features + 1;
	if (wire_decode_params(payload, worker->question.payload_length, values, worker->parameters, &params) !=
	        WIRE_OK)
		return fail(worker, STAGE_PROTOCOL, 0, "a PARAMS frame that does not make sense");
	if (!strike(worker, SITE_COMPUTE))
		return fail(worker, STAGE_SYSTEM, ENOMEM, "cannot compute");
	if (!sum_chunk(worker, &params, &error))
		return send_error(worker, &error);
	if (params.kernel == KERNEL_MEANS && !sums_are_finite(&worker->tree) &&
	        chunk_find_not_finite(worker->chunk, &error))
		return send_error(worker, &error);
	if (worker->faults != NULL)
		faults_alter(worker->faults, worker->tree.vectors, worker->tree.count * worker->tree.width,
		        clock_now_ns() - worker->times.received_ns);
	worker->times.finished_ns = clock_now_ns();
	struct gradient gradient = {
	        .kernel = params.kernel,
	        .times = worker->times,
	        .node_count = (uint32_t)worker->tree.count,
	        .width = (uint32_t)worker->tree.width,
	        .nodes = worker->tree.nodes,
	        .vectors = worker->tree.vectors,
	};
	if (!wire_encode_gradient(&worker->writer.queue, &worker->question, &gradient))
		return PIPE_FAILED;
	return send_queue(worker);
}

/* Applies the question's parameters to its rows, leaf by leaf. The next question most likely goes on there. */
static bool predict(struct worker *worker, const struct predict *question, double *out, struct worker_error *error)
{
	const struct assignment *assignment = &worker->assignment;
	uint64_t at = question->first, end = at + question->rows;
	if (worker->next_leaf == 0 || at < worker->next_leaf_row) {
		worker->next_leaf = assignment->leaves.begin;
		worker->next_leaf_row = 0;
	}
	while (at < end && worker->next_leaf < assignment->leaves.end) {
		struct leaf_rows rows;
		if (!chunk_leaf(worker->chunk, (uint32_t)worker->next_leaf, &rows, error))
			return false;
		uint64_t behind = worker->next_leaf_row + rows.rows;
		if (at < behind) {
			uint64_t stop = end < behind ? end : behind;
			out = predict_rows(&rows, (size_t)(at - worker->next_leaf_row), (size_t)(stop - at),
			        assignment->dataset.features, question->values,
			        dataset_has_target(&assignment->dataset), out);
			at = stop;
		}
		if (at < behind)
			break;
		worker->next_leaf++;
		worker->next_leaf_row = behind;
	}
	return true;
}

static enum outcome run_predict(struct worker *worker, const unsigned char *payload)
{
	struct predict question;
	struct worker_error error;
	uint32_t values = worker->assignment.dataset.features + 1;
	uint32_t width = dataset_has_target(&worker->assignment.dataset) ? 2 : 1;
	if (wire_decode_predict(payload, worker->question.payload_length, values, worker->parameters, &question) !=
	                WIRE_OK ||
	        question.first > worker->facts.rows || question.rows > worker->facts.rows - question.first)
		return fail(worker, STAGE_PROTOCOL, 0, "a PREDICT frame that does not make sense");
	double *numbers = malloc(WIRE_PREDICTIONS_MAX * 2 * sizeof *numbers);
	if (numbers == NULL || !strike(worker, SITE_COMPUTE)) {
		free(numbers);
		return fail(worker, STAGE_SYSTEM, ENOMEM, "cannot compute");
	}
	if (!predict(worker, &question, numbers, &error)) {
		free(numbers);
		return send_error(worker, &error);
	}
	worker->times.finished_ns = clock_now_ns();
	struct predictions predictions = {
	        .first = question.first,
	        .times = worker->times,
	        .rows = question.rows,
	        .width = width,
	        .values = numbers,
	};
	bool encoded = wire_encode_predictions(&worker->writer.queue, &worker->question, &predictions);
	free(numbers);
	return encoded ? send_queue(worker) : PIPE_FAILED;
}

static enum outcome stop(struct worker *worker, const unsigned char *payload)
{
	(void)worker;
	(void)payload;
	return LEAVE;
}

typedef enum outcome (*frame_handler)(struct worker *, const unsigned char *payload);

/* The frames that are legal in each phase; all others are faults of protocol. */
static const frame_handler handlers[PHASE_COUNT][FRAME_TYPE_END] = {
        [PHASE_NEW] = {[FRAME_ASSIGN] = take_assignment, [FRAME_STOP] = stop},
        [PHASE_ASSIGNED] = {[FRAME_ASSIGN] = take_assignment,
                [FRAME_PARAMS] = run_round,
                [FRAME_PREDICT] = run_predict,
                [FRAME_STOP] = stop},
};

static enum outcome handle_frame(struct worker *worker, const unsigned char *payload)
{
	frame_handler handler = handlers[worker->phase][worker->question.type];
	last_words_set_question(&worker->question);
	if (handler != NULL)
		return handler(worker, payload);
	char text[WIRE_TEXT_MAX];
	snprintf(text, sizeof text, "a frame of type %s is not legal here", frame_type_name(worker->question.type));
	return fail(worker, STAGE_PROTOCOL, 0, text);
}

/* Waits for the next frame and handles it. */
static enum outcome serve_one(struct worker *worker)
{
	const unsigned char *payload;
	struct frame_header header;
	enum wire_status wire;
	worker->times.waiting_ns = clock_now_ns();
	if (worker->waits_awake && call_recorder == NULL && busy_wait_pays(&worker->questions))
		scheduling_wait_awake(STDIN_FILENO, worker->times.waiting_ns + BUSY_WAIT_NS);
	while ((wire = frame_reader_next(&worker->reader, &header, &payload)) == WIRE_SHORT) {
		enum io_status status = worker->faults == NULL
		                                ? frame_reader_fill(&worker->reader, STDIN_FILENO)
		                                : faults_fill(worker->faults, &worker->reader, STDIN_FILENO);
		if (status == IO_CLOSED)
			return LEAVE; /* the coordinator is gone */
		if (status == IO_FAILED)
			return PIPE_FAILED;
	}
	if (wire != WIRE_OK)
		return fail(worker, STAGE_PROTOCOL, 0, wire_status_text(wire)); /* under the last question's header */
	worker->times.received_ns = clock_now_ns();
	busy_wait_learn(&worker->questions, worker->times.received_ns - worker->times.waiting_ns);
	worker->question = header;
	return handle_frame(worker, payload);
}

static enum worker_exit serve(struct worker *worker)
{
	for (;;) {
		switch (serve_one(worker)) {
		case GO_ON:
			break;
		case LEAVE:
			return WORKER_LEFT;
		case GIVE_UP:
			return WORKER_GAVE_UP;
		case PIPE_FAILED:
			return WORKER_IO_FAILED;
		}
	}
}

/* The faults of this process, if there are to be any, begin here. */
static bool prepare_faults(struct worker *worker, const struct fault_plan *plan)
{
	if (plan == NULL)
		return true;
	worker->faults = faults_new(plan);
	return worker->faults != NULL && strike(worker, SITE_START);
}

enum worker_exit worker_main(const struct worker_options *options)
{
	struct worker worker = {.phase = PHASE_NEW, .waits_awake = options->waits_awake};
	enum worker_exit status = WORKER_NO_MEMORY;
	if (!isolation_enter(options->coordinator))
		return WORKER_LEFT;
	scheduling_step_back();
	if (prepare_faults(&worker, options->faults) && frame_reader_init(&worker.reader, wire_max_payload_down()) &&
	        last_words_prepare()) {
		worker.not_isolated = isolation_confine(options->isolation);
		status = serve(&worker);
	}
	forget_assignment(&worker);
	frame_reader_release(&worker.reader);
	frame_writer_release(&worker.writer);
	faults_free(worker.faults);
	return status;
}
