// SPDX-License-Identifier: MIT
/* Pieces of files: sealed, few descriptors, nothing of the program's own touched. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "client.h"
#include "base/base.h"
#include "backend/backend.h"

#define PAGE 4096UL
#define MANY 3000

static int open_files(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static char *map_piece(const struct memfile_piece *piece)
{
	char *addr =
		mmap(NULL, piece->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (addr == MAP_FAILED || memfile_map(piece, addr, PROT_READ | PROT_WRITE))
		return NULL;
	return addr;
}

static void test_one_piece(void)
{
	struct memfile_piece piece = {0};
	struct file_part part;
	struct stat info;
	char *addr;
	int seals;

	is(memfile_take(MEMFILE_SMALL, 3 * PAGE, false, &piece), 0, "a piece");
	addr = map_piece(&piece);
	if (!ok(addr, "mapped"))
		bail_out("no memory");
	addr[PAGE] = 'p';
	is(memfile_share(&piece, PAGE, PAGE, &part), 0, "a part of it to share");
	ok(part.fd > 2, "descriptor %d is none of the standard ones", part.fd);
	is(part.offset, piece.offset + PAGE, "the part's offset");
	seals = fcntl(part.fd, F_GET_SEALS);
	is(seals & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
	   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, "the file's size is sealed");
	is(ftruncate(part.fd, 0), -1, "and cannot change");
	is(fstat(part.fd, &info), 0, "look at it");
	is(info.st_size, 3 * PAGE, "the file holds nothing else");
	/* As an importer that maps it while the owner frees the piece. */
	memfile_give(&piece, addr);
	munmap(addr, 3 * PAGE);
	addr = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, part.fd, (off_t)part.offset);
	ok(addr != MAP_FAILED && addr[0] == 'p',
	   "who has the file keeps the bytes when the owner frees them");
	munmap(addr, PAGE);
	close(part.fd);
}

static void test_many_pieces(void)
{
	static struct memfile_piece pieces[MANY];
	struct file_part part;
	int before = open_files(), most, i;
	char *addr;

	for (i = 0; i < MANY; i++) {
		if (memfile_take(MEMFILE_SMALL, PAGE, false, &pieces[i]))
			break;
	}
	is(i, MANY, "%d pieces", MANY);
	most = open_files() - before;
	ok(most < 300, "%d descriptors for %d pieces", most, MANY);
	addr = map_piece(&pieces[MANY - 1]);
	if (!ok(addr, "the last is mapped"))
		bail_out("no memory");
	addr[0] = 'x';
	is(memfile_share(&pieces[MANY - 2], 0, PAGE, &part), 0, "share its neighbour");
	ok(pread(part.fd, &(char){0}, 1, (off_t)pieces[MANY - 1].offset) == 1,
	   "they are in one file");
	memfile_give(&pieces[MANY - 1], addr);
	is(addr[0], 0, "the bytes of a freed piece go though its file stays");
	munmap(addr, PAGE);
	is(pwrite(part.fd, "y", 1, (off_t)part.offset), 1, "an importer writes");
	memfile_give(&pieces[MANY - 2], NULL);
	addr = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, part.fd, (off_t)part.offset);
	ok(addr != MAP_FAILED && addr[0] == 'y', "a shared piece keeps its bytes");
	munmap(addr, PAGE);
	close(part.fd);
	for (i = 0; i < MANY - 2; i++)
		memfile_give(&pieces[i], NULL);
	is(open_files(), before, "all descriptors are closed");
}

