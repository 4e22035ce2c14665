// SPDX-License-Identifier: MIT
/*
 * Fetching what another process offers. The socket's other end is authenticated before a
 * byte is sent, and what it sends is checked before it is used. Every wait ends by one
 * time limit, whatever signals arrive.
 */
#include "ipc/share.h"
#include "ipc/share_wire.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define PATIENCE_MS 5000
#define BUSY_NS 2000000 /* between tries when the other's queue is full */
#define TRIES 8		/* connections that the other end closes without an answer */

struct call {
	int fd;
	int64_t until;
	struct ucred peer;
};

static int64_t fetch_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* False: the time is up. */
static bool wait_for(const struct call *call, short events)
{
	struct pollfd polled = {.fd = call->fd, .events = events};
	int64_t left;
	int n;

	do {
		left = call->until - fetch_now_ms();
		if (left <= 0)
			return false;
		n = poll(&polled, 1, (int)left);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

static int connect_to(struct call *call, const struct sockaddr_un *name, socklen_t length)
{
	const struct timespec pause = {.tv_nsec = BUSY_NS};

	call->fd =
		fd_lift(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (call->fd < 0)
		return fd_refused("a socket to another process");
	while (connect(call->fd, (const struct sockaddr *)name, length)) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN && fetch_now_ms() < call->until) {
			nanosleep(&pause, NULL);
			continue;
		}
		close(call->fd);
		call->fd = -1;
		return errno == EAGAIN ? ACLKM_ERR_TIMEOUT : ACLKM_ERR_HANDLE;
	}
	return ACLKM_OK;
}

static int connect_any(struct call *call, uint64_t number)
{
	const char *folder = config_get()->ipc_dir;
	struct sockaddr_un name;
	socklen_t length = folder ? share_file_name(number, folder, &name) : 0;
	int err = ACLKM_ERR_HANDLE;

	if (length)
		err = connect_to(call, &name, length);
	if (err != ACLKM_ERR_HANDLE)
		return err;
	length = share_abstract_name(number, &name);
	return connect_to(call, &name, length);
}

static int send_request(const struct call *call, const struct share_request *request)
{
	ssize_t n;

	do {
		n = send(call->fd, request, sizeof(*request), MSG_NOSIGNAL);
	} while (n < 0 &&
		 (errno == EINTR || (errno == EAGAIN && wait_for(call, POLLOUT))));
	/* A server that refuses this user has answered, and closed, unasked. */
	return n == (ssize_t)sizeof(*request) || errno == EPIPE ? ACLKM_OK : ACLKM_ERR_IO;
}

/* The descriptor that came with a message; -1: none. */
static int take_file(struct msghdr *message)
{
	const struct cmsghdr *head = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(head), sizeof(int));
	return fd;
}

/* Receives all of the answer, in as many parts as it comes. */
static int receive(const struct call *call, struct share_answer *answer, int *fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	bool full = false;
	size_t have = 0;
	ssize_t n;
	int got;

	while (have < sizeof(*answer)) {
		struct iovec part = {(char *)answer + have, sizeof(*answer) - have};
		/* Room for one descriptor: the kernel closes all others. */
		struct msghdr message = {.msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = &control,
					 .msg_controllen = CMSG_LEN(sizeof(int))};

		n = recvmsg(call->fd, &message, MSG_CMSG_CLOEXEC);
		if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
			if (errno == EAGAIN && !wait_for(call, POLLIN))
				return ACLKM_ERR_TIMEOUT;
			continue;
		}
		if (n <= 0)
			return ACLKM_ERR_IO;
		got = take_file(&message);
		full |= got < 0 && message.msg_flags & MSG_CTRUNC;
		if (got >= 0 && *fd >= 0)
			close(got);
		else if (got >= 0)
			*fd = got;
		have += (size_t)n;
	}
	if (full && *fd < 0) {
		errno = EMFILE;
		return fd_refused("a file from another process");
	}
	return ACLKM_OK;
}

