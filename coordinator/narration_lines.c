#include "coordinator/narration_lines.h"

#include "common/utf8.h"

#include <inttypes.h>
#include <string.h>

/* Columns: the actor's, the call's behind it, and all. */
enum { ACTOR_WIDTH = 13, CALL_WIDTH = 42, LINE_WIDTH = 118 };

static const char *colour_of(const struct narration_lines *lines, int32_t actor)
{
	static const char *const colours[] = {"\033[36m", "\033[33m", "\033[35m", "\033[32m", "\033[34m", "\033[31m"};
	if (!lines->colour)
		return "";
	return actor == NARRATED_COORDINATOR ? "\033[1m" : colours[(size_t)actor % (sizeof colours / sizeof *colours)];
}

/* Of text in UTF-8, whose characters all take one here. */
static int columns(const char *text)
{
	int count = 0;
	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xC0) != 0x80;
	return count;
}

/* Is the reason worth saying? What is the same for every worker is said of the first. */
static bool is_news(struct narration_lines *lines, const char *reason)
{
	for (size_t i = 0; i < lines->said_count; i++)
		if (strcmp(lines->said[i], reason) == 0)
			return false;
	if (lines->said_count < NARRATION_SAID_MAX)
		snprintf(lines->said[lines->said_count++], sizeof lines->said[0], "%s", reason);
	return true;
}

/* Behind a call that has taken so many columns, or below it; broken into lines. */
static void print_reason(struct narration_lines *lines, int taken)
{
	const char *word = lines->line.words.reason;
	int at = ACTOR_WIDTH + taken, begin = ACTOR_WIDTH + CALL_WIDTH;
	if (word[0] == '\0' || (lines->line.words.general && !is_news(lines, word)))
		return;
	if (at + 2 > begin) {
		fputc('\n', lines->out);
		at = 0;
	}
	fprintf(lines->out, "%*s%s", begin - at, "", lines->colour ? "\033[2m" : "");
	at = begin;
	while (*word != '\0') {
		int length = (int)strcspn(word, " ");
		if (at > begin && at + 1 + length > LINE_WIDTH) {
			fprintf(lines->out, "\n%*s", begin, "");
			at = begin;
		}
		fprintf(lines->out, "%s%.*s", at > begin ? " " : "", length, word);
		at += length + (at > begin);
		word += length;
		word += strspn(word, " ");
	}
	fputs(lines->colour ? "\033[0m" : "", lines->out);
}

void narration_lines_end(struct narration_lines *lines)
{
	char actor[32] = "coordinator", times[32] = "";
	const struct narrated_words *words = &lines->line.words;
	if (!lines->line.open)
		return;
	lines->line.open = false;
	if (lines->line.actor != NARRATED_COORDINATOR) {
		uint32_t incarnation = lines->line.incarnation;
		int length = snprintf(actor, sizeof actor, "worker %" PRId32, lines->line.actor);
		if (incarnation > 0)
			snprintf(actor + length, sizeof actor - (size_t)length, "/%" PRIu32, incarnation);
	}
	if (lines->line.times > 1)
		snprintf(times, sizeof times, " × %" PRIu64, lines->line.times);
	fprintf(lines->out, "%s%-11s%s  %s%s", colour_of(lines, lines->line.actor), actor,
	        lines->colour ? "\033[0m" : "", words->call, times);
	print_reason(lines, columns(words->call) + columns(times));
	fputc('\n', lines->out);
}

void narration_lines_call(
        struct narration_lines *lines, int32_t actor, uint32_t incarnation, const struct narrated_words *words)
{
	if (lines->line.open && lines->line.actor == actor && strcmp(lines->line.words.call, words->call) == 0 &&
	        strcmp(lines->line.words.reason, words->reason) == 0) {
		lines->line.times++;
		return;
	}
	narration_lines_end(lines);
	lines->line.open = true;
	lines->line.actor = actor;
	lines->line.incarnation = incarnation;
	lines->line.times = 1;
	lines->line.words = *words;
}

void narration_lines_heading(struct narration_lines *lines, const char *text)
{
	narration_lines_end(lines);
	fprintf(lines->out, "\n%s── %s%s\n", lines->colour ? "\033[1m" : "", text, lines->colour ? "\033[0m" : "");
}

void narration_lines_remark(struct narration_lines *lines, const char *text)
{
	char shown[4096]; /* there may be names in it */
	narration_lines_end(lines);
	fprintf(lines->out, "%*s%s\n", ACTOR_WIDTH, "", utf8_excerpt(shown, sizeof shown, text, strlen(text)));
}

void narration_lines_counts(struct narration_lines *lines, const char *who, const uint64_t counts[CALL_KIND_COUNT])
{
	static const struct {
		enum call_kind kind;
		const char *name;
	} names[] = {{CALL_POLL, "poll"}, {CALL_WRITE, "write"}, {CALL_READ, "read"}, {CALL_MMAP, "mmap"},
	        {CALL_WAITID, "waitid"}};
	fprintf(lines->out, "%*s%s:", ACTOR_WIDTH, "", who);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		uint64_t calls = counts[names[i].kind];
		if (calls > 0)
			fprintf(lines->out, " %" PRIu64 " × %s", calls, names[i].name);
	}
	fputc('\n', lines->out);
}
