/* The kinds of values that are lists of faults. */
#include "coordinator/config_faults.h"

#include "coordinator/config_value.h"
#include "coordinator/json_text.h"
#include "coordinator/spelling.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A member of a fault that is a number. */
struct member {
	const char *name;
	double minimum, maximum;
	bool real;          /* else an integer */
	const char *word;   /* that stands for FAULT_ANY, or NULL */
	unsigned parameter; /* the kind must take it; 0: all do */
	bool workers;       /* only where there is a worker */
	size_t offset;
};

/* 2³² - 1 stands for FAULT_ANY. */
#define LARGEST 4294967294.0

#define AT(name) offsetof(struct fault, name)
static const struct member members[] = {
        {"worker", 0, 4095, false, "any", 0, true, AT(worker)}, /* as many as `workers` allows */
        {"incarnation", 0, LARGEST, false, "any", 0, true, AT(incarnation)},
        {"epoch", 0, LARGEST, false, "any", 0, false, AT(epoch)},
        {"skip", 0, LARGEST, false, NULL, 0, false, AT(skip)},
        {"times", 1, LARGEST, false, "any", 0, false, AT(times)},
        {"p", 0, 1, true, NULL, 0, false, AT(p)},
        {"byte", 0, LARGEST, false, NULL, TAKES_BYTE, false, AT(byte)},
        {"bit", 0, 7, false, NULL, TAKES_BIT, false, AT(bit)},
        {"ms", 0, 86400000, false, NULL, TAKES_MS, false, AT(ms)}, /* a day */
        {"factor", 1, 1e6, true, NULL, TAKES_FACTOR, false, AT(factor)},
        {"code", 0, 255, false, NULL, TAKES_CODE, false, AT(code)},
};
enum { MEMBER_COUNT = sizeof members / sizeof *members, NAME_COUNT = MEMBER_COUNT + 2 };

static void store(const struct member *member, struct fault *fault, double number)
{
	char *place = (char *)fault + member->offset;
	uint32_t integer = member->real ? 0 : (uint32_t)number;
	if (member->real)
		memcpy(place, &number, sizeof number);
	else
		memcpy(place, &integer, sizeof integer);
}

static double stored(const struct member *member, const struct fault *fault)
{
	const char *place = (const char *)fault + member->offset;
	double number;
	uint32_t integer;
	if (member->real) {
		memcpy(&number, place, sizeof number);
		return number;
	}
	memcpy(&integer, place, sizeof integer);
	return integer;
}

/* Reading. */

static enum value_status wrong_member(const char *name, struct value_problem *problem)
{
	problem->member = name;
	return VALUE_WRONG;
}

/* Ends "expected …" with what was found. */
static enum value_status found_instead(const char *name, json_t *value, struct value_problem *problem)
{
	char *text = json_text(value, false);
	if (text == NULL)
		return VALUE_NO_MEMORY;
	phrase_add(&problem->what, ", found ");
	phrase_add_excerpt(&problem->what, text, strlen(text));
	free(text);
	return wrong_member(name, problem);
}

static void list_names(const char *const *names, size_t count, struct phrase *phrase)
{
	for (size_t i = 0; i < count; i++)
		phrase_add(phrase, "%s\"%s\"", i == 0 ? "" : i + 1 < count ? ", " : " or ", names[i]);
}

/* What a name can be, and what that is called. */
struct choice {
	const char *what; /* "a kind of fault" */
	const char *names[FAULT_KIND_COUNT];
	size_t count;
};
_Static_assert((int)FAULT_KIND_COUNT >= (int)FAULT_SITE_COUNT, "sites are chosen from too");

/* Is the value one of the names? *index: which. If not, what is wrong is told of the member; NULL: of the element. */
static enum value_status read_name(
        const char *member, json_t *value, const struct choice *choice, size_t *index, struct value_problem *problem)
{
	const char *text = json_string_value(value);
	for (*index = 0; text != NULL && *index < choice->count; ++*index)
		if (strcmp(text, choice->names[*index]) == 0)
			return VALUE_OK;
	const char *meant = text != NULL ? spelling_nearest(text, choice->names, choice->count) : NULL;
	phrase_add(&problem->what, "expected %s", choice->what);
	if (meant == NULL) {
		phrase_add(&problem->what, " (");
		list_names(choice->names, choice->count, &problem->what);
		phrase_add(&problem->what, ")");
	}
	enum value_status status = found_instead(member, value, problem);
	if (meant != NULL)
		phrase_add(&problem->what, "; did you mean \"%s\"?", meant);
	return status;
}

