#include "common/npy.h"

#include "tests/unit/guard_page.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(npy, .timeout = 60);

enum { BYTES_MAX = 1024 };

/* A header as it lies in a file. */
struct file_head {
	unsigned char bytes[BYTES_MAX];
	size_t length;
};

static struct file_head head_of(int version, const char *text)
{
	struct file_head head = {{0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0}, 0};
	size_t length = strlen(text);
	size_t length_bytes = version == 1 ? 2 : 4;
	cr_assert(8 + 4 + length <= sizeof head.bytes);
	for (size_t i = 0; i < length_bytes; i++)
		head.bytes[8 + i] = (unsigned char)(length >> 8 * i);
	memcpy(head.bytes + 8 + length_bytes, text, length);
	head.length = 8 + length_bytes + length;
	return head;
}

struct parsed {
	const char *problem;
	struct npy_header header;
	size_t needed;
};

static struct parsed parse(int version, const char *text)
{
	struct file_head head = head_of(version, text);
	struct parsed parsed;
	parsed.problem = npy_header_parse(head.bytes, head.length, &parsed.header, &parsed.needed);
	return parsed;
}

static void expect_f8_3_by_2(const struct parsed *parsed, const char *what)
{
	cr_assert_null(parsed->problem, "%s: %s", what, parsed->problem);
	cr_expect_str_eq(parsed->header.descr, "<f8", "%s", what);
	cr_expect(!parsed->header.fortran_order, "%s", what);
	cr_expect(parsed->header.dimensions == 2 && parsed->header.shape[0] == 3 && parsed->header.shape[1] == 2, "%s",
	        what);
	cr_expect_eq(parsed->header.data_offset, parsed->needed, "%s", what);
}

static const char usual[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }";

Test(npy, reads_what_numpy_writes)
{
	/* The 128 bytes in front of the data of np.save("a.npy", np.zeros((3, 2))). */
	static const char bytes[] = "\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }"
	                            "                                                          \n";
	struct parsed parsed;
	parsed.problem =
	        npy_header_parse((const unsigned char *)bytes, sizeof bytes - 1, &parsed.header, &parsed.needed);
	expect_f8_3_by_2(&parsed, "numpy's");
	cr_expect_eq(parsed.needed, 128);
}

Test(npy, reads_the_three_versions)
{
	static const size_t prefix[] = {0, 10, 12, 12};
	for (int version = 1; version <= 3; version++) {
		struct parsed parsed = parse(version, usual);
		expect_f8_3_by_2(&parsed, "usual");
		cr_expect_eq(parsed.needed, prefix[version] + strlen(usual), "version %d", version);
	}
}

Test(npy, reads_keys_and_spaces_in_any_order_and_number)
{
	static const char texts[][100] = {
	        "{'descr': '<f8', 'shape': (3, 2), 'fortran_order': False}",
	        "{'fortran_order': False, 'descr': '<f8', 'shape': (3, 2)}",
	        "{'fortran_order': False, 'shape': (3, 2), 'descr': '<f8'}",
	        "{'shape': (3, 2), 'descr': '<f8', 'fortran_order': False}",
	        "{'shape': (3, 2), 'fortran_order': False, 'descr': '<f8'}",
	        "{'descr':'<f8','fortran_order':False,'shape':(3,2)}",
	        "{ 'descr' : '<f8' , 'fortran_order' : False , 'shape' : ( 3 , 2 , ) , } \n",
	        "\t{\r\n'descr':\t'<f8',\n'fortran_order':\nFalse,\n'shape':\n(3\n,\n2)\n}\n\n",
	        "{\"descr\": \"<f8\", \"fortran_order\": False, \"shape\": (3, 2)}",
	        "{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 2L)}",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct parsed parsed = parse(1, texts[i]);
		expect_f8_3_by_2(&parsed, texts[i]);
	}
}

Test(npy, reads_fortran_order)
{
	struct parsed parsed = parse(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2)}");
	cr_assert_null(parsed.problem);
	cr_expect(parsed.header.fortran_order);
}

Test(npy, tells_the_dtype_as_it_stands)
{
	static const char descrs[][16] = {"<f8", "<f4", ">f8", "<i4", "|b1", "<U17", "|O", ""};
	for (size_t i = 0; i < sizeof descrs / sizeof *descrs; i++) {
		char text[BYTES_MAX];
		snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (3, 2)}", descrs[i]);
		struct parsed parsed = parse(1, text);
		cr_assert_null(parsed.problem, "%s", descrs[i]);
		cr_expect_str_eq(parsed.header.descr, descrs[i]);
	}
}

Test(npy, cuts_a_dtype_that_is_too_long)
{
	char text[300], descr[150];
	memset(descr, 'f', sizeof descr);
	snprintf(text, sizeof text, "{'descr': '%.149s', 'fortran_order': False, 'shape': (3, 2)}", descr);
	struct parsed parsed = parse(1, text);
	cr_assert_null(parsed.problem);
	cr_expect_eq(strlen(parsed.header.descr), sizeof parsed.header.descr - 1);
}

