/*
 * The configuration of a run: JSON text in, checked values out. Paths in it are relative to the configuration
 * file and are resolved here. jansson is used here, but does not show.
 */
#ifndef FORKFIT_COORDINATOR_CONFIG_H
#define FORKFIT_COORDINATOR_CONFIG_H

#include "common/dataset.h"
#include "common/error.h"
#include "common/fault.h"
#include "coordinator/csv_header.h"
#include "coordinator/recovery.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A column, by its name or by its zero-based place. */
struct column_reference {
	char *name; /* NULL: by place */
	uint32_t index;
};

enum format_choice { FORMAT_DETECT, FORMAT_CSV, FORMAT_NPY };

enum aggregation {
	AGGREGATE_MEAN,    /* the gradient of the whole dataset, each row counting once */
	AGGREGATE_AVERAGE, /* the unweighted mean of the workers' gradients */
	AGGREGATE_SUM,     /* the sum of the workers' gradients */
	AGGREGATE_TOTAL,   /* the sums as they are; no configuration asks for it */
};

enum optimizer_kind { OPTIMIZER_GRADIENT_DESCENT };

struct config {
	char *source;   /* how errors name it: the file, or "<stdin>" */
	bool bandwidth; /* not a key, but the command line's --bandwidth: measure it behind the epochs */

	struct {
		char *path;       /* resolved, as open(2) takes it */
		char *given_path; /* as written in the configuration */
		enum format_choice format;
		enum header_mode header;
		char delimiter; /* 0: detect */
		bool has_target;
		struct column_reference target;
		bool has_features;
		size_t feature_count;
		struct column_reference *features;
		enum missing_policy missing;
	} dataset;

	uint32_t workers; /* 0: as many as serve */

	struct {
		enum optimizer_kind optimizer;
		bool automatic_rate;
		double learning_rate; /* if not automatic */
		uint64_t epochs;      /* at most this many; 0 to 2^32 - 1 */
		double tolerance;     /* 0: never stop early */
		bool standardize;
		enum aggregation aggregation;
		size_t initial_count; /* how many w were given; 0: all zero */
		double *initial_w;
		double initial_b;
	} training;

	struct {
		enum recovery_policy policy;
		double worker_timeout_s; /* > 0 */
		uint32_t max_restarts;   /* 0 to 1000000 … */
		double restart_window_s; /* … within so long */
		double backup_after;     /* ≥ 1, a multiple of the median reply time; 0: no backups */
		uint32_t replicas;       /* 1 to 3 */
		bool allow_degraded;
	} recovery;

	struct fault *faults;
	size_t fault_count;
	struct chaos chaos;

	struct {
		bool enabled;
		uint32_t max_memory_mb; /* 0: no limit */
		uint32_t max_cpu_s;     /* 0: no limit */
	} isolation;

	struct {
		char *path; /* resolved, NULL: none are written */
		char *given_path;
		uint32_t every_epochs; /* ≥ 1 */
	} checkpoint;

	struct {
		char *model; /* resolved, NULL: none */
		char *given_model;
		char *events; /* resolved, NULL: none */
		char *given_events;
		char *trace; /* resolved, NULL: none */
		char *given_trace;
		char *report; /* resolved, NULL: none */
		char *given_report;
		char *faults; /* resolved, NULL: none */
		char *given_faults;
	} output;
};

/*
 * Reads and checks a configuration. path: of a file, or "-" for standard input. overrides: count strings
 * "key.path=value" from --set, applied in order; the value is JSON, or else taken as a string. On failure *error has
 * code EXIT_BAD_CONFIGURATION (EXIT_INPUT_MISSING where the file cannot be read, EXIT_BAD_USAGE where an override has
 * no '=' or no key) and nothing is to be released.
 */
bool config_read(
        const char *path, const char *const *overrides, size_t count, struct config *config, struct error *error);
/* One that says where the data are and nothing else. False: *error has code EXIT_OS_ERROR. */
bool config_of_dataset(const char *path, struct config *config, struct error *error);
void config_release(struct config *config);

/* The effective configuration as indented JSON text with every default filled in; the caller frees it. NULL: no memory.
 */
char *config_to_json(const struct config *config);

/* The words of the configuration, such as "mean", for messages and results. */
const char *aggregation_name(enum aggregation aggregation);
const char *optimizer_name(enum optimizer_kind optimizer);

#endif
