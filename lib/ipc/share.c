// SPDX-License-Identifier: MIT
#include "ipc/share.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "ipc/share_wire.h"

#define MAX_PIDS 1024

struct offer {
	struct offer *next;
	struct share_item item;
	struct fd_id file;
	uint64_t number;
	bool anyone;
	uint32_t pid_count;
	int32_t pids[MAX_PIDS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct offer *offers;
static uint64_t process; /* upper bits of numbers; 0: no server runs */

static struct offer *share_find_locked(uint64_t number)
{
	struct offer *offer = offers;

	while (offer && offer->number != number)
		offer = offer->next;
	return offer;
}

static enum share_reason share_refusal(const struct offer *offer,
				       const struct ucred *peer)
{
	uint32_t i;

	if (offer->anyone || peer->pid == getpid())
		return SHARE_NO_REASON;
	/* The kernel has no number for a process outside of this pid namespace. */
	if (!peer->pid)
		return SHARE_OTHER_PIDS;
	for (i = 0; i < offer->pid_count; i++) {
		if (offer->pids[i] == peer->pid)
			return SHARE_NO_REASON;
	}
	return SHARE_NOT_NAMED;
}

static void share_answer_locked(const struct share_request *request,
				const struct ucred *peer, struct share_answer *answer)
{
	const struct offer *offer;

	*answer = (struct share_answer){.err = ACLKM_ERR_HANDLE};
	pthread_mutex_lock(&lock);
	offer = share_find_locked(request->number);
	if (!offer || offer->item.kind != request->kind ||
	    !fd_is(offer->item.fd, &offer->file))
		return;
	answer->reason = share_refusal(offer, peer);
	answer->err = answer->reason ? ACLKM_ERR_PERM : ACLKM_OK;
	if (!answer->err)
		answer->item = offer->item;
}

static void share_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static void share_server_ended(void)
{
	pthread_mutex_lock(&lock);
	process = 0;
	pthread_mutex_unlock(&lock);
}

/*
 * The thread of an offering process that answers importers. One poll waits for all
 * sockets, none of which ever blocks, so that a peer that connects and is silent, or
 * reads slowly, keeps nobody waiting. Peers of other users are refused before they are
 * read.
 */
#define MOST_PEERS 32
#define PATIENCE_MS 2000 /* for a peer's request */
#define BACKLOG 128
#define TRIES 64 /* names */

struct socket {
	int fd; /* -1: none */
	struct fd_id id;
};

struct peer {
	struct socket socket;
	struct ucred credentials;
	struct share_request request;
	size_t have; /* bytes of the request */
	int64_t until;
};

enum { BY_NAME, BY_FILE, LISTENERS };

static struct server {
	struct socket listeners[LISTENERS];
	struct socket spare; /* closed to accept a peer when the table is full */
	struct peer peers[MOST_PEERS];
	uint32_t count;	  /* oldest first */
	char unlink[108]; /* the socket's file */
	pid_t unlink_of;
} server;

static int64_t share_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool socket_is(const struct socket *socket)
{
	return fd_is(socket->fd, &socket->id);
}

static void socket_close(struct socket *socket)
{
	fd_close(socket->fd, &socket->id);
	socket->fd = -1;
}

static bool socket_keep(struct socket *out, int fd)
{
	*out = (struct socket){.fd = fd_lift(fd)};
	if (out->fd >= 0 && fd_know(out->fd, &out->id))
		return true;
	out->fd = -1;
	return false;
}

static void need_spare(void)
{
	if (!socket_is(&server.spare) && socket_is(&server.listeners[BY_NAME]))
		socket_keep(&server.spare, fd_dup(server.listeners[BY_NAME].fd));
}

static void send_answer(int fd, const struct share_answer *answer)
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
	/* The buffer of a new socket is empty, so nothing waits; a peer may be gone. */
	while (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EINTR)
		;
}

static void peer_drop(uint32_t i)
{
	socket_close(&server.peers[i].socket);
	server.count--;
	memmove(&server.peers[i], &server.peers[i + 1],
		(server.count - i) * sizeof(server.peers[0]));
	need_spare();
}

/* True: the peer is done with. */
static bool peer_serve(struct peer *peer)
{
	struct share_answer answer;
	ssize_t n;

	if (!socket_is(&peer->socket))
		return true;
	n = recv(peer->socket.fd, (char *)&peer->request + peer->have,
		 sizeof(peer->request) - peer->have, MSG_DONTWAIT);
	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	peer->have += (size_t)n;
	if (n && peer->have < sizeof(peer->request))
		return false;
	if (!n || peer->request.magic != SHARE_MAGIC)
		return true;
	/* The lock is held so that the file stays open while it is sent. */
	share_answer_locked(&peer->request, &peer->credentials, &answer);
	send_answer(peer->socket.fd, &answer);
	share_unlock();
	return true;
}

/* -1: nobody waits, or no descriptor is to be had. */
static int accept_one(const struct socket *listener)
{
	const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = accept4(listener->fd, NULL, NULL, flags);

	if (fd >= 0 || (errno != EMFILE && errno != ENFILE))
		return fd;
	/* A silent peer's descriptor first, then the one kept for this. */
	if (server.count)
		peer_drop(0);
	socket_close(&server.spare);
	return accept4(listener->fd, NULL, NULL, flags);
}

static void accept_peer(const struct socket *listener)
{
	const struct share_answer stranger = {.err = ACLKM_ERR_PERM,
					      .reason = SHARE_OTHER_USER};
	const struct timespec pause = {.tv_nsec = 10000000};
	struct peer *peer;
	int fd;

	if (server.count == MOST_PEERS)
		peer_drop(0);
	fd = accept_one(listener);
	if (fd < 0) {
		/* Out of descriptors or memory: back off and retry. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			nanosleep(&pause, NULL);
		return;
	}
	peer = &server.peers[server.count];
	*peer = (struct peer){.until = share_now_ms() + PATIENCE_MS};
	if (!socket_keep(&peer->socket, fd))
		return;
	server.count++;
	if (share_trusts(peer->socket.fd, &peer->credentials))
		return;
	send_answer(peer->socket.fd, &stranger);
	peer_drop(server.count - 1);
}

static void drop_late(void)
{
	int64_t now = share_now_ms();

	while (server.count && server.peers[0].until <= now)
		peer_drop(0);
}

static int wait_ms(void)
{
	int64_t left;

	if (!server.count)
		return -1;
	left = server.peers[0].until - share_now_ms();
	return left < 0 ? 0 : (int)left;
}

/* False: the program has closed the listening sockets. */
static bool serve_once(void)
{
	struct pollfd polled[LISTENERS + MOST_PEERS];
	uint32_t i, count = server.count;
	bool any = false;

	for (i = 0; i < LISTENERS; i++) {
		bool ours = socket_is(&server.listeners[i]);

		polled[i] = (struct pollfd){.fd = ours ? server.listeners[i].fd : -1,
					    .events = POLLIN};
		any |= ours;
	}
	if (!any)
		return false;
	for (i = 0; i < count; i++)
		polled[LISTENERS + i] = (struct pollfd){.fd = server.peers[i].socket.fd,
							.events = POLLIN};
	if (poll(polled, LISTENERS + count, wait_ms()) < 0)
		return true;
	/* From the last to the first, as those behind a dropped one move. */
	for (i = count; i-- > 0;) {
		if (polled[LISTENERS + i].revents && peer_serve(&server.peers[i]))
			peer_drop(i);
	}
	drop_late();
	for (i = 0; i < LISTENERS; i++) {
		if (polled[i].revents && socket_is(&server.listeners[i]))
			accept_peer(&server.listeners[i]);
	}
	return true;
}

static void *run_server(void *arg)
{
	(void)arg;
	while (serve_once())
		;
	while (server.count)
		peer_drop(0);
	socket_close(&server.spare);
	share_server_ended();
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
		return error_set(ACLKM_ERR_NOTHREAD, "no thread to share memory with");
	pthread_detach(thread);
	return ACLKM_OK;
}

/* The file of the socket goes with the process that made it, not with its children. */
static void remove_file(void)
{
	if (server.unlink[0] && server.unlink_of == getpid())
		unlink(server.unlink);
	server.unlink[0] = '\0';
}

static int listen_at(struct socket *out, const struct sockaddr_un *name, socklen_t length)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (!socket_keep(out, fd))
		return -1;
	/* Before the file exists: only this user may connect. */
	fchmod(out->fd, 0600);
	if (!bind(out->fd, (const struct sockaddr *)name, length) &&
	    !listen(out->fd, BACKLOG))
		return 0;
	return -1;
}

static void close_all(void)
{
	int err = errno;

	socket_close(&server.listeners[BY_NAME]);
	socket_close(&server.listeners[BY_FILE]);
	socket_close(&server.spare);
	remove_file();
	errno = err;
}

/* Both names for @number; -1 with errno. */
static int listen_for(uint64_t number, const char *folder)
{
	struct sockaddr_un name;
	socklen_t length = share_abstract_name(number, &name);

	if (listen_at(&server.listeners[BY_NAME], &name, length))
		return -1;
	if (!folder)
		return 0;
	length = share_file_name(number, folder, &name);
	if (!length) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (listen_at(&server.listeners[BY_FILE], &name, length))
		return -1;
	strcpy(server.unlink, name.sun_path);
	server.unlink_of = getpid();
	return 0;
}

/* Numbers of this process begin with the upper bits from then on. */
static int share_server_start(void)
{
	const char *folder = config_get()->ipc_dir;
	static bool at_exit;
	uint32_t random = 0;
	uint64_t number;
	int err, tries;

	server.listeners[BY_NAME].fd = -1;
	server.listeners[BY_FILE].fd = -1;
	server.spare.fd = -1;
	/* A name that somebody took already is no reason to fail: there are others. */
	for (tries = 0; tries < TRIES; tries++) {
		if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return error_set(ACLKM_ERR_IO, "no random number: %s",
					 strerror(errno));
		number = (uint64_t)random << SHARE_SECRET_BITS;
		if (!number)
			continue;
		if (!listen_for(number, folder))
			break;
		close_all();
		if (errno != EADDRINUSE)
			return fd_refused(folder ? "a socket in ACLKM_IPC_DIR"
						 : "a socket for other processes");
	}
	if (tries == TRIES)
		return error_set(ACLKM_ERR_IO, "no free name for a socket");
	need_spare();
	if (!at_exit)
		at_exit = !atexit(remove_file);
	err = start_thread();
	if (err)
		close_all();
	else
		process = number;
	return err;
}

/* A number that no offer has, and that nobody can guess. */
static int new_number_locked(uint64_t *number)
{
	const uint64_t mask = (1ULL << SHARE_SECRET_BITS) - 1;
	uint64_t secret = 0;

	do {
		if (getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
			return error_set(ACLKM_ERR_IO, "no random number: %s",
					 strerror(errno));
		*number = process | (secret & mask);
	} while (!(secret & mask) || share_find_locked(*number));
	return ACLKM_OK;
}

int share_offer(const struct share_item *item, bool anyone, uint64_t *number)
{
	struct offer *offer = calloc(1, sizeof(*offer));
	int err = ACLKM_OK;

	if (!offer)
		return error_no_records();
	offer->item = *item;
	offer->anyone = anyone;
	if (!fd_know(item->fd, &offer->file))
		err = fd_lost(item->fd, "sharing");
	pthread_mutex_lock(&lock);
	if (!err && !process)
		err = share_server_start();
	if (!err)
		err = new_number_locked(&offer->number);
	if (!err) {
		offer->next = offers;
		offers = offer;
		*number = offer->number;
	}
	pthread_mutex_unlock(&lock);
	if (err)
		free(offer);
	return err;
}

int share_offer_file(const struct share_item *item, bool anyone, uint64_t *number)
{
	int err = share_offer(item, anyone, number);

	if (err)
		close(item->fd);
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
	offer = share_find_locked(number);
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
	fd_close(offer->item.fd, &offer->file);
	free(offer);
	return ACLKM_OK;
}

bool share_is_mine(uint64_t number)
{
	bool mine;

	pthread_mutex_lock(&lock);
	mine = share_find_locked(number);
	pthread_mutex_unlock(&lock);
	return mine;
}
