#include "coordinator/config_key.h"

#include "coordinator/config_value.h"
#include "coordinator/spelling.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const struct config_word format_words[] = {
        {.text = "auto", .number = FORMAT_DETECT},
        {.text = "csv", .number = FORMAT_CSV},
        {.text = "npy", .number = FORMAT_NPY},
        {.text = NULL},
};

static const struct config_word header_words[] = {
        {.text = "auto", .number = HEADER_DETECT},
        {.text = "true", .bare = true, .number = HEADER_PRESENT},
        {.text = "false", .bare = true, .number = HEADER_ABSENT},
        {.text = NULL},
};

static const struct config_word delimiter_words[] = {
        {.text = "auto", .number = 0},
        {.text = ",", .number = ','},
        {.text = ";", .number = ';'},
        {.text = "\t", .number = '\t'},
        {.text = "|", .number = '|'},
        {.text = NULL},
};

static const struct config_word missing_words[] = {
        {.text = "error", .number = MISSING_ERROR},
        {.text = "skip_row", .number = MISSING_SKIP_ROW},
        {.text = NULL},
};

static const struct config_word optimizer_words[] = {
        {.text = "gradient_descent", .number = OPTIMIZER_GRADIENT_DESCENT},
        {.text = NULL},
};

static const struct config_word aggregation_words[] = {
        {.text = "mean", .number = AGGREGATE_MEAN},
        {.text = "average", .number = AGGREGATE_AVERAGE},
        {.text = "sum", .number = AGGREGATE_SUM},
        {.text = NULL},
};

static const struct config_word switch_words[] = {
        {.text = "true", .bare = true, .number = true},
        {.text = "false", .bare = true, .number = false},
        {.text = NULL},
};

static const struct config_word policy_words[] = {
        {.text = "respawn", .number = RECOVERY_RESPAWN},
        {.text = "redistribute", .number = RECOVERY_REDISTRIBUTE},
        {.text = "drop", .number = RECOVERY_DROP},
        {.text = "abort", .number = RECOVERY_ABORT},
        {.text = NULL},
};

static const struct config_word auto_words[] = {
        {.text = "auto", .number = 0},
        {.text = NULL},
};

static const struct config_word null_words[] = {
        {.text = "null", .bare = true},
        {.text = NULL},
};

#define FIELD(member) .offset = offsetof(struct config, member), .size = sizeof(((struct config *)NULL)->member)

