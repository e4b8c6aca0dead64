#include "tests/unit/confined_child.h"

#include "common/frame_io.h"
#include "worker/last_words.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const struct frame_header confined_child_question = {
        .type = FRAME_PARAMS, .worker = 3, .incarnation = 1, .epoch = 7, .round = 9};
pid_t confined_child_parent;

void skip_if_sanitized(void)
{
	if (ISOLATION_SANITIZED)
		cr_skip_test("built with a sanitizer");
}

static void walk(int out, const struct isolation *isolation, void (*prepare)(void), void (*step)(void))
{
	int null = open("/dev/null", O_RDONLY);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || !isolation_enter(confined_child_parent) ||
	        !last_words_prepare())
		_exit(NOT_PREPARED);
	last_words_set_question(&confined_child_question);
	if (prepare != NULL)
		prepare();
	if (isolation_confine(isolation) != 0)
		_exit(NOT_CONFINED);
	step();
	_exit(WENT_THROUGH);
}

static void take_words(int in, struct ending *ending)
{
	struct frame_reader reader;
	const unsigned char *payload;
	enum wire_status status;
	cr_assert(frame_reader_init(&reader, wire_max_payload_up(1)));
	while ((status = frame_reader_next(&reader, &ending->header, &payload)) == WIRE_SHORT)
		if (frame_reader_fill(&reader, in) != IO_DONE)
			break;
	ending->spoke = status == WIRE_OK && ending->header.type == FRAME_ERROR;
	if (ending->spoke)
		cr_assert_eq(wire_decode_error(payload, ending->header.payload_length, &ending->words), WIRE_OK);
	frame_reader_release(&reader);
}

struct confined_child confined_child_start(const struct isolation *isolation, void (*prepare)(void), void (*step)(void))
{
	int ends[2];
	confined_child_parent = getpid();
	cr_assert_eq(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0)
		walk(ends[1], isolation, prepare, step);
	cr_assert(pid > 0);
	close(ends[1]);
	return (struct confined_child){pid, ends[0]};
}

struct ending confined_child_finish(struct confined_child child)
{
	struct ending ending = {0};
	take_words(child.out, &ending);
	close(child.out);
	cr_assert_eq(waitpid(child.pid, &ending.status, 0), child.pid);
	return ending;
}

struct ending send_out(const struct isolation *isolation, void (*prepare)(void), void (*step)(void))
{
	return confined_child_finish(confined_child_start(isolation, prepare, step));
}

struct ending send_out_confined(void (*prepare)(void), void (*step)(void))
{
	struct system_call_filter *filter;
	cr_assert_eq(system_call_filter_new(&filter, false), 0);
	struct isolation isolation = {.enabled = true, .filter = filter};
	struct ending ending = send_out(&isolation, prepare, step);
	system_call_filter_free(filter);
	return ending;
}

void expect_exit(const char *name, const struct ending *ending, int status)
{
	cr_expect(WIFEXITED(ending->status), "%s: ended by signal %d (%s, %lld)", name, WTERMSIG(ending->status),
	        ending->spoke ? ending->words.text : "no last words", (long long)ending->words.offset);
	cr_expect_eq(WEXITSTATUS(ending->status), status, "%s: status %d", name, WEXITSTATUS(ending->status));
}

void expect_signal(const char *name, const struct ending *ending, int number)
{
	cr_expect(WIFSIGNALED(ending->status), "%s: exited with %d", name, WEXITSTATUS(ending->status));
	cr_expect_eq(WTERMSIG(ending->status), number, "%s: signal %d", name, WTERMSIG(ending->status));
}

void expect_words(const char *name, const struct ending *ending, const char *text)
{
	cr_assert(ending->spoke, "%s: no last words", name);
	cr_expect_eq(ending->words.stage, STAGE_SIGNAL, "%s", name);
	cr_expect(strstr(ending->words.text, text) != NULL, "%s: \"%s\"", name, ending->words.text);
}
