/* The coordinator's calls in words: processes, their pipes, and waiting for them. */
#include "coordinator/narration_words_parts.h"

#include "coordinator/process.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { READ_END, WRITE_END };

/* A signal by its name, or by its number in `text`. */
static const char *signal_text(int64_t number, char text[32])
{
	const char *name = process_signal_name((int)number);
	snprintf(text, 32, "signal %d", (int)number);
	return name != NULL ? name : text;
}

/* "worker 3", or "worker 3/1" for its next incarnation. */
static const char *worker_text(const struct narrated_world *world, uint32_t index, char text[32])
{
	uint32_t incarnation = world->workers[index].incarnation;
	if (incarnation == 0)
		snprintf(text, 32, "worker %" PRIu32, index);
	else
		snprintf(text, 32, "worker %" PRIu32 "/%" PRIu32, index, incarnation);
	return text;
}

/* The ends that are open in the coordinator, and so in a process that it forks. */
static void list_ends(const struct narrated_world *world, char *text, size_t capacity)
{
	size_t length = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < world->count; i++) {
		const struct narrated_worker *worker = &world->workers[i];
		const int ends[] = {
		        worker->down[READ_END], worker->down[WRITE_END], worker->up[READ_END], worker->up[WRITE_END]};
		for (size_t j = 0; j < sizeof ends / sizeof *ends; j++) {
			if (ends[j] < 0)
				continue;
			if (capacity - length < 24) {
				snprintf(text + length, capacity - length, ", …");
				return;
			}
			length += (size_t)snprintf(
			        text + length, capacity - length, "%s%d", length > 0 ? ", " : "", ends[j]);
		}
	}
}

/* Whose pipe end a descriptor of the coordinator's is. */
struct owner {
	bool known;
	uint32_t worker;
	bool down;
	int end;
};

static struct owner find_owner(const struct narrated_world *world, int64_t descriptor)
{
	for (uint32_t i = 0; i < world->count; i++) {
		const struct narrated_worker *worker = &world->workers[i];
		for (int end = READ_END; end <= WRITE_END; end++) {
			if (worker->down[end] == descriptor)
				return (struct owner){true, i, true, end};
			if (worker->up[end] == descriptor)
				return (struct owner){true, i, false, end};
		}
	}
	return (struct owner){false, 0, false, 0};
}

static uint32_t find_pid(const struct narrated_world *world, int64_t pid)
{
	for (uint32_t i = 0; i < world->count; i++)
		if (world->workers[i].pid == pid)
			return i;
	return world->starting;
}

static void tell_pipe(struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32];
	struct narrated_worker *worker = &world->workers[world->starting];
	int ends[2] = {(int)call->arguments[0], (int)call->arguments[1]};
	if (call->error != 0) {
		narrated_write_call(words, call, "pipe()");
		narrated_say(words, "no pipe, no worker; it is tried again");
		return;
	}
	narrated_write_call(words, call, "pipe() = {%d, %d}", ends[READ_END], ends[WRITE_END]);
	worker_text(world, world->starting, name);
	if (worker->down[READ_END] < 0) {
		memcpy(worker->down, ends, sizeof ends);
		narrated_say(words, "the way down: %s will read from %d what the coordinator writes to %d", name,
		        ends[READ_END], ends[WRITE_END]);
	} else {
		memcpy(worker->up, ends, sizeof ends);
		narrated_say(words, "the way up: the coordinator will read from %d what %s writes to %d",
		        ends[READ_END], name, ends[WRITE_END]);
	}
}

static void tell_fork(struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32];
	narrated_write_call(words, call, "fork()");
	if (call->error != 0) {
		narrated_say(words, "no process, no worker; it is tried again");
		return;
	}
	struct narrated_worker *worker = &world->workers[world->starting];
	worker->pid = call->result;
	list_ends(world, worker->inherited, sizeof worker->inherited);
	narrated_say(words, "%s begins: a copy of the coordinator, with copies of all its descriptors",
	        worker_text(world, world->starting, name));
}