Test(npy, has_no_dtype_for_a_structured_one)
{
	static const char descrs[][64] = {
	        "[('x', '<f8'), ('y', '<f8')]", "[]", "[('p', [('x', '<f4')]), ('q', '<f8', (2,))]"};
	for (size_t i = 0; i < sizeof descrs / sizeof *descrs; i++) {
		char text[BYTES_MAX];
		snprintf(text, sizeof text, "{'descr': %s, 'fortran_order': False, 'shape': (3, 2)}", descrs[i]);
		struct parsed parsed = parse(2, text);
		cr_assert_null(parsed.problem, "%s: %s", descrs[i], parsed.problem);
		cr_expect_str_empty(parsed.header.descr);
		cr_expect(parsed.header.dimensions == 2 && parsed.header.shape[1] == 2);
	}
}

Test(npy, reads_shapes)
{
	static const struct {
		char text[48];
		uint32_t dimensions;
		uint64_t shape[3];
	} cases[] = {
	        {"()", 0, {0}},
	        {"(3,)", 1, {3}},
	        {"(0,)", 1, {0}},
	        {"(0, 5)", 2, {0, 5}},
	        {"(2, 3, 4)", 3, {2, 3, 4}},
	        {"(007, 1)", 2, {7, 1}},
	        {"(18446744073709551615, 1)", 2, {UINT64_MAX, 1}},
	        {"(18446744073709551615L,)", 1, {UINT64_MAX}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[BYTES_MAX];
		snprintf(text, sizeof text, "{'descr': '<f8', 'fortran_order': False, 'shape': %s}", cases[i].text);
		struct parsed parsed = parse(1, text);
		cr_assert_null(parsed.problem, "%s", cases[i].text);
		cr_expect_eq(parsed.header.dimensions, cases[i].dimensions, "%s", cases[i].text);
		cr_expect_arr_eq(parsed.header.shape, cases[i].shape, sizeof cases[i].shape, "%s", cases[i].text);
	}
}

static struct parsed parse_dimensions(unsigned dimensions)
{
	char text[BYTES_MAX] = "{'descr': '<f8', 'fortran_order': False, 'shape': (";
	for (unsigned i = 0; i < dimensions; i++)
		strcat(text, "2, ");
	strcat(text, ")}");
	return parse(1, text);
}

Test(npy, reads_64_dimensions_and_no_more)
{
	struct parsed parsed = parse_dimensions(NPY_DIMENSIONS_MAX);
	cr_assert_null(parsed.problem);
	cr_expect_eq(parsed.header.dimensions, NPY_DIMENSIONS_MAX);
	cr_expect_eq(parsed.header.shape[NPY_DIMENSIONS_MAX - 1], 2);
	cr_expect_not_null(parse_dimensions(NPY_DIMENSIONS_MAX + 1).problem);
}

Test(npy, says_what_is_wrong)
{
	static const struct {
		char text[120];
		char problem[80];
	} cases[] = {
	        {"", "the header is not a dictionary"},
	        {"[]", "the header is not a dictionary"},
	        {"{", "the header is not a dictionary"},
	        {"{descr: '<f8'}", "the header is not a dictionary"},
	        {"{'descr' '<f8'}", "the header is not a dictionary"},
	        {"{'descr': '<f8' 'fortran_order': False}", "the header is not a dictionary"},
	        {"{'descr': '<f8',, 'fortran_order': False}", "the header is not a dictionary"},
	        {"{}", "the header lacks one of 'descr', 'fortran_order' and 'shape'"},
	        {"{'descr': '<f8', 'shape': (3, 2)}", "the header lacks one of 'descr', 'fortran_order' and 'shape'"},
	        {"{'descr': '<f8', 'fortran_order': False}",
	                "the header lacks one of 'descr', 'fortran_order' and 'shape'"},
	        {"{'fortran_order': False, 'shape': (3, 2)}",
	                "the header lacks one of 'descr', 'fortran_order' and 'shape'"},
	        {"{'descr': 8}", "the header's 'descr' cannot be read"},
	        {"{'descr': '<f8}", "the header's 'descr' cannot be read"},
	        {"{'descr': [('x', '<f8')}", "the header's 'descr' cannot be read"},
	        {"{'fortran_order': 0}", "the header's 'fortran_order' is neither True nor False"},
	        {"{'fortran_order': false}", "the header's 'fortran_order' is neither True nor False"},
	        {"{'fortran_order': Tru", "the header's 'fortran_order' is neither True nor False"},
	        {"{'shape': 3}", "the header's 'shape' is not a tuple of lengths"},
	        {"{'shape': [3, 2]}", "the header's 'shape' is not a tuple of lengths"},
	        {"{'shape': (3 2)}", "the header's 'shape' is not a tuple of lengths"},
	        {"{'shape': (,)}", "the header's 'shape' is not a tuple of lengths"},
	        {"{'shape': (3,,2)}", "the header's 'shape' is not a tuple of lengths"},
	        {"{'shape': (-3, 2)}", "the header's 'shape' is not a tuple of lengths"},
	        {"{'shape': (3.0, 2)}", "the header's 'shape' is not a tuple of lengths"},
	        {"{'shape': (L, 2)}", "the header's 'shape' is not a tuple of lengths"},
	        {"{'shape': (18446744073709551616, 1)}", "the header's 'shape' is not a tuple of lengths"},
	        {"{'shape': (99999999999999999999999, 1)}", "the header's 'shape' is not a tuple of lengths"},
	        {"{'shape': (3, 2", "the header's 'shape' is not a tuple of lengths"},
	        {"{'order': False}", "the header has a key that is not 'descr', 'fortran_order' or 'shape'"},
	        {"{'': False}", "the header has a key that is not 'descr', 'fortran_order' or 'shape'"},
	        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2)} x",
	                "there is text behind the header's dictionary"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct parsed parsed = parse(1, cases[i].text);
		cr_assert_not_null(parsed.problem, "%s", cases[i].text);
		cr_expect_str_eq(parsed.problem, cases[i].problem, "%s", cases[i].text);
	}
}

