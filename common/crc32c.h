/* CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected; RFC 3720 appendix B.4), the checksum of a frame. Pure. */
#ifndef FORKFIT_COMMON_CRC32C_H
#define FORKFIT_COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what `crc` covers followed by these bytes; start with 0. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t length);

/* The same without special instructions, for tests and for processors that lack them. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t length);

#endif
