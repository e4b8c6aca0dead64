#include "common/crc32c.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(crc32c, .timeout = 20);

typedef uint32_t crc_function(uint32_t crc, const void *bytes, size_t length);

static crc_function *const functions[] = {crc32c, crc32c_portable};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static void expect_checksum(const void *bytes, size_t length, uint32_t expected)
{
	for (int i = 0; i < FUNCTIONS; i++)
		cr_expect_eq(functions[i](0, bytes, length), expected, "function %d, %zu bytes", i, length);
}

/* RFC 3720, appendix B.4, whose words are written there with the lowest byte first. */
Test(crc32c, has_the_values_of_rfc_3720)
{
	unsigned char bytes[32];
	memset(bytes, 0, sizeof bytes);
	expect_checksum(bytes, sizeof bytes, 0x8A9136AA);
	memset(bytes, 0xFF, sizeof bytes);
	expect_checksum(bytes, sizeof bytes, 0x62A8AB43);
	for (unsigned char i = 0; i < sizeof bytes; i++)
		bytes[i] = i;
	expect_checksum(bytes, sizeof bytes, 0x46DD794E);
	for (unsigned char i = 0; i < sizeof bytes; i++)
		bytes[i] = 31 - i;
	expect_checksum(bytes, sizeof bytes, 0x113FDB5C);
	static const unsigned char read_command[48] = {
	        0x01, 0xC0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
	expect_checksum(read_command, sizeof read_command, 0xD9963A56);
}

Test(crc32c, has_the_check_value_of_its_catalogue)
{
	expect_checksum("123456789", 9, 0xE3069283);
}

Test(crc32c, of_nothing_is_what_came_before)
{
	for (int i = 0; i < FUNCTIONS; i++) {
		cr_expect_eq(functions[i](0, "", 0), 0);
		cr_expect_eq(functions[i](0x12345678, "", 0), 0x12345678);
	}
}

/* Bit by bit, as the polynomial says. */
static uint32_t reference(const unsigned char *bytes, size_t length)
{
	uint32_t crc = 0xFFFFFFFF;
	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0x82F63B78 & (0U - (crc & 1)));
	}
	return ~crc;
}

Test(crc32c, is_the_same_with_and_without_special_instructions)
{
	enum { LENGTH_MAX = 300, ALIGNMENTS = 16 };
	unsigned char bytes[LENGTH_MAX + ALIGNMENTS];
	uint64_t state = 1;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)random_next(&state);
	for (size_t alignment = 0; alignment < ALIGNMENTS; alignment++)
		for (size_t length = 0; length <= LENGTH_MAX; length++)
			expect_checksum(bytes + alignment, length, reference(bytes + alignment, length));
}

Test(crc32c, goes_on_from_any_place)
{
	unsigned char bytes[100];
	uint64_t state = 2;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)random_next(&state);
	uint32_t whole = reference(bytes, sizeof bytes);
	for (size_t cut = 0; cut <= sizeof bytes; cut++)
		for (int i = 0; i < FUNCTIONS; i++)
			cr_expect_eq(functions[i](functions[i](0, bytes, cut), bytes + cut, sizeof bytes - cut), whole,
			        "cut at %zu", cut);
}