const struct config_key config_keys[] = {
        {.path = "$schema",
                .kind = &value_note,
                .meaning = "The JSON Schema of this file, for editors; the program does not read it."},

        {.path = "dataset", .meaning = "The data to learn from."},
        {.path = "dataset.path",
                .kind = &value_path,
                .required = true,
                FIELD(dataset.given_path),
                .meaning = "The file with the data, relative to this configuration."},
        {.path = "dataset.format",
                .kind = &value_word,
                .words = format_words,
                .standard = "\"auto\"",
                FIELD(dataset.format),
                .meaning = "The format of the file; auto finds out."},
        {.path = "dataset.header",
                .kind = &value_word,
                .words = header_words,
                .standard = "\"auto\"",
                FIELD(dataset.header),
                .meaning = "Whether the first record of a CSV file names the columns; auto finds out."},
        {.path = "dataset.delimiter",
                .kind = &value_word,
                .words = delimiter_words,
                .standard = "\"auto\"",
                FIELD(dataset.delimiter),
                .meaning = "What separates the fields of a CSV file; auto finds out."},
        {.path = "dataset.target",
                .kind = &value_column,
                .range = {.minimum = 0, .maximum = 65534}, /* a dataset has at most 65535 columns */
                .meaning = "The column to predict, by its name or its index from 0; by default the last."},
        {.path = "dataset.features",
                .kind = &value_columns,
                .range = {.minimum = 0, .maximum = 65534},
                .meaning = "The columns to predict from, by name or index; by default all others that hold numbers."},
        {.path = "dataset.missing",
                .kind = &value_word,
                .words = missing_words,
                .standard = "\"error\"",
                FIELD(dataset.missing),
                .meaning =
                        "Whether a row in which a value is missing stops the run (error) or is left out (skip_row)."},

        {.path = "workers",
                .kind = &value_integer,
                .words = auto_words,
                .range = {.minimum = 1, .maximum = 4096}, /* far more processes than processors */
                .standard = "\"auto\"",
                FIELD(workers),
                .meaning = "The number of worker processes; auto chooses it."},

        {.path = "training", .meaning = "How the model is fitted."},
        {.path = "training.optimizer",
                .kind = &value_word,
                .words = optimizer_words,
                .standard = "\"gradient_descent\"",
                FIELD(training.optimizer),
                .meaning = "The method by which the parameters are found."},
        {.path = "training.learning_rate",
                .kind = &value_rate,
                .words = auto_words,
                .range = {.minimum = 0, .maximum = INFINITY, .above_minimum = true},
                .standard = "\"auto\"",
                .meaning = "The step size; auto takes a step that does not diverge."},
        {.path = "training.epochs",
                .kind = &value_integer,
                .range = {.minimum = 0, .maximum = 4294967295.0}, /* a frame has 32 bits for it */
                .standard = "1000",
                FIELD(training.epochs),
                .meaning = "The most steps that are taken, each over the whole dataset."},
        {.path = "training.tolerance",
                .kind = &value_number,
                .range = {.minimum = 0, .maximum = INFINITY},
                .standard = "1e-9",
                FIELD(training.tolerance),
                .meaning = "Stops when no component of the standardised gradient is larger; 0 never stops early."},
        {.path = "training.standardize",
                .kind = &value_word,
                .words = switch_words,
                .standard = "true",
                FIELD(training.standardize),
                .meaning = "Trains on columns of mean 0 and deviation 1; results are in the data's units anyway."},
        {.path = "training.aggregation",
                .kind = &value_word,
                .words = aggregation_words,
                .standard = "\"mean\"",
                FIELD(training.aggregation),
                .meaning = "The gradient of the whole dataset (mean), or those of the workers averaged or summed."},
        {.path = "training.initial", .meaning = "Where training starts."},
        {.path = "training.initial.w",
                .kind = &value_weights,
                .range = {.minimum = -INFINITY, .maximum = INFINITY},
                .meaning = "A weight for each feature, in the data's units; by default all 0."},
        {.path = "training.initial.b",
                .kind = &value_number,
                .range = {.minimum = -INFINITY, .maximum = INFINITY},
                .standard = "0",
                FIELD(training.initial_b),
                .meaning = "The intercept, in the data's units."},

        {.path = "recovery", .meaning = "What is done when a worker is lost."},
        {.path = "recovery.policy",
                .kind = &value_word,
                .words = policy_words,
                .standard = "\"respawn\"",
                FIELD(recovery.policy),
                .meaning =
                        "Fork a replacement (respawn), let the survivors share the rows (redistribute), go on without "
                        "the rows (drop), or end the run (abort)."},
        {.path = "recovery.worker_timeout_s",
                .kind = &value_number,
                .range = {.minimum = 0.001, .maximum = 86400}, /* a millisecond, poll's unit, to a day */
                .standard = "30",
                FIELD(recovery.worker_timeout_s),
                .meaning = "A worker that stays silent for so many seconds counts as lost."},
        {.path = "recovery.max_restarts",
                .kind = &value_integer,
                .range = {.minimum = 0, .maximum = 1000000}, /* their times are kept, eight bytes each */
                .standard = "5",
                FIELD(recovery.max_restarts),
                .meaning = "More restarts than this within restart_window_s end the run."},
        {.path = "recovery.restart_window_s",
                .kind = &value_number,
                .range = {.minimum = 0.001, .maximum = 86400},
                .standard = "10",
                FIELD(recovery.restart_window_s),
                .meaning = "The seconds within which restarts are counted."},
        {.path = "recovery.backup_after",
                .kind = &value_number,
                .range = {.minimum = 0, .maximum = 1000000},
                .standard = "0",
                FIELD(recovery.backup_after),
                .meaning = "A worker slower than so many times the median gets a backup; 0: none."},
        {.path = "recovery.replicas",
                .kind = &value_integer,
                .range = {.minimum = 1, .maximum = 3},
                .standard = "1",
                FIELD(recovery.replicas),
                .meaning = "Workers that compute each chunk and must agree: 2 detect one that lies, 3 outvote it."},
        {.path = "recovery.allow_degraded",
                .kind = &value_word,
                .words = switch_words,
                .standard = "false",
                FIELD(recovery.allow_degraded),
                .meaning = "With the policy drop: a result that lacks rows is a success."},

        {.path = "isolation", .meaning = "What workers are kept from, so that a fault in one stays in it."},
        {.path = "isolation.enabled",
                .kind = &value_word,
                .words = switch_words,
                .standard = "true",
                FIELD(isolation.enabled),
                .meaning = "Takes all system calls from workers but those that they need, where the kernel can."},
        {.path = "isolation.max_memory_mb",
                .kind = &value_integer,
                .words = null_words,
                .range = {.minimum = 1, .maximum = 134217728}, /* all 47 bits of a process's addresses */
                .standard = "null",
                FIELD(isolation.max_memory_mb),
                .meaning = "So many MiB a worker may allocate and map; null: as much as there is."},
        {.path = "isolation.max_cpu_s",
                .kind = &value_integer,
                .words = null_words,
                .range = {.minimum = 1, .maximum = 31536000}, /* a year */
                .standard = "null",
                FIELD(isolation.max_cpu_s),
                .meaning = "So many seconds of processor time a worker may use; null: any."},

        {.path = "checkpoint", .meaning = "The state of training in a file, from which --resume goes on."},
        {.path = "checkpoint.path",
                .kind = &value_path,
                .words = null_words,
                .standard = "null",
                FIELD(checkpoint.given_path),
                .meaning = "The file for it, relative to this configuration; null: none. The one before is kept as "
                           "<path>.previous."},
        {.path = "checkpoint.every_epochs",
                .kind = &value_integer,
                .range = {.minimum = 1, .maximum = 4294967295.0},
                .standard = "100",
                FIELD(checkpoint.every_epochs),
                .meaning = "It is written after every so many epochs, and when training ends."},

        {.path = "faults",
                .kind = &value_faults,
                .standard = "[]",
                .meaning = "Faults that are made to happen, to see them survived."},
        {.path = "chaos", .meaning = "Faults by chance, the same for the same seed."},
        {.path = "chaos.seed",
                .kind = &value_integer,
                .range = {.minimum = 0, .maximum = 4294967295.0}, /* as much as one notes down */
                .standard = "1",
                FIELD(chaos.seed),
                .meaning = "Which faults by chance; also for those with a probability."},
        {.path = "chaos.rate",
                .kind = &value_number,
                .range = {.minimum = 0, .maximum = 1},
                .standard = "0",
                FIELD(chaos.rate),
                .meaning = "The probability of a fault at each of a worker's sites in each epoch; 0: none."},
        {.path = "chaos.kinds",
                .kind = &value_kinds,
                .standard = "[\"kill\"]",
                .meaning = "The kinds of faults that chance chooses from, where they make sense."},

        {.path = "output", .meaning = "The files to write."},
        {.path = "output.model",
                .kind = &value_path,
                .words = null_words,
                .standard = "null",
                FIELD(output.given_model),
                .meaning = "The file for the fitted model, relative to this configuration; null: none."},
        {.path = "output.events",
                .kind = &value_path,
                .words = null_words,
                .standard = "null",
                FIELD(output.given_events),
                .meaning = "The file for the log of events, relative to this configuration; null: none."},
        {.path = "output.trace",
                .kind = &value_path,
                .words = null_words,
                .standard = "null",
                FIELD(output.given_trace),
                .meaning = "The file for a timeline of all processes, relative to this configuration; null: none."},
        {.path = "output.report",
                .kind = &value_path,
                .words = null_words,
                .standard = "null",
                FIELD(output.given_report),
                .meaning = "The file for a page that shows the run, relative to this configuration; null: none."},
        {.path = "output.faults",
                .kind = &value_path,
                .words = null_words,
                .standard = "null",
                FIELD(output.given_faults),
                .meaning = "The file for the faults that happened, as a list that repeats them; null: none."},
};