static enum value_status read_kind(json_t *object, struct fault *fault, struct value_problem *problem)
{
	struct choice kinds = {.what = "a kind of fault", .count = FAULT_KIND_COUNT};
	size_t index;
	json_t *value = json_object_get(object, "kind");
	for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++)
		kinds.names[kind] = fault_kind_name((enum fault_kind)kind);
	if (value == NULL) {
		phrase_add(&problem->what, "required key is missing");
		return wrong_member("kind", problem);
	}
	enum value_status status = read_name("kind", value, &kinds, &index, problem);
	if (status == VALUE_OK)
		*fault = fault_default((enum fault_kind)index);
	return status;
}

static enum value_status read_site(json_t *object, struct fault *fault, struct value_problem *problem)
{
	char what[64];
	struct choice choice = {.what = what};
	enum fault_site sites[FAULT_SITE_COUNT];
	size_t index;
	json_t *value = json_object_get(object, "site");
	if (value == NULL)
		return VALUE_OK;
	snprintf(what, sizeof what, "a site of \"%s\"", fault_kind_name(fault->kind));
	for (unsigned site = 0; site < FAULT_SITE_COUNT; site++) {
		if ((fault_kind_sites(fault->kind) >> site & 1) == 0)
			continue;
		choice.names[choice.count] = fault_site_name((enum fault_site)site);
		sites[choice.count++] = (enum fault_site)site;
	}
	enum value_status status = read_name("site", value, &choice, &index, problem);
	if (status == VALUE_OK)
		fault->site = sites[index];
	return status;
}

/* Does the member make sense for this kind at this site? */
static bool makes_sense(const struct member *member, const struct fault *fault)
{
	if (member->workers)
		return fault_site_has_worker(fault->site);
	if (member->parameter == 0)
		return true;
	if ((fault_kind_parameters(fault->kind) & member->parameter) == 0)
		return false;
	return (member->parameter != TAKES_BYTE || fault_site_has_frame(fault->site)) &&
	       (member->parameter != TAKES_FACTOR || fault->site == SITE_COMPUTE);
}

static enum value_status read_number(
        const struct member *member, json_t *value, struct fault *fault, struct value_problem *problem)
{
	double number = json_number_value(value);
	bool is_word =
	        member->word != NULL && json_is_string(value) && strcmp(json_string_value(value), member->word) == 0;
	bool is_number = member->real ? json_is_number(value) : json_is_integer(value);
	if (!makes_sense(member, fault)) {
		phrase_add(&problem->what, "\"%s\" at \"%s\" takes none", fault_kind_name(fault->kind),
		        fault_site_name(fault->site));
		return wrong_member(member->name, problem);
	}
	if (!is_word && (!is_number || number < member->minimum || number > member->maximum)) {
		phrase_add(&problem->what, "expected ");
		if (member->word != NULL)
			phrase_add(&problem->what, "\"%s\" or ", member->word);
		phrase_add(&problem->what, "%s from %.15g to %.15g", member->real ? "a number" : "an integer",
		        member->minimum, member->maximum);
		return found_instead(member->name, value, problem);
	}
	store(member, fault, is_word ? FAULT_ANY : number);
	return VALUE_OK;
}

