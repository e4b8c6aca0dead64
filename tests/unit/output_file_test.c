#include "coordinator/output_file.h"

#include "tests/unit/config_reading.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(output_file, .init = scratch_enter, .fini = scratch_leave, .timeout = 20);

static void expect_file(const char *path, const char *expected)
{
	char *text = read_file(path);
	cr_assert(text != NULL, "there is no %s", path);
	cr_expect_str_eq(text, expected);
	free(text);
}

static int files_here(void)
{
	int count = -2; /* . and .. */
	DIR *listing = opendir(".");
	cr_assert(listing != NULL);
	while (readdir(listing) != NULL)
		count++;
	closedir(listing);
	return count;
}

static void write_good(const char *path, const char *text)
{
	struct error error = {0};
	cr_assert(output_file_write(path, text, &error), "%s", error.message);
}

Test(output_file, holds_the_text_and_nothing_lies_beside_it)
{
	write_good("model.json", "new\n");
	expect_file("model.json", "new\n");
	cr_expect_eq(files_here(), 1);
}

Test(output_file, takes_the_place_of_an_older_one)
{
	write_file("model.json", "a long old text", 15);
	write_good("model.json", "new\n");
	expect_file("model.json", "new\n");
	cr_expect_eq(files_here(), 1);
}

/* The path named the old file whole until it named the new one whole: nothing was written into the old one. */
Test(output_file, leaves_the_old_one_to_who_has_it_open)
{
	char text[8] = "";
	write_file("model.json", "old", 3);
	int old = open("model.json", O_RDONLY);
	write_good("model.json", "new\n");
	cr_expect_eq(read(old, text, sizeof text), 3);
	cr_expect_str_eq(text, "old");
	close(old);
}

Test(output_file, can_lie_in_another_directory)
{
	cr_assert_eq(mkdir("d", 0777), 0);
	write_good("d/model.json", "new\n");
	expect_file("d/model.json", "new\n");
}

Test(output_file, takes_over_what_a_killed_coordinator_left)
{
	write_file("model.json.forkfit-draft", "half of", 7);
	write_good("model.json", "new\n");
	expect_file("model.json", "new\n");
	cr_expect_eq(files_here(), 1);
}

struct refused {
	char path[32];
	char message[80];
};

static const struct refused refusals[] = {
        {"no/such/model.json", "cannot write no/such/model.json: No such file or directory"},
        {"directory", "cannot write directory: it is not a regular file"},
        {"pipe", "cannot write pipe: it is not a regular file"},
        {"file/model.json", "cannot write file/model.json: Not a directory"},
};

Test(output_file, cannot_be_written_everywhere)
{
	cr_assert_eq(mkdir("directory", 0777), 0);
	cr_assert_eq(mkfifo("pipe", 0666), 0); /* no device: if this test has cause to fail, the path is replaced */
	write_file("file", "x", 1);
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct error error = {0};
		cr_expect_not(output_file_write(refusals[i].path, "new\n", &error));
		cr_expect_eq(error.code, EXIT_OUTPUT_FAILED);
		cr_expect_str_eq(error.message, refusals[i].message);
		error = (struct error){0};
		cr_expect_not(output_file_check(refusals[i].path, &error));
		cr_expect_eq(error.code, EXIT_OUTPUT_FAILED);
		cr_expect_str_eq(error.message, refusals[i].message);
	}
	cr_expect_eq(files_here(), 3);
}

Test(output_file, can_be_checked_without_a_trace)
{
	struct stat before, after;
	struct error error = {0};
	cr_expect(output_file_check("model.json", &error), "%s", error.message);
	cr_expect_eq(files_here(), 0);
	write_file("model.json", "old", 3);
	cr_assert_eq(stat("model.json", &before), 0);
	cr_expect(output_file_check("model.json", &error), "%s", error.message);
	cr_assert_eq(stat("model.json", &after), 0);
	cr_expect(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	expect_file("model.json", "old");
	cr_expect_eq(files_here(), 1);
}

/* It may be the draft of a coordinator that is about to rename it. */
Test(output_file, is_checked_without_touching_a_draft)
{
	struct error error = {0};
	write_file("model.json.forkfit-draft", "half of", 7);
	cr_expect(output_file_check("model.json", &error), "%s", error.message);
	expect_file("model.json.forkfit-draft", "half of");
	cr_expect_eq(files_here(), 1);
}

Test(output_file, is_not_to_be_written_where_a_directory_has_the_drafts_name)
{
	struct error error = {0};
	cr_assert_eq(mkdir("model.json.forkfit-draft", 0777), 0);
	cr_expect(!output_file_check("model.json", &error));
	cr_expect_eq(error.code, EXIT_OUTPUT_FAILED);
	cr_expect_str_eq(error.message, "cannot write model.json: model.json.forkfit-draft is a directory");
}

Test(output_file, is_told_why_its_directory_cannot_be_opened)
{
	struct error error = {0};
	struct rlimit limit;
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, limit.rlim_max}), 0);
	bool can = output_file_check("model.json", &error);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect(!can);
	cr_expect_eq(error.code, EXIT_OUTPUT_FAILED);
	cr_expect_str_eq(error.message, "cannot write model.json: Too many open files");
}

enum { RIGHT = 42, WRONG };

/* In a process whose files may not grow over 10 bytes, which is like a full disk in the middle of the text. */
static int write_to_a_full_disk(void)
{
	const struct rlimit limit = {10, 10};
	struct error error = {0};
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || output_file_write("model.json", "more than ten bytes\n", &error))
		return WRONG;
	bool told = error.code == EXIT_OUTPUT_FAILED &&
	            strcmp(error.message, "cannot write model.json: File too large") == 0;
	return told ? RIGHT : WRONG;
}

Test(output_file, stays_as_it_was_when_writing_fails)
{
	int status;
	write_file("model.json", "old", 3);
	pid_t pid = fork();
	if (pid == 0)
		_exit(write_to_a_full_disk());
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == RIGHT, "status %x", (unsigned)status);
	expect_file("model.json", "old");
	cr_expect_eq(files_here(), 1);
}

Test(output_file, stays_as_it_was_when_it_cannot_be_renamed)
{
	struct error error = {0};
	char longest[256]; /* a name as long as names can be, whose draft has a longer one */
	memset(longest, 'm', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	write_file(longest, "old", 3);
	cr_expect_not(output_file_write(longest, "new\n", &error));
	cr_expect_eq(error.code, EXIT_OUTPUT_FAILED);
	expect_file(longest, "old");
	cr_expect_eq(files_here(), 1);
}