enum { KEY_COUNT = sizeof config_keys / sizeof *config_keys };
const size_t config_key_count = KEY_COUNT;

const char *config_key_name(const struct config_key *key)
{
	const char *dot = strrchr(key->path, '.');
	return dot ? dot + 1 : key->path;
}

/* The object the key is in; NULL: the top level. */
static const struct config_key *parent_of(const struct config_key *key)
{
	const char *name = config_key_name(key);
	if (name == key->path)
		return NULL;
	size_t length = (size_t)(name - key->path) - 1;
	const struct config_key *parent = key - 1; /* it comes before its keys */
	while (strlen(parent->path) != length || strncmp(parent->path, key->path, length) != 0)
		parent--;
	return parent;
}

const struct config_key *config_key_find(const struct config_key *parent, const char *name)
{
	for (size_t i = 0; i < config_key_count; i++) {
		if (parent_of(&config_keys[i]) == parent && strcmp(config_key_name(&config_keys[i]), name) == 0)
			return &config_keys[i];
	}
	return NULL;
}

const struct key_path *config_key_path(const struct config_key *key, struct key_path steps[CONFIG_KEY_STEPS])
{
	for (struct key_path *step = steps; key; step++) {
		const struct config_key *parent = parent_of(key);
		*step = (struct key_path){.parent = parent ? step + 1 : NULL, .key = config_key_name(key)};
		key = parent;
	}
	return steps;
}

