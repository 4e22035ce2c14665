// SPDX-License-Identifier: MIT
#include "share.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "error.h"

/* A number is the offering process's token and the index of the thing. */
#define INDEX_BITS 24
#define MAX_PIDS 1024
#define MAGIC 0x61636b73U /* a change of the messages changes it */

struct request {
	uint32_t magic;
	uint32_t kind;
	uint64_t number;
};

struct answer {
	int32_t err; /* 0, or enum aclkm_error */
	struct share_item item;
};

struct offer {
	struct offer *next;
	struct share_item item;
	uint64_t number;
	bool anyone;
	uint32_t pid_count;
	int32_t pids[MAX_PIDS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct offer *offers;
static uint64_t token; /* 0: nothing was offered yet */
static uint64_t last_index;
static int listener = -1;

static socklen_t socket_name(uint64_t number, struct sockaddr_un *name)
{
	int n;

	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	/* An abstract name: it ends with the process, and no folder is needed. */
	n = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1,
		     "aclkm-share-%010llx", (unsigned long long)(number >> INDEX_BITS));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static struct offer *find_locked(uint64_t number)
{
	struct offer *offer = offers;

	while (offer && offer->number != number)
		offer = offer->next;
	return offer;
}

static bool is_allowed(const struct offer *offer, const struct ucred *peer)
{
	uint32_t i;

	if (peer->uid != geteuid() && peer->uid != 0)
		return false;
	if (offer->anyone || peer->pid == getpid())
		return true;
	for (i = 0; i < offer->pid_count; i++) {
		if (offer->pids[i] == peer->pid)
			return true;
	}
	return false;
}

static void send_answer(int fd, const struct answer *answer)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {(void *)(uintptr_t)answer, sizeof(*answer)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (!answer->err) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.room);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &answer->item.fd, sizeof(int));
	}
	/* A peer that has gone is its own affair. */
	if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		return;
}

static void serve(int fd)
{
	const struct timeval patience = {.tv_sec = 2};
	struct answer answer = {.err = ACLKM_ERR_HANDLE};
	struct request request;
	const struct offer *offer;
	struct ucred peer;
	socklen_t length = sizeof(peer);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (recv(fd, &request, sizeof(request), MSG_WAITALL) !=
		    (ssize_t)sizeof(request) ||
	    request.magic != MAGIC ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length))
		return;
	/* The lock is held so that the file stays open while it is sent. */
	pthread_mutex_lock(&lock);
	offer = find_locked(request.number);
	if (offer && !is_allowed(offer, &peer)) {
		answer.err = ACLKM_ERR_PERM;
	} else if (offer && offer->item.kind == request.kind) {
		answer.err = ACLKM_OK;
		answer.item = offer->item;
	}
	send_answer(fd, &answer);
	pthread_mutex_unlock(&lock);
}

static void *run_server(void *arg)
{
	int fd;

	(void)arg;
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0) {
			/* Out of files or memory: not for ever, one hopes. */
			usleep(10000);
			continue;
		}
		serve(fd);
		close(fd);
	}
	return NULL;
}

static int start_thread(void)
{
	pthread_t thread;
	sigset_t all, before;
	int err;

	process_in_use();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, NULL, run_server, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return ACLKM_ERR_NOTHREAD;
	pthread_detach(thread);
	return ACLKM_OK;
}

static int open_locked(void)
{
	struct sockaddr_un name;
	uint64_t mine = 0;
	socklen_t length;
	int err = ACLKM_ERR_IO;

	if (token)
		return ACLKM_OK;
	if (getrandom(&mine, 5, 0) != 5)
		return error_set(err, "no random number: %s", strerror(errno));
	mine |= 1;
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		return error_set(err, "socket: %s", strerror(errno));
	length = socket_name(mine << INDEX_BITS, &name);
	if (bind(listener, (struct sockaddr *)&name, length) || listen(listener, 64)) {
		error_set(err, "listening for other processes: %s", strerror(errno));
		goto close;
	}
	err = start_thread();
	if (err) {
		error_set(err, "no thread to share memory with");
		goto close;
	}
	token = mine;
	return ACLKM_OK;
close:
	close(listener);
	listener = -1;
	return err;
}

