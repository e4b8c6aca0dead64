#include "tests/unit/worker_child.h"

#include "tests/unit/wire_samples.h"
#include "worker/worker.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Long enough for any answer on a machine that is very busy, with sanitizers. */
enum { PATIENCE_MS = 20000 };

/* Opens both pipes; the worker's ends go to `theirs`: what it reads, what it writes. */
static void open_pipes(struct worker_child *child, int theirs[2])
{
	int down[2], up[2];
	signal(SIGPIPE, SIG_IGN); /* the worker inherits it, as from the coordinator */
	cr_assert(pipe(down) == 0 && pipe(up) == 0);
	*child = (struct worker_child){.down = down[1], .up = up[0]};
	cr_assert(frame_reader_init(&child->reader, wire_max_payload_up(CHILD_FEATURES_MAX)));
	theirs[0] = down[0];
	theirs[1] = up[1];
}

/* Forks a worker. */
static pid_t fork_worker(const int ends[2], pid_t coordinator)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	if (dup2(ends[0], STDIN_FILENO) < 0 || dup2(ends[1], STDOUT_FILENO) < 0)
		_exit(1);
	static const struct isolation none = {.enabled = false};
	const struct worker_options options = {.coordinator = coordinator, .isolation = &none, .waits_awake = true};
	_exit(worker_main(&options));
}

void worker_child_start(struct worker_child *child, pid_t coordinator)
{
	int ends[2];
	open_pipes(child, ends);
	child->pid = fork_worker(ends, coordinator != 0 ? coordinator : getpid());
	cr_assert(child->pid > 0);
	close(ends[0]);
	close(ends[1]);
}

pid_t worker_child_start_elsewhere(struct worker_child *child)
{
	int ends[2];
	open_pipes(child, ends);
	pid_t parent = fork();
	if (parent == 0) {
		fork_worker(ends, getpid());
		for (;;)
			pause();
	}
	cr_assert(parent > 0);
	close(ends[0]);
	close(ends[1]);
	return parent;
}

static void close_end(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

void worker_child_end(struct worker_child *child)
{
	if (child->pid > 0) {
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
	}
	child->pid = 0;
	close_end(&child->down);
	close_end(&child->up);
	frame_reader_release(&child->reader);
}

void worker_child_write(struct worker_child *child, const void *bytes, size_t length)
{
	const char *at = bytes;
	while (length > 0) {
		ssize_t put = write(child->down, at, length);
		cr_assert(put > 0);
		at += put;
		length -= (size_t)put;
	}
}

static void write_frame(struct worker_child *child, struct wire_buffer *frame)
{
	worker_child_write(child, frame->bytes, frame->length);
	wire_buffer_release(frame);
}

static struct frame_header header_of(uint32_t round)
{
	return (struct frame_header){.worker = 3, .incarnation = 2, .epoch = 10 * round, .round = round};
}

void worker_child_assign(struct worker_child *child, const struct assignment *assignment, uint32_t round)
{
	struct wire_buffer frame = {0};
	const struct frame_header header = header_of(round);
	child->features = assignment->dataset.features;
	cr_assert(wire_encode_assign(&frame, &header, assignment));
	write_frame(child, &frame);
}

void worker_child_ask(struct worker_child *child, enum kernel kernel, const double *parameters, uint32_t round)
{
	struct wire_buffer frame = {0};
	const struct frame_header header = header_of(round);
	const struct params params = {kernel, child->features + 1, parameters};
	cr_assert(wire_encode_params(&frame, &header, &params));
	write_frame(child, &frame);
}

void worker_child_send_sample(struct worker_child *child, enum frame_type type)
{
	struct wire_buffer frame = {0};
	sample_encode(&frame, type);
	write_frame(child, &frame);
}

/* Reads what there is; false at end of file. */
static bool fill(struct worker_child *child)
{
	struct pollfd entry = {.fd = child->up, .events = POLLIN};
	cr_assert_eq(poll(&entry, 1, PATIENCE_MS), 1, "the worker does not answer");
	enum io_status status = frame_reader_fill(&child->reader, child->up);
	cr_assert(status == IO_DONE || status == IO_CLOSED);
	return status == IO_DONE;
}

void worker_child_receive(struct worker_child *child, enum frame_type type, struct answer *answer)
{
	static double first_row[CHILD_FEATURES_MAX + 1];
	static struct tree_node nodes[TREE_NODES_MAX];
	static double vectors[TREE_NODES_MAX * CHILD_WIDTH_MAX];
	const unsigned char *payload;
	enum wire_status status;
	while ((status = frame_reader_next(&child->reader, &answer->header, &payload)) == WIRE_SHORT)
		cr_assert(fill(child), "the worker says no more");
	cr_assert_eq(status, WIRE_OK);
	size_t length = answer->header.payload_length;
	if (answer->header.type == FRAME_READY)
		status = wire_decode_ready(payload, length, child->features + 1, first_row, &answer->ready);
	else if (answer->header.type == FRAME_GRADIENT)
		status = wire_decode_gradient(
		        payload, length, sums_max_width(child->features), nodes, vectors, &answer->gradient);
	else
		status = wire_decode_error(payload, length, &answer->error);
	cr_assert_eq(status, WIRE_OK);
	cr_assert_eq(answer->header.type, type, "%s: %s", frame_type_name(answer->header.type),
	        answer->header.type == FRAME_ERROR ? answer->error.text : "");
}

bool worker_child_says_no_more(struct worker_child *child)
{
	return !frame_reader_is_mid_frame(&child->reader) && !fill(child);
}

int worker_child_wait(struct worker_child *child)
{
	const struct timespec pause = {0, 1000000};
	int status;
	pid_t pid = 0;
	for (int i = 0; i < PATIENCE_MS && pid == 0; i++) {
		pid = waitpid(child->pid, &status, WNOHANG);
		if (pid == 0)
			nanosleep(&pause, NULL);
	}
	cr_assert_eq(pid, child->pid, "the worker does not end");
	child->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
