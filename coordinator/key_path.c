#include "coordinator/key_path.h"

#include <string.h>

bool key_path_equal(const struct key_path *one, const struct key_path *other)
{
	while (one && other) {
		if (!one->key != !other->key)
			return false;
		if (one->key ? strcmp(one->key, other->key) != 0 : one->index != other->index)
			return false;
		one = one->parent;
		other = other->parent;
	}
	return one == other;
}

static bool is_plain(const char *key)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$";
	size_t length = strlen(key);
	return length > 0 && length <= PHRASE_EXCERPT && strspn(key, plain) == length;
}

void key_path_describe(const struct key_path *path, struct phrase *phrase)
{
	if (!path)
		return;
	key_path_describe(path->parent, phrase);
	if (!path->key) {
		phrase_add(phrase, "[%zu]", path->index);
		return;
	}
	if (path->parent)
		phrase_add(phrase, ".");
	if (is_plain(path->key))
		phrase_add(phrase, "%s", path->key);
	else
		phrase_add_quoted(phrase, path->key);
}