/* 3000 pieces where the process may have 64 descriptors, then one where it has none. */
static void test_few_descriptors(void)
{
	static struct memfile_piece pieces[MANY];
	struct memfile_piece alone;
	struct rlimit limit = {64, 64};
	int i, fds[64], n = 0, count;

	setrlimit(RLIMIT_NOFILE, &limit);
	for (i = 0; i < MANY; i++) {
		if (memfile_take(MEMFILE_SMALL, PAGE, false, &pieces[i]))
			_exit(1);
	}
	count = open_files();
	if (count > 50)
		_exit(2);
	while ((fds[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	if (memfile_take(MEMFILE_SMALL, PAGE, true, &alone) != ACLKM_ERR_LIMIT ||
	    !strstr(aclkm_last_error(), "EMFILE") ||
	    !strstr(aclkm_last_error(), "RLIMIT_NOFILE is 64"))
		_exit(3);
	/* Pieces that need not be alone find room in files that are there, for ever. */
	for (i = 0; i < 2 * MANY; i++) {
		if (memfile_take(MEMFILE_SMALL, PAGE, false, &alone))
			_exit(4);
	}
	_exit(0);
}

static void test_closed_by_the_program(void)
{
	struct memfile_piece piece, second;
	struct file_part part;
	char *addr, text[8] = "";
	int mine, file;

	if (memfile_take(MEMFILE_SMALL, PAGE, false, &piece) ||
	    !(addr = map_piece(&piece)))
		_exit(1);
	addr[0] = 'a';
	/* Not tap's standard output, and nothing else. */
	syscall(SYS_close_range, 3, ~0U, 0);
	for (mine = 0; mine < 32; mine++) {
		file = memfd_create("mine", 0);
		if (file < 0 || write(file, "mine", 4) != 4)
			_exit(2);
	}
	if (addr[0] != 'a')
		_exit(3);
	if (memfile_map(&piece, addr, PROT_READ) != ACLKM_ERR_IO ||
	    !strstr(aclkm_last_error(), "the program closed descriptor"))
		_exit(4);
	if (memfile_share(&piece, 0, PAGE, &part) != ACLKM_ERR_IO)
		_exit(5);
	if (memfile_take(MEMFILE_SMALL, PAGE, false, &second))
		_exit(6);
	memfile_give(&piece, addr);
	memfile_give(&second, NULL);
	for (file = 3; file < 35; file++) {
		if (pread(file, text, 8, 0) != 4 || strcmp(text, "mine") != 0)
			_exit(7);
	}
	_exit(0);
}

/* Standard streams that are closed stay the program's. */
static void test_low_numbers(void)
{
	struct memfile_piece piece;
	struct file_part part;

	close(0);
	close(1);
	close(2);
	if (memfile_take(MEMFILE_SMALL, PAGE, true, &piece) ||
	    memfile_share(&piece, 0, PAGE, &part))
		_exit(1);
	_exit(fcntl(0, F_GETFD) >= 0 || fcntl(1, F_GETFD) >= 0 || fcntl(2, F_GETFD) >= 0);
}

static void test_file_size_limit(void)
{
	struct rlimit limit = {PAGE, PAGE};
	struct memfile_piece piece;
	sigset_t waiting;

	setrlimit(RLIMIT_FSIZE, &limit);
	/* The default action of SIGXFSZ ends the process. */
	if (memfile_take(MEMFILE_SMALL, 2 * PAGE, false, &piece) !=
		    ACLKM_ERR_UNSUPPORTED ||
	    !strstr(aclkm_last_error(), "RLIMIT_FSIZE is 4096"))
		_exit(1);
	if (memfile_take(MEMFILE_SMALL, PAGE, false, &piece))
		_exit(2);
	sigpending(&waiting);
	_exit(sigismember(&waiting, SIGXFSZ));
}

/* All of the library with such a limit: memory as ever, but none that can be shared. */
static void test_library_with_file_size_limit(void)
{
	struct rlimit limit = {PAGE, PAGE};
	char key[ACL_RT_IPC_MEM_KEY_LENGTH], *block;

	setenv("ACLKM_BACKEND", "user", 1);
	setrlimit(RLIMIT_FSIZE, &limit);
	if (aclrtSetDevice(0) ||
	    aclrtMalloc((void **)&block, MIB, ACL_MEM_MALLOC_HUGE_FIRST))
		_exit(1);
	memset(block, 1, MIB);
	if (!aclrtIpcMemGetExportKey(block, MIB, key, sizeof(key), 1) ||
	    !recent_has("RLIMIT_FSIZE"))
		_exit(2);
	_exit(aclrtFree(block));
}

static void in_child(void (*fn)(void), const char *name)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		fn();
		_exit(99);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "%s", name);
}

int main(void)
{
	small_device();
	in_child(test_few_descriptors, "pieces need few descriptors, and say EMFILE");
	in_child(test_closed_by_the_program,
		 "after close_range: errors, and the program's files untouched");
	in_child(test_low_numbers, "descriptors 0 to 2 are never used");
	in_child(test_file_size_limit, "RLIMIT_FSIZE is told, SIGXFSZ does not kill");
	in_child(test_library_with_file_size_limit,
		 "with RLIMIT_FSIZE blocks are there, and exports say why not");
	test_one_piece();
	test_many_pieces();
	return done_testing();
}
