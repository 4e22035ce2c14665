// SPDX-License-Identifier: MIT
#include "ipc/share.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
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

static struct offer *find_locked(uint64_t number)
{
	struct offer *offer = offers;

	while (offer && offer->number != number)
		offer = offer->next;
	return offer;
}

static enum share_reason refusal(const struct offer *offer, const struct ucred *peer)
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

void share_answer_locked(const struct share_request *request, const struct ucred *peer,
			 struct share_answer *answer)
{
	const struct offer *offer;

	*answer = (struct share_answer){.err = ACLKM_ERR_HANDLE};
	pthread_mutex_lock(&lock);
	offer = find_locked(request->number);
	if (!offer || offer->item.kind != request->kind ||
	    !fd_is(offer->item.fd, &offer->file))
		return;
	answer->reason = refusal(offer, peer);
	answer->err = answer->reason ? ACLKM_ERR_PERM : ACLKM_OK;
	if (!answer->err)
		answer->item = offer->item;
}

void share_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void share_server_ended(void)
{
	pthread_mutex_lock(&lock);
	process = 0;
	pthread_mutex_unlock(&lock);
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
	} while (!(secret & mask) || find_locked(*number));
	return ACLKM_OK;
}

int share_offer(const struct share_item *item, bool anyone, uint64_t *number)
{
	struct offer *offer = calloc(1, sizeof(*offer));
	int err = ACLKM_OK;

	if (!offer)
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the library's own records");
	offer->item = *item;
	offer->anyone = anyone;
	if (!fd_know(item->fd, &offer->file))
		err = fd_lost(item->fd, "sharing");
	pthread_mutex_lock(&lock);
	if (!err && !process)
		err = share_server_start(&process);
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
	fd_close(offer->item.fd, &offer->file);
	free(offer);
	return ACLKM_OK;
}

bool share_is_mine(uint64_t number)
{
	bool mine;

	pthread_mutex_lock(&lock);
	mine = find_locked(number);
	pthread_mutex_unlock(&lock);
	return mine;
}
