/* SPDX-License-Identifier: MIT */
/*
 * disk -> media memory (O_DIRECT) -> host -> pool segments on the device ->
 * media memory -> host, in chunks that alternate between two streams.
 */
#define _GNU_SOURCE
#include "demo.h"

#include <acl/ops/acl_dvpp.h>
#include <aclkm/pool.h>
#include <aclkm/rules.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)
#define NR_STREAMS 2

/* What O_DIRECT wants of addresses and lengths on every disk. */
#define DIRECT_ALIGN ((size_t)4096)

static void digest(const void *mem, size_t len, char text[65])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int i, n = 0;

	EVP_Digest(mem, len, sum, &n, EVP_sha256(), NULL);
	for (i = 0; i < n && i < 32; i++)
		sprintf(text + 2 * i, "%02x", sum[i]);
}

/* Opens without the page cache, where the file system can; says which. */
static int open_file(const char *path, bool *direct)
{
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	*direct = fd >= 0;
	if (fd < 0 && errno == EINVAL)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd;
}

static int read_all(int fd, char *to, size_t len)
{
	size_t done = 0;

	while (done < len) {
		/* The last piece of a file is shorter than what O_DIRECT must ask for. */
		ssize_t n = pread(fd, to + done,
				  (len - done + DIRECT_ALIGN - 1) & -DIRECT_ALIGN, done);

		if (n <= 0) {
			fprintf(stderr, "demo: read at byte %zu: %s\n", done,
				n ? strerror(errno) : "the file ends early");
			return 1;
		}
		done += n;
	}
	return 0;
}

static int copy_through(char *out, const char *in, char *media, size_t size)
{
	size_t chunks = (size + CHUNK - 1) / CHUNK, i;
	uint64_t stride;
	aclrtStream streams[NR_STREAMS];
	struct aclkm_pool *pool;
	void **segments = calloc(chunks, sizeof(*segments));

	if (!segments)
		return 1;
	TRY(aclkm_segment_stride(CHUNK, 32, 64, &stride));
	TRY(aclkm_pool_create(ACLKM_POOL_LINEAR, chunks * stride, ACLKM_PAGES_HUGE_FIRST,
			      0, &pool));
	for (i = 0; i < NR_STREAMS; i++)
		TRY(aclrtCreateStream(&streams[i]));

	for (i = 0; i < chunks; i++) {
		aclrtStream stream = streams[i % NR_STREAMS];
		size_t at = i * CHUNK, n = size - at < CHUNK ? size - at : CHUNK;

		TRY(aclkm_segment_alloc(pool, n, &segments[i]));
		TRY(aclrtMemcpyAsync(segments[i], n, in + at, n,
				     ACL_MEMCPY_HOST_TO_DEVICE, stream));
		TRY(aclrtMemcpyAsync(media + at, n, segments[i], n,
				     ACL_MEMCPY_DEVICE_TO_DEVICE, stream));
		TRY(aclrtMemcpyAsync(out + at, n, media + at, n,
				     ACL_MEMCPY_DEVICE_TO_HOST, stream));
	}
	for (i = 0; i < NR_STREAMS; i++) {
		TRY(aclrtSynchronizeStream(streams[i]));
		TRY(aclrtDestroyStream(streams[i]));
	}
	printf("%zu segments of a pool, %zu copies on %d streams\n", chunks, 3 * chunks,
	       NR_STREAMS);

	for (i = 0; i < chunks; i++)
		TRY(aclkm_segment_free(pool, segments[i]));
	TRY(aclkm_pool_destroy(pool, 0));
	free(segments);
	return 0;
}

int demo_copy(const char *path)
{
	void *media_in, *media_out, *host_in, *host_out;
	char first[65] = "", last[65] = "";
	bool direct;
	size_t size;
	off_t end;
	char *in;
	int fd;

	fd = open_file(path, &direct);
	end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	if (end <= 0) {
		fprintf(stderr, "demo: %s: %s\n", path, end ? strerror(errno) : "empty");
		return 1;
	}
	size = end;

	/* acldvppMalloc promises 128, and the disk wants more. */
	TRY(acldvppMalloc(&media_in, size + 2 * DIRECT_ALIGN));
	TRY(acldvppMalloc(&media_out, size));
	TRY(aclrtMallocHost(&host_in, size));
	TRY(aclrtMallocHost(&host_out, size));
	in = (char *)(((uintptr_t)media_in + DIRECT_ALIGN - 1) & -DIRECT_ALIGN);

	if (read_all(fd, in, size))
		return 1;
	close(fd);
	printf("\n%s: %.1f MiB read %s into media memory\n", path, size / 1048576.0,
	       direct ? "with O_DIRECT"
		      : "through the page cache (no O_DIRECT on this file system)");
	digest(in, size, first);

	TRY(aclrtMemcpy(host_in, size, in, size, ACL_MEMCPY_DEVICE_TO_HOST));
	if (copy_through(host_out, host_in, media_out, size))
		return 1;
	digest(host_out, size, last);

	printf("SHA-256 in media memory  %s\n", first);
	printf("SHA-256 at the end       %s\n", last);
	printf("digests: %s\n", strcmp(first, last) ? "DIFFERENT" : "equal");

	TRY(aclrtFreeHost(host_out));
	TRY(aclrtFreeHost(host_in));
	TRY(acldvppFree(media_out));
	TRY(acldvppFree(media_in));
	return strcmp(first, last) != 0;
}
