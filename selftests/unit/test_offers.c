// SPDX-License-Identifier: MIT
/*
 * Offers between processes that are not as they should be: strangers, silent and lying
 * peers, signals, full descriptor tables, other namespaces.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "client.h"
#include "backend/backend.h"
#include "ipc/ipc.h"

#define PAGE 4096UL
#define SILENT 100

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int open_files(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static struct share_item memory_item(void)
{
	struct share_item item = {.kind = SHARE_MEMORY, .size = PAGE, .page_size = PAGE};

	item.fd = memfile_new("test", PAGE, 0);
	if (item.fd < 0)
		bail_out("no file");
	return item;
}

/* A child that offers a page with the byte 'o' to any, until @ends is closed. */
struct exporter {
	pid_t pid;
	int ends; /* closing it ends the child */
	uint64_t number;
};

static struct exporter export_from_child(void (*before)(void), void (*after)(void))
{
	struct exporter exporter = {0};
	int up[2], down[2];

	fflush(stdout);
	if (pipe(up) || pipe(down))
		bail_out("no pipe");
	exporter.pid = fork();
	if (!exporter.pid) {
		struct share_item item;

		close(down[1]);
		if (before)
			before();
		item = memory_item();
		if (pwrite(item.fd, "o", 1, 0) != 1 ||
		    share_offer(&item, true, &exporter.number))
			exporter.number = 0;
		if (after)
			after();
		if (write(up[1], &exporter.number, 8) != 8 || read(down[0], up, 1) < 0)
			exit(1);
		exit(0);
	}
	close(up[1]);
	close(down[0]);
	exporter.ends = down[1];
	if (read(up[0], &exporter.number, 8) != 8)
		exporter.number = 0;
	close(up[0]);
	return exporter;
}

static void end_exporter(const struct exporter *exporter)
{
	close(exporter->ends);
	waitpid(exporter->pid, NULL, 0);
}

static int fetch_byte(uint64_t number)
{
	struct share_item item;
	char byte = 0;
	int err = share_fetch(number, SHARE_MEMORY, &item);

	if (err)
		return err;
	if (pread(item.fd, &byte, 1, (off_t)item.offset) != 1)
		byte = 0;
	close(item.fd);
	return byte;
}

