#include "coordinator/narration_words.h"

#include "common/wire.h"
#include "coordinator/process.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_END, WRITE_END };

__attribute__((format(printf, 2, 3))) static void say(struct narrated_words *words, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(words->reason, sizeof words->reason, format, arguments);
	va_end(arguments);
}

/* The call, and behind it " = 3", " = -1 EAGAIN", or that it never returned. */
__attribute__((format(printf, 3, 4))) static void write_call(
        struct narrated_words *words, const struct call *call, const char *format, ...)
{
	static const struct {
		int number;
		const char *name;
	} errors[] = {{EAGAIN, "EAGAIN"}, {EPIPE, "EPIPE"}, {EINTR, "EINTR"}, {EBADF, "EBADF"}, {ENOMEM, "ENOMEM"},
	        {EMFILE, "EMFILE"}, {ECHILD, "ECHILD"}, {ESRCH, "ESRCH"}, {EINVAL, "EINVAL"}, {EPERM, "EPERM"},
	        {ENOENT, "ENOENT"}, {EACCES, "EACCES"}, {ENFILE, "ENFILE"}};
	va_list arguments;
	va_start(arguments, format);
	size_t length = (size_t)vsnprintf(words->call, sizeof words->call, format, arguments);
	va_end(arguments);
	char *at = words->call + length;
	size_t room = sizeof words->call - length;
	if (call->ended_ns == 0) {
		snprintf(at, room, call->kind == CALL_EXIT ? "" : " never returned");
	} else if (call->error != 0) {
		char number[24];
		snprintf(number, sizeof number, "errno %d", call->error);
		const char *name = number;
		for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
			if (errors[i].number == call->error)
				name = errors[i].name;
		snprintf(at, room, " = -1 %s", name);
	} else if (call->kind == CALL_MMAP) {
		snprintf(at, room, " = 0x%" PRIx64, (uint64_t)call->result);
	} else if (call->kind != CALL_PIPE) {
		snprintf(at, room, " = %" PRId64, call->result);
	}
}

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
		write_call(words, call, "pipe()");
		say(words, "no pipe, no worker; it is tried again");
		return;
	}
	write_call(words, call, "pipe() = {%d, %d}", ends[READ_END], ends[WRITE_END]);
	worker_text(world, world->starting, name);
	if (worker->down[READ_END] < 0) {
		memcpy(worker->down, ends, sizeof ends);
		say(words, "the way down: %s will read from %d what the coordinator writes to %d", name, ends[READ_END],
		        ends[WRITE_END]);
	} else {
		memcpy(worker->up, ends, sizeof ends);
		say(words, "the way up: the coordinator will read from %d what %s writes to %d", ends[READ_END], name,
		        ends[WRITE_END]);
	}
}

static void tell_fork(struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32];
	write_call(words, call, "fork()");
	if (call->error != 0) {
		say(words, "no process, no worker; it is tried again");
		return;
	}
	struct narrated_worker *worker = &world->workers[world->starting];
	worker->pid = call->result;
	list_ends(world, worker->inherited, sizeof worker->inherited);
	say(words, "%s begins: a copy of the coordinator, with copies of all its descriptors",
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
	write_call(words, call, "close(%d)", (int)call->arguments[0]);
	if (!owner.known)
		return;
	worker_text(world, owner.worker, name);
	if (owner.down && owner.end == READ_END)
		say(words, "the end of %s: were it open here too, a write to a dead worker would not be EPIPE", name);
	else if (!owner.down && owner.end == WRITE_END)
		say(words, "the end of %s: were it open here too, its death would not show as end of file", name);
	else if (world->workers[owner.worker].ended)
		say(words, "the pipe of %s, which is gone", name);
	else if (owner.down)
		say(words, "nobody can write to %s any more: it reads end of file, if it still reads", name);
	else
		say(words, "nothing more is expected of %s", name);
	forget_end(world, owner);
}

static const char *frame_text(int64_t type)
{
	return type >= FRAME_ASSIGN && type < FRAME_TYPE_END ? frame_type_name((enum frame_type)type) : "bytes";
}