static int accept_item(struct share_item *item, enum share_kind kind, int fd)
{
	const char *why = "it is another kind of thing";

	item->fd = fd;
	if (item->kind == (uint32_t)kind && share_item_is_sound(item, &why)) {
		item->fd = fd_lift(fd);
		if (item->fd >= 0)
			return ACLKM_OK;
		return fd_refused("a file from another process");
	}
	if (fd >= 0)
		close(fd);
	return error_set(ACLKM_ERR_INVALID, "what another process sent is refused: %s",
			 why);
}

static int refuse_peer(const struct call *call, uint64_t number)
{
	if (share_uid_is_unknown(call->peer.uid))
		return error_set(ACLKM_ERR_PERM,
				 "%#llx: the process that offers it is in another user "
				 "namespace, and its user has no number here",
				 (unsigned long long)number);
	return error_set(ACLKM_ERR_PERM,
			 "%#llx: its socket is held by a process of user %u, this one "
			 "is of user %u: memory is shared within one user",
			 (unsigned long long)number, (unsigned int)call->peer.uid,
			 (unsigned int)geteuid());
}

static int refuse_answer(uint64_t number, const struct share_answer *answer)
{
	unsigned long long name = number;

	if (answer->err != ACLKM_ERR_PERM)
		return ACLKM_ERR_HANDLE;
	switch (answer->reason) {
	case SHARE_OTHER_PIDS:
		return error_set(
			ACLKM_ERR_PERM,
			"%#llx: its owner is in another pid namespace and cannot "
			"name this process: it must offer it to any",
			name);
	case SHARE_OTHER_USER:
		return error_set(ACLKM_ERR_PERM, "%#llx: offered to another user only",
				 name);
	default:
		return error_set(ACLKM_ERR_PERM,
				 "%#llx: not offered to process %d: its owner must name "
				 "it first",
				 name, (int)getpid());
	}
}

/* One connection, from its opening to its end. */
static int fetch_once(struct call *call, const struct share_request *request,
		      struct share_item *out)
{
	struct share_answer answer = {0};
	int fd = -1, err = connect_any(call, request->number);

	if (err)
		return err;
	if (!share_trusts(call->fd, &call->peer))
		err = refuse_peer(call, request->number);
	if (!err)
		err = send_request(call, request);
	if (!err)
		err = receive(call, &answer, &fd);
	close(call->fd);
	if (!err && answer.err)
		err = refuse_answer(request->number, &answer);
	if (!err)
		err = accept_item(&answer.item, (enum share_kind)request->kind, fd);
	else if (fd >= 0)
		close(fd);
	if (!err)
		*out = answer.item;
	return err;
}

static int not_offered(uint64_t number)
{
	const char *folder = config_get()->ipc_dir;

	if (folder)
		return error_set(ACLKM_ERR_HANDLE,
				 "%#llx: no process offers it (any more), neither in "
				 "%.100s (ACLKM_IPC_DIR) nor in this network namespace",
				 (unsigned long long)number, folder);
	return error_set(ACLKM_ERR_HANDLE,
			 "%#llx: no process of this network namespace offers it (any "
			 "more): processes in different ones set ACLKM_IPC_DIR to a "
			 "folder that both see",
			 (unsigned long long)number);
}

int share_fetch(uint64_t number, enum share_kind kind, struct share_item *out)
{
	const struct share_request request = {SHARE_MAGIC, kind, number};
	struct call call = {.fd = -1, .until = fetch_now_ms() + PATIENCE_MS};
	int err = ACLKM_ERR_IO, tries;

	/* A busy server closes the oldest connections to accept new ones. */
	for (tries = 0; err == ACLKM_ERR_IO && tries < TRIES; tries++)
		err = fetch_once(&call, &request, out);
	if (err == ACLKM_ERR_HANDLE)
		return not_offered(number);
	if (err == ACLKM_ERR_TIMEOUT)
		return error_set(ACLKM_ERR_IO,
				 "%#llx: the process that offers it does not answer "
				 "within %d s",
				 (unsigned long long)number, PATIENCE_MS / 1000);
	if (err == ACLKM_ERR_IO)
		return error_set(err, "%#llx: the process that offers it hangs up",
				 (unsigned long long)number);
	return err;
}