static int connect_to(uint64_t number)
{
	struct sockaddr_un name;
	socklen_t length = share_abstract_name(number, &name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&name, length)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void test_silent_peers(void)
{
	struct exporter exporter = export_from_child(NULL, NULL);
	int fds[SILENT], i, bad = 0;
	int64_t began;

	for (i = 0; i < SILENT; i++) {
		fds[i] = connect_to(exporter.number);
		if (fds[i] >= 0 && i % 2 && send(fds[i], "half", 4, MSG_NOSIGNAL) < 0)
			continue;
	}
	began = now_ms();
	for (i = 0; i < 20; i++)
		bad += fetch_byte(exporter.number) != 'o';
	is(bad, 0, "imports beside %d silent connections", SILENT);
	ok(now_ms() - began < 1500, "they wait for none of them: %d ms",
	   (int)(now_ms() - began));
	for (i = 0; i < SILENT; i++)
		close(fds[i]);
	end_exporter(&exporter);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void test_signals(void)
{
	struct exporter exporter = export_from_child(NULL, NULL);
	struct itimerval timer = {{0, 200}, {0, 200}}, none = {0};
	struct sigaction action = {.sa_handler = on_alarm};
	int i, bad = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (i = 0; i < 200; i++)
		bad += fetch_byte(exporter.number) != 'o';
	setitimer(ITIMER_REAL, &none, NULL);
	signal(SIGALRM, SIG_DFL);
	is(bad, 0, "imports that a timer interrupts");
	end_exporter(&exporter);
}

/* Another user takes the name that an owner had. */
static void test_name_taken(void)
{
	uint64_t number = 0x424242ULL << SHARE_SECRET_BITS | 7;
	struct sockaddr_un name;
	int ends[2], fd, got = -1;
	socklen_t length;
	char byte;
	pid_t pid;

	if (geteuid()) {
		skip("a name that another user took", "root only");
		return;
	}
	fflush(stdout);
	if (pipe(ends))
		bail_out("no pipe");
	pid = fork();
	if (!pid) {
		length = share_abstract_name(number, &name);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (setuid(65534) || bind(fd, (struct sockaddr *)&name, length) ||
		    listen(fd, 4) || write(ends[1], "x", 1) != 1)
			_exit(1);
		got = accept(fd, NULL, NULL);
		/* Nothing may come before the importer knows who this is. */
		_exit(recv(got, &byte, 1, 0) != 0);
	}
	if (read(ends[0], &byte, 1) != 1)
		bail_out("no squatter");
	is(fetch_byte(number), ACLKM_ERR_PERM, "a name that another user took");
	ok(strstr(aclkm_last_error(), "user 65534"), "text: %s", aclkm_last_error());
	waitpid(pid, &got, 0);
	is(got, 0, "it is told nothing");
	close(ends[0]);
	close(ends[1]);
}

static void test_other_user_imports(void)
{
	struct exporter exporter = export_from_child(NULL, NULL);
	int status = -1;
	pid_t pid;

	if (geteuid()) {
		skip("an importer of another user", "root only");
		end_exporter(&exporter);
		return;
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setuid(65534))
			_exit(1);
		_exit(fetch_byte(exporter.number) == ACLKM_ERR_PERM &&
				      strstr(aclkm_last_error(), "another user")
			      ? 0
			      : 2);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "an importer of another user is refused, and told why");
	end_exporter(&exporter);
}

/* What a lying server of the same user sends. */
enum lie {
	UNSEALED,
	TOO_SHORT,
	NO_SIZE,
	WRAPS,
	ODD_PAGE,
	ODD_OFFSET,
	OTHER_KIND,
	READ_ONLY,
	NO_FILE,
	DEVICE_FILE,
	TWO_FILES,
	HALF,
	LIES
};

static const char *const lie_names[LIES] = {
	"a file that can shrink",
	"a file that is too short",
	"a size of 0",
	"a size near 2^64",
	"a page size that is none",
	"an offset within a page",
	"another kind of thing",
	"a file for reading only",
	"no file",
	"a file that is no memory",
	"two files",
	"half an answer",
};

static void send_lie(int fd, enum lie lie)
{
	struct share_answer answer = {.item = memory_item()};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct iovec part = {&answer, lie == HALF ? sizeof(answer) / 2 : sizeof(answer)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	int files[2] = {answer.item.fd, answer.item.fd}, count = lie == TWO_FILES ? 2 : 1;
	char path[64];

	if (lie == UNSEALED) {
		files[0] = memfd_create("lie", MFD_ALLOW_SEALING);
		if (ftruncate(files[0], PAGE))
			_exit(1);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", files[0]);
	answer.item.size = lie == TOO_SHORT ? 2 * PAGE : PAGE;
	if (lie == NO_SIZE)
		answer.item.size = 0;
	if (lie == WRAPS) {
		answer.item.offset = PAGE;
		answer.item.size = ~0ULL - PAGE + 1;
	}
	if (lie == ODD_PAGE)
		answer.item.page_size = 3000;
	if (lie == ODD_OFFSET) {
		answer.item.offset = 64;
		answer.item.size = 64;
	}
	if (lie == OTHER_KIND)
		answer.item.kind = SHARE_PHYSICAL;
	if (lie == READ_ONLY)
		files[0] = open(path, O_RDONLY);
	if (lie == DEVICE_FILE)
		files[0] = open("/dev/zero", O_RDWR);
	if (lie != NO_FILE) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
		memcpy(CMSG_DATA(&control.head), files, (size_t)count * sizeof(int));
	}
	sendmsg(fd, &message, MSG_NOSIGNAL);
}

static void test_lies(void)
{
	uint64_t number = 0x434343ULL << SHARE_SECRET_BITS | 7;
	struct share_request request;
	struct share_item item;
	struct sockaddr_un name;
	int before, fd, err, listener = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t length = share_abstract_name(number, &name);
	enum lie lie;
	pid_t pid;

	if (bind(listener, (struct sockaddr *)&name, length) || listen(listener, 8))
		bail_out("no socket");
	for (lie = 0; lie < LIES; lie++) {
		fflush(stdout);
		pid = fork();
		if (!pid) {
			while ((fd = accept(listener, NULL, NULL)) >= 0) {
				if (recv(fd, &request, sizeof(request), MSG_WAITALL) > 0)
					send_lie(fd, lie);
				close(fd);
			}
			_exit(0);
		}
		before = open_files();
		item.fd = -1;
		err = share_fetch(number, SHARE_MEMORY, &item);
		if (lie == TWO_FILES)
			ok(!err || err == ACLKM_ERR_INVALID, "refused, or one taken: %s",
			   lie_names[lie]);
		else
			ok(err == ACLKM_ERR_INVALID || err == ACLKM_ERR_IO,
			   "refused: %s: %d %s", lie_names[lie], err, aclkm_last_error());
		if (!err)
			close(item.fd);
		is(open_files(), before, "no descriptor is left of it");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(listener);
}

static void test_no_answer(void)
{
	struct exporter exporter = export_from_child(NULL, NULL);
	int64_t began = now_ms();

	kill(exporter.pid, SIGSTOP);
	waitpid(exporter.pid, NULL, WUNTRACED);
	is(fetch_byte(exporter.number), ACLKM_ERR_IO, "a process that is stopped");
	ok(strstr(aclkm_last_error(), "does not answer within"), "text: %s",
	   aclkm_last_error());
	ok(now_ms() - began < 20000, "the wait has an end");
	kill(exporter.pid, SIGCONT);
	is(fetch_byte(exporter.number), 'o', "it goes on, and so do imports");
	end_exporter(&exporter);
}

static void fill_table(void)
{
	struct rlimit limit = {64, 64};

	setrlimit(RLIMIT_NOFILE, &limit);
	while (open("/dev/null", O_RDONLY) >= 0)
		;
}

static void test_full_tables(void)
{
	struct exporter exporter = export_from_child(NULL, fill_table);
	int i, bad = 0, status = -1, fds[8];
	pid_t pid;

	for (i = 0; i < 8; i++)
		fds[i] = connect_to(exporter.number);
	for (i = 0; i < 20; i++)
		bad += fetch_byte(exporter.number) != 'o';
	is(bad, 0, "an exporter without a free descriptor answers");
	for (i = 0; i < 8; i++)
		close(fds[i]);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int free_one;

		fill_table();
		if (fetch_byte(exporter.number) != ACLKM_ERR_LIMIT ||
		    !strstr(aclkm_last_error(), "EMFILE"))
			_exit(1);
		/* The socket fits, what it brings does not. */
		free_one = 63;
		close(free_one);
		if (fetch_byte(exporter.number) != ACLKM_ERR_LIMIT ||
		    fcntl(free_one, F_GETFD) >= 0)
			_exit(2);
		close(62);
		_exit(fetch_byte(exporter.number) == 'o' ? 0 : 3);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "an importer without one is told, and nothing is left half done");
	end_exporter(&exporter);
}

static void test_numbers(void)
{
	uint64_t number[32], process;
	int i, near = 0, low = 0;

	for (i = 0; i < 32; i++) {
		struct share_item item = memory_item();

		if (share_offer(&item, true, &number[i]))
			bail_out("no offer");
		low += !(number[i] >> 20 & 0xfffff);
		near += i && number[i] - number[i - 1] + 65536 < 2 * 65536;
		near += share_is_mine(number[i] + 1);
	}
	is(near, 0, "no number tells another one");
	is(low, 0, "all bits of a number are random");
	process = number[0] >> SHARE_SECRET_BITS;
	is(number[31] >> SHARE_SECRET_BITS, process, "the upper ones find the process");
	for (i = 0; i < 32; i++)
		share_withdraw(number[i]);
	is(fetch_byte(number[3]), ACLKM_ERR_HANDLE, "withdrawn");
}

static void to_another_network(void)
{
	/* The environment is read at the first use, which is still to come here. */
	unshare(CLONE_NEWNET);
}

static void test_namespaces(void)
{
	char folder[] = "/tmp/aclkm-offers-XXXXXX";
	struct exporter exporter;
	struct stat info;
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(unshare(CLONE_NEWNET) != 0);
	waitpid(pid, &status, 0);
	if (status || !mkdtemp(folder)) {
		skip("offers in another network namespace", "no such namespace");
		return;
	}
	/* In children, as this process has read its environment. */
	pid = fork();
	if (!pid) {
		exporter = export_from_child(to_another_network, NULL);
		if (fetch_byte(exporter.number) != ACLKM_ERR_HANDLE ||
		    !strstr(aclkm_last_error(), "ACLKM_IPC_DIR"))
			_exit(1);
		end_exporter(&exporter);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "an offer in another network namespace: told why not");
	setenv("ACLKM_IPC_DIR", folder, 1);
	pid = fork();
	if (!pid) {
		struct sockaddr_un name;

		exporter = export_from_child(to_another_network, NULL);
		share_file_name(exporter.number, folder, &name);
		if (stat(name.sun_path, &info) || info.st_mode & 0077)
			_exit(1);
		if (fetch_byte(exporter.number) != 'o')
			_exit(2);
		end_exporter(&exporter);
		/* The exporter removed it when it ended. */
		_exit(stat(name.sun_path, &info) ? 0 : 3);
	}
	waitpid(pid, &status, 0);
	unsetenv("ACLKM_IPC_DIR");
	is(status, 0, "and with ACLKM_IPC_DIR they share");
	rmdir(folder);
}

int main(void)
{
	/* First: what follows makes this process one that has read its environment. */
	test_namespaces();
	test_silent_peers();
	test_signals();
	test_name_taken();
	test_other_user_imports();
	test_lies();
	test_no_answer();
	test_full_tables();
	test_numbers();
	return done_testing();
}