Test(npy, knows_a_file_that_is_none)
{
	static const struct {
		size_t at;
		unsigned char byte;
		char problem[80];
	} cases[] = {
	        {0, 'x', "the file does not start with the magic of an npy file"},
	        {5, 'y', "the file does not start with the magic of an npy file"},
	        {6, 0, "the npy format's version is not 1.0, 2.0 or 3.0"},
	        {6, 4, "the npy format's version is not 1.0, 2.0 or 3.0"},
	        {7, 1, "the npy format's version is not 1.0, 2.0 or 3.0"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct file_head head = head_of(1, usual);
		struct parsed parsed;
		head.bytes[cases[i].at] = cases[i].byte;
		parsed.problem = npy_header_parse(head.bytes, head.length, &parsed.header, &parsed.needed);
		cr_assert_not_null(parsed.problem);
		cr_expect_str_eq(parsed.problem, cases[i].problem);
	}
}

Test(npy, asks_for_more_of_a_header_that_is_cut_anywhere)
{
	struct guard_page guard = guard_page_new(BYTES_MAX);
	for (int version = 1; version <= 3; version++) {
		struct file_head head = head_of(version, usual);
		for (size_t length = 0; length < head.length; length++) {
			struct npy_header header;
			size_t needed = 0;
			const char *cut = guard_page_place(&guard, (const char *)head.bytes, length);
			cr_assert_not_null(npy_header_parse((const unsigned char *)cut, length, &header, &needed));
			cr_expect(needed > length && needed <= head.length, "version %d, %zu bytes: %zu", version,
			        length, needed);
			if (length >= 12)
				cr_expect_eq(needed, head.length);
		}
	}
	guard_page_free(&guard);
}

Test(npy, believes_no_length_it_has_not_got)
{
	struct file_head head = head_of(2, usual);
	struct npy_header header;
	size_t needed;
	memset(head.bytes + 8, 0xFF, 4);
	cr_expect_not_null(npy_header_parse(head.bytes, head.length, &header, &needed));
	cr_expect_eq(needed, 12 + (size_t)UINT32_MAX);
}

/* Replaces, inserts or leaves out a byte or two. */
static void mutate(uint64_t *state, struct file_head *head)
{
	static const char likely[] = "{}()[]',:\"L0123456789 <f8>TrueFalse\n";
	for (unsigned changes = 1 + random_below(state, 2); changes > 0; changes--) {
		size_t at = 8 + random_below(state, (unsigned)head->length - 8);
		switch (random_below(state, 4)) {
		case 0:
			head->bytes[at] = (unsigned char)random_next(state);
			break;
		case 1:
			head->bytes[at] = (unsigned char)likely[random_below(state, sizeof likely - 1)];
			break;
		case 2:
			memmove(head->bytes + at, head->bytes + at + 1, head->length - at - 1);
			break;
		default:
			memmove(head->bytes + at + 1, head->bytes + at, head->length - at - 1);
			break;
		}
	}
}

Test(npy, survives_headers_with_random_changes)
{
	static const char *const texts[] = {
	        usual, "{'shape': (2, 3, 4), 'descr': [('x', '<f8')], 'fortran_order': True}"};
	enum { CASES = 200000 };
	struct guard_page guard = guard_page_new(BYTES_MAX);
	uint64_t state = 1;
	int taken = 0;
	for (int i = 0; i < CASES; i++) {
		struct file_head head = head_of(1 + i % 3, texts[random_below(&state, 2)]);
		struct npy_header header;
		size_t needed;
		mutate(&state, &head);
		size_t length =
		        random_below(&state, 8) == 0 ? random_below(&state, (unsigned)head.length) : head.length;
		const char *at = guard_page_place(&guard, (const char *)head.bytes, length);
		const char *problem = npy_header_parse((const unsigned char *)at, length, &header, &needed);
		if (problem != NULL) {
			cr_assert(strlen(problem) > 0);
			continue;
		}
		taken++;
		cr_assert(header.dimensions <= NPY_DIMENSIONS_MAX && header.data_offset == needed && needed <= length &&
		          memchr(header.descr, '\0', sizeof header.descr) != NULL);
	}
	cr_expect(taken > CASES / 50 && taken < CASES / 2, "%d of %d", taken, CASES);
	guard_page_free(&guard);
}
