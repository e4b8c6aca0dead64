#include "tests/unit/fake_worker.h"

#include "common/frame_io.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* More descriptors than a test opens. */
enum { DESCRIPTORS_MAX = 256 };

enum { CHILD_FAILED = 99 };

/* Reads one frame. False: end of file, or no frame. */
static bool read_frame(struct frame_reader *reader, struct frame_header *header)
{
	const unsigned char *payload;
	enum wire_status status;
	while ((status = frame_reader_next(reader, header, &payload)) == WIRE_SHORT)
		if (frame_reader_fill(reader, STDIN_FILENO) != IO_DONE)
			return false;
	return status == WIRE_OK;
}

static void write_pieces(const struct fake_script *script)
{
	size_t piece = script->piece > 0 ? script->piece : script->length;
	for (size_t at = 0; at < script->length;) {
		size_t left = script->length - at;
		ssize_t put = write(STDOUT_FILENO, script->bytes + at, left < piece ? left : piece);
		if (put < 0)
			_exit(CHILD_FAILED);
		at += (size_t)put;
		if (script->piece > 0)
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
}

static void end(const struct fake_script *script, struct frame_reader *reader)
{
	struct frame_header header;
	switch (script->ending) {
	case FAKE_OBEYS:
		while (read_frame(reader, &header))
			if (header.type == FRAME_STOP)
				_exit(0);
		_exit(CHILD_FAILED);
	case FAKE_LEAVES:
		while (read_frame(reader, &header))
			;
		_exit(0);
	case FAKE_EXITS:
		_exit(script->number);
	case FAKE_IS_KILLED:
		signal(script->number, SIG_DFL);
		raise(script->number);
		_exit(CHILD_FAILED);
	case FAKE_IS_STOPPED:
		raise(SIGSTOP);
		break;
	case FAKE_HANGS:
		break;
	case FAKE_IGNORES_TERM:
		signal(SIGTERM, SIG_IGN);
		break;
	case FAKE_CLOSES:
		close(STDOUT_FILENO);
		close(STDIN_FILENO);
		break;
	}
	for (;;)
		pause();
}

/* Nothing here asserts: what fails shows to the parent as an exit status or as silence. */
static void play(const struct fake_script *script)
{
	struct frame_reader reader;
	struct frame_header header;
	char byte;
	if (!frame_reader_init(&reader, wire_max_payload_down()))
		_exit(CHILD_FAILED);
	if (script->waits && !read_frame(&reader, &header))
		_exit(CHILD_FAILED);
	if (script->go > 0 && read(script->go, &byte, 1) != 1)
		_exit(CHILD_FAILED);
	write_pieces(script);
	end(script, &reader);
}

static void become_fake(const struct fake_script *script, int down, int up)
{
	static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
		signal(handled[i], SIG_DFL);
	if (dup2(down, STDIN_FILENO) < 0 || dup2(up, STDOUT_FILENO) < 0)
		_exit(CHILD_FAILED);
	for (int descriptor = STDERR_FILENO + 1; descriptor < DESCRIPTORS_MAX; descriptor++)
		if (descriptor != script->go)
			close(descriptor);
	play(script);
}

void fake_worker_start(struct pool *pool, struct slot *slot, const struct fake_script *script)
{
	int down[2], up[2];
	cr_assert(pipe(down) == 0 && pipe(up) == 0);
	cr_assert(frame_reader_init(&slot->reader, wire_max_payload_up(pool->features)));
	pid_t pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0)
		become_fake(script, down[0], up[1]);
	close(down[0]);
	close(up[1]);
	fcntl(down[1], F_SETFL, O_NONBLOCK);
	fcntl(up[0], F_SETFL, O_NONBLOCK);
	slot->process = (struct process){pid, down[1], up[0]};
	slot->state = SLOT_IDLE;
}