int share_offer(const struct share_item *item, bool anyone, uint64_t *number)
{
	struct offer *offer = calloc(1, sizeof(*offer));
	int err;

	if (!offer)
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the library's own records");
	offer->item = *item;
	offer->anyone = anyone;
	pthread_mutex_lock(&lock);
	err = open_locked();
	if (!err) {
		offer->number = token << INDEX_BITS | ++last_index;
		offer->next = offers;
		offers = offer;
		*number = offer->number;
	}
	pthread_mutex_unlock(&lock);
	if (err)
		free(offer);
	return err;
}

static int not_mine(uint64_t number)
{
	return error_set(ACLKM_ERR_HANDLE, "%#llx: not offered by this process",
			 (unsigned long long)number);
}

int share_allow(uint64_t number, const int32_t *pids, size_t count)
{
	struct offer *offer;
	int err = ACLKM_OK;

	pthread_mutex_lock(&lock);
	offer = find_locked(number);
	if (!offer) {
		err = not_mine(number);
	} else if (count > MAX_PIDS - offer->pid_count) {
		err = error_set(ACLKM_ERR_LIMIT, "%zu more processes: at most %d in all",
				count, MAX_PIDS);
	} else {
		memcpy(offer->pids + offer->pid_count, pids, count * sizeof(*pids));
		offer->pid_count += (uint32_t)count;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

int share_withdraw(uint64_t number)
{
	struct offer **at = &offers, *offer;

	pthread_mutex_lock(&lock);
	while ((offer = *at) && offer->number != number)
		at = &offer->next;
	if (offer)
		*at = offer->next;
	pthread_mutex_unlock(&lock);
	if (!offer)
		return not_mine(number);
	close(offer->item.fd);
	free(offer);
	return ACLKM_OK;
}

bool share_is_mine(uint64_t number)
{
	bool mine;

	pthread_mutex_lock(&lock);
	mine = token && number >> INDEX_BITS == token;
	pthread_mutex_unlock(&lock);
	return mine;
}

static int receive(int fd, struct answer *answer)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {answer, sizeof(*answer)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control.room)};
	const struct cmsghdr *head;

	if (recvmsg(fd, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC) !=
	    (ssize_t)sizeof(*answer))
		return ACLKM_ERR_IO;
	if (answer->err)
		return answer->err;
	head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_type != SCM_RIGHTS)
		return ACLKM_ERR_IO;
	memcpy(&answer->item.fd, CMSG_DATA(head), sizeof(int));
	return ACLKM_OK;
}

int share_fetch(uint64_t number, enum share_kind kind, struct share_item *out)
{
	const struct timeval patience = {.tv_sec = 10};
	const struct request request = {MAGIC, kind, number};
	struct answer answer;
	struct sockaddr_un name;
	socklen_t length = socket_name(number, &name);
	int err = ACLKM_ERR_IO, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_set(err, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&name, length))
		err = ACLKM_ERR_HANDLE;
	else if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) ==
		 (ssize_t)sizeof(request))
		err = receive(fd, &answer);
	close(fd);
	if (err == ACLKM_ERR_HANDLE)
		return error_set(err, "%#llx: no process offers it (any more)",
				 (unsigned long long)number);
	if (err == ACLKM_ERR_PERM)
		return error_set(
			err,
			"%#llx: not offered to process %d: its owner must name it "
			"first",
			(unsigned long long)number, (int)getpid());
	if (err)
		return error_set(err, "%#llx: the process that offers it does not answer",
				 (unsigned long long)number);
	*out = answer.item;
	return ACLKM_OK;
}