static void forget_end(struct narrated_world *world, struct owner owner)
{
	struct narrated_worker *worker = &world->workers[owner.worker];
	*(owner.down ? &worker->down[owner.end] : &worker->up[owner.end]) = -1;
}

static void tell_close(struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32];
	struct owner owner = find_owner(world, call->arguments[0]);
	narrated_write_call(words, call, "close(%d)", (int)call->arguments[0]);
	if (!owner.known)
		return;
	worker_text(world, owner.worker, name);
	if (owner.down && owner.end == READ_END)
		narrated_say(words, "the end of %s: were it open here too, a write to a dead worker would not be EPIPE",
		        name);
	else if (!owner.down && owner.end == WRITE_END)
		narrated_say(
		        words, "the end of %s: were it open here too, its death would not show as end of file", name);
	else if (world->workers[owner.worker].ended)
		narrated_say(words, "the pipe of %s, which is gone", name);
	else if (owner.down)
		narrated_say(words, "nobody can write to %s any more: it reads end of file, if it still reads", name);
	else
		narrated_say(words, "nothing more is expected of %s", name);
	forget_end(world, owner);
}

static void tell_coordinator_write(
        const struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32] = "somebody";
	struct owner owner = find_owner(world, call->arguments[0]);
	if (owner.known)
		worker_text(world, owner.worker, name);
	narrated_write_call(words, call, "write(%d, %s, %" PRId64 ")", (int)call->arguments[0],
	        narrated_frame_text(call->arguments[2]), call->arguments[1]);
	if (call->error == EAGAIN)
		narrated_say(words, "the pipe to %s is full: poll() will tell when there is room", name);
	else if (call->error != 0)
		narrated_say(words, "%s reads no more", name);
	else if (call->result < call->arguments[1])
		narrated_say(words, "to %s, as far as the pipe has room; the rest follows", name);
	else
		narrated_say(words, "to %s", name);
}

static void tell_coordinator_read(
        const struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32];
	struct owner owner = find_owner(world, call->arguments[0]);
	narrated_write_call(words, call, "read(%d, …, %" PRId64 ")", (int)call->arguments[0], call->arguments[1]);
	if (!owner.known) {
		narrated_say(words, "the signals' pipe, into which handlers write%s",
		        call->error == EAGAIN ? ": no more is in it" : "");
		return;
	}
	worker_text(world, owner.worker, name);
	if (call->error == EAGAIN)
		narrated_say(words, "nothing is in the pipe of %s", name);
	else if (call->result == 0)
		narrated_say(
		        words, "end of file: nobody can write to the pipe of %s any more, so %s is gone", name, name);
	else if (call->arguments[2] != 0)
		narrated_say(words, "%s from %s", narrated_frame_text(call->arguments[2]), name);
	else
		narrated_say(words, "a part of a frame from %s", name);
}

static void tell_poll(const struct call *call, struct narrated_words *words)
{
	narrated_write_call(
	        words, call, "poll(%" PRId64 " entries, %" PRId64 " ms)", call->arguments[0], call->arguments[1]);
	if (call->error == EINTR)
		narrated_say(words, "a signal came first");
	else if (call->result == 0)
		narrated_say(words, "the time is over, and nothing has come");
	else
		narrated_say(words, "the coordinator sleeps until something comes");
}