/* Collects the names of the keys in `parent`, or of all that have values if `everywhere`. */
static size_t collect_names(const struct config_key *parent, bool everywhere, const char *names[KEY_COUNT])
{
	size_t count = 0;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		if (everywhere ? key->kind != NULL : parent_of(key) == parent)
			names[count++] = config_key_name(key);
	}
	return count;
}

/* The key that was meant but is in another object; by its whole path too, which --set takes. NULL: none. */
static const struct config_key *find_elsewhere(const char *name)
{
	const char *names[KEY_COUNT];
	size_t count = collect_names(NULL, true, names);
	const char *meant = spelling_nearest(name, names, count);
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		if (strcmp(key->path, name) == 0 || (key->kind && meant && strcmp(config_key_name(key), meant) == 0))
			return key;
	}
	return NULL;
}

static void describe_elsewhere(const struct config_key *key, const char *written, struct phrase *phrase)
{
	const struct config_key *parent = parent_of(key);
	if (!parent)
		phrase_add(phrase, "; did you mean \"%s\" at the top level?", key->path);
	else if (strcmp(key->path, written) == 0)
		phrase_add(phrase, "; put \"%s\" into the object \"%s\"", config_key_name(key), parent->path);
	else
		phrase_add(phrase, "; did you mean \"%s\"?", key->path);
}

void config_key_describe_unknown(const struct config_key *parent, const char *name, struct phrase *phrase)
{
	const char *names[KEY_COUNT];
	size_t count = collect_names(parent, false, names);
	const char *sibling = spelling_nearest(name, names, count);
	const struct config_key *elsewhere = sibling ? NULL : find_elsewhere(name);
	phrase_add(phrase, "unknown key");
	if (sibling)
		phrase_add(phrase, "; did you mean \"%s\"?", sibling);
	else if (elsewhere)
		describe_elsewhere(elsewhere, name, phrase);
	for (size_t i = 0; i < count && !sibling && !elsewhere; i++)
		phrase_add(phrase, "%s\"%s\"", i == 0 ? ", expected " : i + 1 < count ? ", " : " or ", names[i]);
}

static const char *word_for(const struct config_word *words, unsigned number)
{
	while (words->text && words->number != number)
		words++;
	return words->text;
}

const char *aggregation_name(enum aggregation aggregation)
{
	return word_for(aggregation_words, aggregation);
}

const char *optimizer_name(enum optimizer_kind optimizer)
{
	return word_for(optimizer_words, optimizer);
}