static const struct member *find_member(const char *name)
{
	for (size_t i = 0; i < MEMBER_COUNT; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

static enum value_status refuse_unknown(const char *name, struct value_problem *problem)
{
	const char *names[NAME_COUNT] = {"kind", "site"};
	for (size_t i = 0; i < MEMBER_COUNT; i++)
		names[i + 2] = members[i].name;
	const char *meant = spelling_nearest(name, names, NAME_COUNT);
	phrase_add(&problem->what, "unknown key");
	if (meant != NULL) {
		phrase_add(&problem->what, "; did you mean \"%s\"?", meant);
	} else {
		phrase_add(&problem->what, ", expected ");
		list_names(names, NAME_COUNT, &problem->what);
	}
	return wrong_member(name, problem);
}

static enum value_status read_fault(json_t *object, struct fault *fault, struct value_problem *problem)
{
	const char *name;
	json_t *value;
	enum value_status status = read_kind(object, fault, problem);
	if (status == VALUE_OK)
		status = read_site(object, fault, problem);
	if (status != VALUE_OK)
		return status;
	/* Who gives a probability means every occasion. */
	if (json_object_get(object, "p") != NULL)
		fault->times = FAULT_ANY;
	json_object_foreach(object, name, value)
	{
		const struct member *member = find_member(name);
		if (strcmp(name, "kind") == 0 || strcmp(name, "site") == 0)
			continue;
		status = member == NULL ? refuse_unknown(name, problem) : read_number(member, value, fault, problem);
		if (status != VALUE_OK)
			return status;
	}
	return VALUE_OK;
}

static enum value_status read_faults(
        const struct config_key *key, json_t *array, struct config *config, struct value_problem *problem)
{
	size_t index;
	json_t *element;
	if (!json_is_array(array))
		return value_wrong(key, array, problem);
	config->faults = calloc(json_array_size(array) + 1, sizeof *config->faults);
	if (config->faults == NULL)
		return VALUE_NO_MEMORY;
	json_array_foreach(array, index, element)
	{
		problem->in_element = true;
		problem->element = index;
		if (!json_is_object(element)) {
			phrase_add(&problem->what, "expected an object");
			return found_instead(NULL, element, problem);
		}
		enum value_status status = read_fault(element, &config->faults[index], problem);
		if (status != VALUE_OK)
			return status;
		config->fault_count = index + 1;
	}
	problem->in_element = false;
	return VALUE_OK;
}

/* Writing. */

/* False: no memory. */
static bool put(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0;
}

/* What a reader takes for granted. */
static bool is_left_out(const struct member *member, const struct fault *fault)
{
	switch (member->offset) {
	case AT(skip):
		return fault->skip == 0;
	case AT(times): /* but a probability changes what it is by default */
		return fault->times == 1 && fault->p >= 1.0;
	case AT(p):
		return fault->p >= 1.0;
	case AT(factor):
		return fault->factor < member->minimum;
	default:
		return false;
	}
}

static bool put_member(json_t *object, const struct member *member, const struct fault *fault)
{
	double value = stored(member, fault);
	bool is_any = !member->real && value >= FAULT_ANY;
	if (!makes_sense(member, fault) || (is_any && member->word == NULL))
		return true;
	if (is_left_out(member, fault))
		return true;
	return put(object, member->name, is_any ? json_string(member->word) : json_text_number(value));
}

static json_t *fault_to_json(const struct fault *fault)
{
	json_t *object = json_object();
	bool ok = object != NULL && put(object, "kind", json_string(fault_kind_name(fault->kind))) &&
	          put(object, "site", json_string(fault_site_name(fault->site)));
	for (size_t i = 0; ok && i < MEMBER_COUNT; i++)
		ok = put_member(object, &members[i], fault);
	if (ok)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *faults_to_json(const struct fault *faults, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; array != NULL && i < count; i++) {
		if (json_array_append_new(array, fault_to_json(&faults[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static bool write_faults(const struct config_key *key, const struct config *config, json_t **value)
{
	(void)key;
	*value = faults_to_json(config->faults, config->fault_count);
	return *value != NULL;
}

const struct value_kind value_faults = {.name = "an array of objects", .read = read_faults, .write = write_faults};

char *config_faults_text(const struct fault *faults, size_t count)
{
	json_t *root = json_object();
	json_t *array = faults_to_json(faults, count);
	bool ok = root != NULL && array != NULL && json_object_set(root, "faults", array) == 0;
	char *text = ok ? json_text(root, true) : NULL;
	json_decref(array);
	json_decref(root);
	return text;
}

/* chaos.kinds: what can happen to a worker. */

static enum value_status read_kinds(
        const struct config_key *key, json_t *array, struct config *config, struct value_problem *problem)
{
	struct choice choice = {.what = "a kind of fault of workers"};
	enum fault_kind kinds[FAULT_KIND_COUNT];
	size_t index, which;
	json_t *element;
	if (json_array_size(array) == 0)
		return value_wrong(key, array, problem);
	for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
		if (!fault_site_is_workers(fault_kind_default_site((enum fault_kind)kind)))
			continue;
		choice.names[choice.count] = fault_kind_name((enum fault_kind)kind);
		kinds[choice.count++] = (enum fault_kind)kind;
	}
	json_array_foreach(array, index, element)
	{
		problem->in_element = true;
		problem->element = index;
		enum value_status status = read_name(NULL, element, &choice, &which, problem);
		if (status != VALUE_OK)
			return status;
		config->chaos.kinds |= UINT32_C(1) << kinds[which];
	}
	problem->in_element = false;
	return VALUE_OK;
}

static bool write_kinds(const struct config_key *key, const struct config *config, json_t **value)
{
	(void)key;
	json_t *array = json_array();
	for (unsigned kind = 0; array != NULL && kind < FAULT_KIND_COUNT; kind++) {
		if ((config->chaos.kinds >> kind & 1) == 0)
			continue;
		if (json_array_append_new(array, json_string(fault_kind_name((enum fault_kind)kind))) != 0) {
			json_decref(array);
			return false;
		}
	}
	*value = array;
	return array != NULL;
}

const struct value_kind value_kinds = {
        .name = "a non-empty array of kinds of faults", .read = read_kinds, .write = write_kinds};