static void tell_coordinator_write(
        const struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32] = "somebody";
	struct owner owner = find_owner(world, call->arguments[0]);
	if (owner.known)
		worker_text(world, owner.worker, name);
	write_call(words, call, "write(%d, %s, %" PRId64 ")", (int)call->arguments[0], frame_text(call->arguments[2]),
	        call->arguments[1]);
	if (call->error == EAGAIN)
		say(words, "the pipe to %s is full: poll() will tell when there is room", name);
	else if (call->error != 0)
		say(words, "%s reads no more", name);
	else if (call->result < call->arguments[1])
		say(words, "to %s, as far as the pipe has room; the rest follows", name);
	else
		say(words, "to %s", name);
}

static void tell_coordinator_read(
        const struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32];
	struct owner owner = find_owner(world, call->arguments[0]);
	write_call(words, call, "read(%d, …, %" PRId64 ")", (int)call->arguments[0], call->arguments[1]);
	if (!owner.known) {
		say(words, "the signals' pipe, into which handlers write%s",
		        call->error == EAGAIN ? ": no more is in it" : "");
		return;
	}
	worker_text(world, owner.worker, name);
	if (call->error == EAGAIN)
		say(words, "nothing is in the pipe of %s", name);
	else if (call->result == 0)
		say(words, "end of file: nobody can write to the pipe of %s any more, so %s is gone", name, name);
	else if (call->arguments[2] != 0)
		say(words, "%s from %s", frame_text(call->arguments[2]), name);
	else
		say(words, "a part of a frame from %s", name);
}

static void tell_poll(const struct call *call, struct narrated_words *words)
{
	write_call(words, call, "poll(%" PRId64 " entries, %" PRId64 " ms)", call->arguments[0], call->arguments[1]);
	if (call->error == EINTR)
		say(words, "a signal came first");
	else if (call->result == 0)
		say(words, "the time is over, and nothing has come");
	else
		say(words, "the coordinator sleeps until something comes");
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
		say(words, "a signal has come");
		return;
	}
	worker_text(world, owner.worker, name);
	if (owner.down)
		say(words, (call->arguments[1] & POLLERR) != 0 ? "%s reads no more" : "there is room in the pipe to %s",
		        name);
	else if ((call->arguments[1] & POLLIN) == 0)
		say(words, "nobody has the end of %s open any more", name);
	else if ((call->arguments[1] & POLLHUP) != 0)
		say(words, "%s has written something, and closed its end: first what it wrote, then its end", name);
	else
		say(words, "%s has written something", name);
}

