#include "coordinator/campaign_report.h"

#include "common/error.h"

#include <inttypes.h>
#include <string.h>

void campaign_tally_add(struct campaign_tally *tally, enum verdict verdict, const struct evidence *evidence,
        const struct fault *fired, size_t count)
{
	uint32_t seen[FAULT_KIND_COUNT] = {0}; /* of each kind, the sites: a run counts once in a row */
	tally->runs++;
	tally->verdicts[verdict]++;
	tally->calm += count == 0;
	tally->fired += count;
	if (verdict == VERDICT_CLEAN_ERROR && evidence->was_signalled)
		tally->killed++;
	else if (verdict == VERDICT_CLEAN_ERROR)
		tally->statuses[evidence->status % CAMPAIGN_STATUSES]++;
	tally->resumed += evidence->was_resumed;
	for (size_t i = 0; i < count; i++) {
		struct campaign_cell *cell = &tally->cells[fired[i].kind][fired[i].site];
		uint32_t bit = UINT32_C(1) << fired[i].site;
		cell->fired++;
		cell->verdicts[verdict] += (seen[fired[i].kind] & bit) == 0;
		seen[fired[i].kind] |= bit;
	}
}

uint64_t campaign_tally_failures(const struct campaign_tally *tally)
{
	uint64_t failures = 0;
	for (unsigned verdict = 0; verdict < VERDICT_COUNT; verdict++)
		if (verdict_is_failure((enum verdict)verdict))
			failures += tally->verdicts[verdict];
	return failures;
}

/* As wide as the longest names and as ten million runs need. */
#define NAMES_FORMAT "%-14s %-29s"

static void print_verdicts(FILE *out, const uint64_t verdicts[VERDICT_COUNT])
{
	for (unsigned verdict = 0; verdict < VERDICT_COUNT; verdict++)
		fprintf(out, "  %*" PRIu64, (int)strlen(verdict_name((enum verdict)verdict)) + 2, verdicts[verdict]);
	fputc('\n', out);
}

static const char *status_meaning(unsigned status)
{
	switch (status) {
	case EXIT_DIVERGED:
		return "diverged";
	case EXIT_WORKERS_LOST:
		return "workers lost";
	case EXIT_OS_ERROR:
		return "operating system";
	default:
		return "output";
	}
}

static void print_errors(FILE *out, const struct campaign_tally *tally)
{
	const char *between = "clean errors: ";
	for (unsigned status = 0; status < CAMPAIGN_STATUSES; status++) {
		if (tally->statuses[status] == 0)
			continue;
		fprintf(out, "%s%" PRIu64 " with exit status %u (%s)", between, tally->statuses[status], status,
		        status_meaning(status));
		between = ", ";
	}
	if (tally->killed > 0)
		fprintf(out, "%s%" PRIu64 " killed by a fault", between, tally->killed);
	if (tally->verdicts[VERDICT_CLEAN_ERROR] > 0)
		fputc('\n', out);
	if (tally->resumed > 0)
		fprintf(out, "resumed from their checkpoints, %" PRIu64 " of these came to the same result\n",
		        tally->resumed);
}

void campaign_report_table(FILE *out, const struct campaign_tally *tally)
{
	fprintf(out, NAMES_FORMAT " %8s", "fault", "at", "fired");
	for (unsigned verdict = 0; verdict < VERDICT_COUNT; verdict++)
		fprintf(out, "    %s", verdict_name((enum verdict)verdict));
	fputc('\n', out);
	for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
		for (unsigned site = 0; site < FAULT_SITE_COUNT; site++) {
			const struct campaign_cell *cell = &tally->cells[kind][site];
			if (cell->fired == 0)
				continue;
			fprintf(out, NAMES_FORMAT " %8" PRIu64, fault_kind_name((enum fault_kind)kind),
			        fault_site_name((enum fault_site)site), cell->fired);
			print_verdicts(out, cell->verdicts);
		}
	}
	char runs[64];
	snprintf(runs, sizeof runs, "of %" PRIu64 " run%s", tally->runs, tally->runs == 1 ? "" : "s");
	fprintf(out, NAMES_FORMAT " %8" PRIu64, "all faults", runs, tally->fired);
	print_verdicts(out, tally->verdicts);
	fprintf(out, "\nseed %" PRIu64 "; a run counts in the row of each of its faults; %" PRIu64 " had none\n",
	        tally->seed, tally->calm);
	print_errors(out, tally);
}

/* Numbers and names of this program only, so that nothing is to be escaped. */
static void put_verdicts(FILE *out, const uint64_t verdicts[VERDICT_COUNT])
{
	for (unsigned verdict = 0; verdict < VERDICT_COUNT; verdict++)
		fprintf(out, "%s\"%s\": %" PRIu64, verdict > 0 ? ", " : "",
		        verdict == VERDICT_CLEAN_ERROR ? "clean_error" : verdict_name((enum verdict)verdict),
		        verdicts[verdict]);
}

static void put_errors(FILE *out, const struct campaign_tally *tally)
{
	fprintf(out, "\"killed\": %" PRIu64, tally->killed);
	for (unsigned status = 0; status < CAMPAIGN_STATUSES; status++)
		if (tally->statuses[status] > 0)
			fprintf(out, ", \"%u\": %" PRIu64, status, tally->statuses[status]);
}

void campaign_report_json(FILE *out, const struct campaign_tally *tally)
{
	const char *between = "";
	fprintf(out, "{\n  \"seed\": %" PRIu64 ",\n  \"runs\": %" PRIu64 ",\n  \"verdicts\": { ", tally->seed,
	        tally->runs);
	put_verdicts(out, tally->verdicts);
	fputs(" },\n  \"clean_errors\": { ", out);
	put_errors(out, tally);
	fprintf(out,
	        " },\n  \"resumed\": %" PRIu64 ",\n  \"runs_without_fault\": %" PRIu64 ",\n  \"fired\": %" PRIu64
	        ",\n  \"faults\": [",
	        tally->resumed, tally->calm, tally->fired);
	for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
		for (unsigned site = 0; site < FAULT_SITE_COUNT; site++) {
			const struct campaign_cell *cell = &tally->cells[kind][site];
			if (cell->fired == 0)
				continue;
			fprintf(out, "%s\n    { \"kind\": \"%s\", \"site\": \"%s\", \"fired\": %" PRIu64 ", ", between,
			        fault_kind_name((enum fault_kind)kind), fault_site_name((enum fault_site)site),
			        cell->fired);
			put_verdicts(out, cell->verdicts);
			fputs(" }", out);
			between = ",";
		}
	}
	fputs("\n  ]\n}\n", out);
}