static void tell_found(const struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	static const struct {
		int bit;
		const char *name;
	} bits[] = {{POLLIN, "POLLIN"}, {POLLOUT, "POLLOUT"}, {POLLERR, "POLLERR"}, {POLLHUP, "POLLHUP"},
	        {POLLNVAL, "POLLNVAL"}};
	char name[32];
	struct owner owner = find_owner(world, call->arguments[0]);
	size_t length = (size_t)snprintf(words->call, sizeof words->call, "  %d:", (int)call->arguments[0]);
	for (size_t i = 0, found = 0; i < sizeof bits / sizeof *bits; i++)
		if ((call->arguments[1] & bits[i].bit) != 0)
			length += (size_t)snprintf(words->call + length, sizeof words->call - length, "%s%s",
			        found++ > 0 ? " | " : " ", bits[i].name);
	if (!owner.known) {
		narrated_say(words, "a signal has come");
		return;
	}
	worker_text(world, owner.worker, name);
	if (owner.down)
		narrated_say(words,
		        (call->arguments[1] & POLLERR) != 0 ? "%s reads no more" : "there is room in the pipe to %s",
		        name);
	else if ((call->arguments[1] & POLLIN) == 0)
		narrated_say(words, "nobody has the end of %s open any more", name);
	else if ((call->arguments[1] & POLLHUP) != 0)
		narrated_say(
		        words, "%s has written something, and closed its end: first what it wrote, then its end", name);
	else
		narrated_say(words, "%s has written something", name);
}

static void tell_wait(struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32], text[96], signal_name[32];
	int status = (int)call->arguments[1];
	worker_text(world, find_pid(world, call->arguments[0]), name);
	if (call->error != 0 || call->result == 0) {
		narrated_write_call(words, call, "waitpid(%" PRId64 ", …, WNOHANG)", call->arguments[0]);
		narrated_say(words, "%s has not ended yet", name);
		return;
	}
	process_status_text(status, text, sizeof text);
	world->workers[find_pid(world, call->arguments[0])].ended = true;
	if (WIFSIGNALED(status))
		narrated_write_call(words, call, "waitpid(%" PRId64 ", {%s}, WNOHANG)", call->arguments[0],
		        signal_text(WTERMSIG(status), signal_name));
	else
		narrated_write_call(words, call, "waitpid(%" PRId64 ", {exit %d}, WNOHANG)", call->arguments[0],
		        WEXITSTATUS(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		narrated_say(words, "%s has left in order; until this call it was a zombie", name);
	else
		narrated_say(words, "%s %s; until this call it was a zombie", name, text);
}

void narrated_tell_coordinator(struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32];
	switch (call->kind) {
	case CALL_PIPE:
		tell_pipe(world, call, words);
		break;
	case CALL_FORK:
		tell_fork(world, call, words);
		break;
	case CALL_CLOSE:
		tell_close(world, call, words);
		break;
	case CALL_NONBLOCK:
		narrated_write_call(words, call, "fcntl(%d, F_SETFL, O_NONBLOCK)", (int)call->arguments[0]);
		narrated_say(words, "a call that would have to wait returns EAGAIN instead");
		break;
	case CALL_WRITE:
		tell_coordinator_write(world, call, words);
		break;
	case CALL_READ:
		tell_coordinator_read(world, call, words);
		break;
	case CALL_POLL:
		tell_poll(call, words);
		break;
	case CALL_POLL_FOUND:
		tell_found(world, call, words);
		break;
	case CALL_WAITPID:
		tell_wait(world, call, words);
		break;
	case CALL_WAITID:
		narrated_write_call(words, call, "waitid(%" PRId64 ", WSTOPPED | WCONTINUED)", call->arguments[0]);
		narrated_say(words, "after SIGCHLD: %s %s",
		        worker_text(world, find_pid(world, call->arguments[0]), name),
		        call->error != 0          ? "has ended"
		        : call->arguments[1] == 0 ? "was not stopped"
		                                  : "was stopped, or goes on");
		break;
	case CALL_MMAP:
		narrated_tell_map(NULL, call, words);
		break;
	case CALL_MUNMAP:
		narrated_write_call(words, call, "munmap(0x%" PRIx64 ", %" PRId64 ")", (uint64_t)call->arguments[0],
		        call->arguments[1]);
		break;
	case CALL_KILL:
		narrated_write_call(words, call, "kill(%" PRId64 ", %s)", call->arguments[0],
		        signal_text(call->arguments[1], name));
		narrated_say(words, "it is not waited for any longer");
		break;
	default:
		narrated_write_call(words, call, "call %d", (int)call->kind);
	}
}