static void tell_wait(struct narrated_world *world, const struct call *call, struct narrated_words *words)
{
	char name[32], text[96], signal_name[32];
	int status = (int)call->arguments[1];
	worker_text(world, find_pid(world, call->arguments[0]), name);
	if (call->error != 0 || call->result == 0) {
		write_call(words, call, "waitpid(%" PRId64 ", …, WNOHANG)", call->arguments[0]);
		say(words, "%s has not ended yet", name);
		return;
	}
	process_status_text(status, text, sizeof text);
	world->workers[find_pid(world, call->arguments[0])].ended = true;
	if (WIFSIGNALED(status))
		write_call(words, call, "waitpid(%" PRId64 ", {%s}, WNOHANG)", call->arguments[0],
		        signal_text(WTERMSIG(status), signal_name));
	else
		write_call(words, call, "waitpid(%" PRId64 ", {exit %d}, WNOHANG)", call->arguments[0],
		        WEXITSTATUS(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		say(words, "%s has left in order; until this call it was a zombie", name);
	else
		say(words, "%s %s; until this call it was a zombie", name, text);
}

/* "rows 0 to 166" or "bytes 120 to 5000 of the file", of a worker's chunk. */
static void chunk_text(const struct narrated_worker *worker, char *text, size_t capacity)
{
	if (worker->rows.end > worker->rows.begin)
		snprintf(text, capacity, "its rows %" PRIu64 " to %" PRIu64, worker->rows.begin, worker->rows.end - 1);
	else if (worker->bytes.end > worker->bytes.begin)
		snprintf(text, capacity, "its rows (bytes %" PRIu64 " to %" PRIu64 ")", worker->bytes.begin,
		        worker->bytes.end - 1);
	else
		snprintf(text, capacity, "its rows");
}

static void tell_map(const struct narrated_worker *worker, const struct call *call, struct narrated_words *words)
{
	char chunk[96], place[24] = "NULL";
	const int64_t *arguments = call->arguments;
	int64_t page = sysconf(_SC_PAGESIZE);
	bool guards = arguments[2] == PROT_NONE;
	if (arguments[0] != 0)
		snprintf(place, sizeof place, "0x%" PRIx64, (uint64_t)arguments[0]);
	write_call(words, call, "mmap(%s, %" PRId64 ", %s, %s, %d, %" PRId64 ")", place, arguments[1],
	        guards ? "PROT_NONE" : "PROT_READ",
	        (arguments[3] & MAP_FIXED) != 0 ? "MAP_SHARED|MAP_FIXED" : "MAP_SHARED", (int)arguments[4],
	        arguments[5]);
	if (worker == NULL) {
		say(words, "the coordinator looks for the beginnings of records");
		return;
	}
	chunk_text(worker, chunk, sizeof chunk);
	if (guards)
		say(words, "keeps addresses free that nobody may touch: a page before and one behind what comes next "
		           "stay so, "
		           "and catch who reads too far");
	else
		say(words, "pages %" PRId64 " to %" PRId64 " of the file, read-only: there are %s", arguments[5] / page,
		        (arguments[5] + arguments[1] - 1) / page, chunk);
}

static void tell_coordinator(struct narrated_world *world, const struct call *call, struct narrated_words *words)
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
		write_call(words, call, "fcntl(%d, F_SETFL, O_NONBLOCK)", (int)call->arguments[0]);
		say(words, "a call that would have to wait returns EAGAIN instead");
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
		write_call(words, call, "waitid(%" PRId64 ", WSTOPPED | WCONTINUED)", call->arguments[0]);
		say(words, "after SIGCHLD: %s %s", worker_text(world, find_pid(world, call->arguments[0]), name),
		        call->error != 0          ? "has ended"
		        : call->arguments[1] == 0 ? "was not stopped"
		                                  : "was stopped, or goes on");
		break;
	case CALL_MMAP:
		tell_map(NULL, call, words);
		break;
	case CALL_MUNMAP:
		write_call(words, call, "munmap(0x%" PRIx64 ", %" PRId64 ")", (uint64_t)call->arguments[0],
		        call->arguments[1]);
		break;
	case CALL_KILL:
		write_call(words, call, "kill(%" PRId64 ", %s)", call->arguments[0],
		        signal_text(call->arguments[1], name));
		say(words, "it is not waited for any longer");
		break;
	default:
		write_call(words, call, "call %d", (int)call->kind);
	}
}

static void tell_limit(const struct call *call, struct narrated_words *words)
{
	static const struct {
		int64_t resource;
		const char *name;
		const char *reason;
	} limits[] = {
	        {RLIMIT_CORE, "RLIMIT_CORE", "no core file if it dies"},
	        {RLIMIT_NOFILE, "RLIMIT_NOFILE",
	                "its pipes, standard error and the dataset, and nothing else may be open"},
	        {RLIMIT_AS, "RLIMIT_AS", "so much memory may it map (isolation.max_memory_mb)"},
	        {RLIMIT_CPU, "RLIMIT_CPU", "so many seconds of processor time may it use (isolation.max_cpu_s)"},
	};
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		if (limits[i].resource != call->arguments[0])
			continue;
		write_call(words, call, "setrlimit(%s, %" PRId64 ", %" PRId64 ")", limits[i].name, call->arguments[1],
		        call->arguments[2]);
		say(words, "%s", limits[i].reason);
	}
}

static void tell_worker_frame(const struct call *call, struct narrated_words *words)
{
	if (call->kind == CALL_READ) {
		write_call(words, call, "read(0, …, %" PRId64 ")", call->arguments[1]);
		if (call->ended_ns == 0)
			say(words, "it was still waiting");
		else if (call->result == 0)
			say(words, "end of file: the coordinator has closed its end");
		else if (call->arguments[2] != 0)
			say(words, "%s, for which it has waited", frame_text(call->arguments[2]));
		else
			say(words, "a part of a frame");
		return;
	}
	write_call(words, call, "write(1, %s, %" PRId64 ")", frame_text(call->arguments[2]), call->arguments[1]);
	if (call->error == EPIPE)
		say(words, "the coordinator reads no more");
	else
		say(words, "its answer, to the coordinator");
}

