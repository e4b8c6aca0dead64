/* The report's page: the files of coordinator/report/ and third_party/uplot/, which the program carries, and the data.
 */
#include "coordinator/report_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file's bytes with a NUL behind them. The Makefile knows that this depends on the files. */
#define CARRY(name, path)                         \
	__asm__(".pushsection .rodata\n"          \
	        ".global " #name "\n" #name ":\n" \
	        ".incbin \"" path "\"\n"          \
	        ".byte 0\n"                       \
	        ".popsection\n");                 \
	extern const char name[]

CARRY(report_page_html, "coordinator/report/page.html");
CARRY(report_page_css, "coordinator/report/page.css");
CARRY(report_page_js, "coordinator/report/page.js");
CARRY(report_charts_js, "coordinator/report/charts.js");
CARRY(report_uplot_css, "third_party/uplot/uPlot.min.css");
CARRY(report_uplot_js, "third_party/uplot/uPlot.iife.min.js");

/* What stands in page.html for a file or the data. */
struct part {
	const char *mark;
	const char *text;
};

/* The part whose mark is at the text; NULL: none. */
static const struct part *part_at(const char *text, const struct part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(text, parts[i].mark, strlen(parts[i].mark)) == 0)
			return &parts[i];
	return NULL;
}

char *report_page(const char *json)
{
	const struct part parts[] = {
	        {"{{uPlot.min.css}}", report_uplot_css},
	        {"{{page.css}}", report_page_css},
	        {"{{data}}", json},
	        {"{{uPlot.iife.min.js}}", report_uplot_js},
	        {"{{charts.js}}", report_charts_js},
	        {"{{page.js}}", report_page_js},
	};
	size_t count = sizeof parts / sizeof *parts, size = strlen(report_page_html) + 1;
	for (size_t i = 0; i < count; i++)
		size += strlen(parts[i].text);
	char *page = malloc(size), *to = page;
	for (const char *from = report_page_html; page != NULL && *from != '\0';) {
		const struct part *part = part_at(from, parts, count);
		if (part == NULL) {
			*to++ = *from++;
			continue;
		}
		size_t length = strlen(part->text);
		memcpy(to, part->text, length);
		to += length;
		from += strlen(part->mark);
	}
	if (page != NULL)
		*to = '\0';
	return page;
}
