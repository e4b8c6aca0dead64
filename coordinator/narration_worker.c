/* A worker's calls in words: how it becomes one, and what comes and goes through its pipes. */
#include "coordinator/narration_words_parts.h"

#include "coordinator/process.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <unistd.h>

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
		narrated_write_call(words, call, "setrlimit(%s, %" PRId64 ", %" PRId64 ")", limits[i].name,
		        call->arguments[1], call->arguments[2]);
		narrated_say(words, "%s", limits[i].reason);
	}
}

static void tell_worker_frame(const struct call *call, struct narrated_words *words)
{
	if (call->kind == CALL_READ) {
		narrated_write_call(words, call, "read(0, …, %" PRId64 ")", call->arguments[1]);
		if (call->ended_ns == 0)
			narrated_say(words, "it was still waiting");
		else if (call->result == 0)
			narrated_say(words, "end of file: the coordinator has closed its end");
		else if (call->arguments[2] != 0)
			narrated_say(words, "%s, for which it has waited", narrated_frame_text(call->arguments[2]));
		else
			narrated_say(words, "a part of a frame");
		return;
	}
	narrated_write_call(
	        words, call, "write(1, %s, %" PRId64 ")", narrated_frame_text(call->arguments[2]), call->arguments[1]);
	if (call->error == EPIPE)
		narrated_say(words, "the coordinator reads no more");
	else
		narrated_say(words, "its answer, to the coordinator");
}

static void tell_isolation(
        const struct narrated_world *world, int32_t actor, const struct call *call, struct narrated_words *words)
{
	switch (call->kind) {
	case CALL_DIE_WITH:
		narrated_write_call(words, call, "prctl(PR_SET_PDEATHSIG, SIGKILL)");
		narrated_say(words, "if the coordinator dies, the kernel ends this process too");
		break;
	case CALL_GETPPID:
		narrated_write_call(words, call, "getppid()");
		narrated_say(words, call->result == world->coordinator
		                            ? "the coordinator was still there when that was asked for"
		                            : "the coordinator has died before");
		break;
	case CALL_CLOSEFROM:
		narrated_write_call(words, call, "closefrom(%d)", (int)call->arguments[0]);
		narrated_say(words,
		        "%s, which it has inherited, and whatever else is above standard error: with a copy of another "
		        "worker's end in its hands, that one's death would not show",
		        world->workers[actor].inherited);
		break;
	case CALL_BATCH:
		narrated_write_call(words, call, "sched_setscheduler(0, SCHED_BATCH)");
		narrated_say(words,
		        "when it wakes, it takes nobody's processor: the coordinator can ask them all before the first "
		        "one begins");
		break;
	case CALL_SETRLIMIT:
		tell_limit(call, words);
		break;
	case CALL_PRIVILEGES:
		narrated_write_call(words, call, "prctl(PR_SET_NO_NEW_PRIVS, 1)");
		narrated_say(words, "nothing can give it more rights; without that, no filter");
		break;
	default: /* CALL_SECCOMP */
		narrated_write_call(
		        words, call, "seccomp(SECCOMP_SET_MODE_FILTER, %" PRId64 " instructions)", call->arguments[0]);
		if (call->error == 0) {
			world->workers[actor].confined = true;
			narrated_say(words,
			        "a system call that it does not need is SIGSYS from here on: no more files to "
			        "write, no "
			        "sockets, no processes");
		}
	}
}

void narrated_tell_worker(
        const struct narrated_world *world, int32_t actor, const struct call *call, struct narrated_words *words)
{
	const struct narrated_worker *worker = &world->workers[actor];
	switch (call->kind) {
	case CALL_DUP2:
		narrated_write_call(words, call, "dup2(%d, %d)", (int)call->arguments[0], (int)call->arguments[1]);
		narrated_say(words, call->arguments[1] == STDIN_FILENO
		                            ? "what the coordinator sends becomes its standard input"
		                            : "its standard output becomes what the coordinator reads");
		break;
	case CALL_OPEN:
		narrated_write_call(words, call, "open(the dataset, O_RDONLY)");
		break;
	case CALL_MMAP:
		narrated_tell_map(worker, call, words);
		break;
	case CALL_MUNMAP:
		narrated_write_call(words, call, "munmap(0x%" PRIx64 ", %" PRId64 ")", (uint64_t)call->arguments[0],
		        call->arguments[1]);
		narrated_say(words, "the pages are let go");
		break;
	case CALL_CLOSE:
		narrated_write_call(words, call, "close(%d)", (int)call->arguments[0]);
		narrated_say(
		        words, call->arguments[0] > STDERR_FILENO ? "the mapping stays" : "a fault that was asked for");
		break;
	case CALL_READ:
	case CALL_WRITE:
		tell_worker_frame(call, words);
		break;
	case CALL_EXIT:
		narrated_write_call(words, call, "_exit(%d)", (int)call->arguments[0]);
		narrated_say(words, call->arguments[0] == WORKER_LEFT ? "it leaves" : "it gives up");
		break;
	default:
		tell_isolation(world, actor, call, words);
	}
}