static void tell_isolation(
        const struct narrated_world *world, int32_t actor, const struct call *call, struct narrated_words *words)
{
	switch (call->kind) {
	case CALL_DIE_WITH:
		write_call(words, call, "prctl(PR_SET_PDEATHSIG, SIGKILL)");
		say(words, "if the coordinator dies, the kernel ends this process too");
		break;
	case CALL_GETPPID:
		write_call(words, call, "getppid()");
		say(words, call->result == world->coordinator
		                   ? "the coordinator was still there when that was asked for"
		                   : "the coordinator has died before");
		break;
	case CALL_CLOSEFROM:
		write_call(words, call, "closefrom(%d)", (int)call->arguments[0]);
		say(words,
		        "%s, which it has inherited, and whatever else is above standard error: with a copy of another "
		        "worker's end in its hands, that one's death would not show",
		        world->workers[actor].inherited);
		break;
	case CALL_BATCH:
		write_call(words, call, "sched_setscheduler(0, SCHED_BATCH)");
		say(words,
		        "when it wakes, it takes nobody's processor: the coordinator can ask them all before the first "
		        "one begins");
		break;
	case CALL_SETRLIMIT:
		tell_limit(call, words);
		break;
	case CALL_PRIVILEGES:
		write_call(words, call, "prctl(PR_SET_NO_NEW_PRIVS, 1)");
		say(words, "nothing can give it more rights; without that, no filter");
		break;
	default: /* CALL_SECCOMP */
		write_call(
		        words, call, "seccomp(SECCOMP_SET_MODE_FILTER, %" PRId64 " instructions)", call->arguments[0]);
		if (call->error == 0) {
			world->workers[actor].confined = true;
			say(words, "a system call that it does not need is SIGSYS from here on: no more files to "
			           "write, no "
			           "sockets, no processes");
		}
	}
}

static void tell_worker(
        const struct narrated_world *world, int32_t actor, const struct call *call, struct narrated_words *words)
{
	const struct narrated_worker *worker = &world->workers[actor];
	switch (call->kind) {
	case CALL_DUP2:
		write_call(words, call, "dup2(%d, %d)", (int)call->arguments[0], (int)call->arguments[1]);
		say(words, call->arguments[1] == STDIN_FILENO
		                   ? "what the coordinator sends becomes its standard input"
		                   : "its standard output becomes what the coordinator reads");
		break;
	case CALL_OPEN:
		write_call(words, call, "open(the dataset, O_RDONLY)");
		break;
	case CALL_MMAP:
		tell_map(worker, call, words);
		break;
	case CALL_MUNMAP:
		write_call(words, call, "munmap(0x%" PRIx64 ", %" PRId64 ")", (uint64_t)call->arguments[0],
		        call->arguments[1]);
		say(words, "the pages are let go");
		break;
	case CALL_CLOSE:
		write_call(words, call, "close(%d)", (int)call->arguments[0]);
		say(words, call->arguments[0] > STDERR_FILENO ? "the mapping stays" : "a fault that was asked for");
		break;
	case CALL_READ:
	case CALL_WRITE:
		tell_worker_frame(call, words);
		break;
	case CALL_EXIT:
		write_call(words, call, "_exit(%d)", (int)call->arguments[0]);
		say(words, call->arguments[0] == WORKER_LEFT ? "it leaves" : "it gives up");
		break;
	default:
		tell_isolation(world, actor, call, words);
	}
}

static bool is_general(enum call_kind kind)
{
	return kind == CALL_DUP2 || kind == CALL_NONBLOCK || (kind >= CALL_DIE_WITH && kind <= CALL_SECCOMP) ||
	       kind == CALL_POLL || kind == CALL_MUNMAP;
}

void narrated_words_find(
        struct narrated_world *world, int32_t actor, const struct call *call, struct narrated_words *words)
{
	*words = (struct narrated_words){.general = is_general(call->kind)};
	if (actor == NARRATED_COORDINATOR)
		tell_coordinator(world, call, words);
	else
		tell_worker(world, actor, call, words);
}
