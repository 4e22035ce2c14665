// SPDX-License-Identifier: GPL-2.0
/* MSG_ZEROCOPY over loopback TCP: sent out of regions, received into them. */
#include "gup.h"
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include "kselftest_harness.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif

GUP_FIXTURE

struct net {
	struct mover m;
	int tx, rx;
	uint32_t sent, completed;	/* zero-copy sends, and those notified */
	uint32_t copied;		/* of these, the kernel had to copy */
};

static int connect_pair(struct net *net)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	net->tx = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || net->tx < 0 ||
	    bind(listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) || listen(listener, 1) ||
	    connect(net->tx, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	net->rx = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	if (net->rx < 0 || setsockopt(net->tx, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) ||
	    setsockopt(net->tx, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		return -errno;
	return 0;
}

/* Reads what there is in the error queue: ranges of send numbers that are done. */
static int completions(struct net *net)
{
	char control[256];
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct sock_extended_err *ee;
	struct cmsghdr *cmsg;

	if (recvmsg(net->tx, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? 0 : -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_level != SOL_IP || cmsg->cmsg_type != IP_RECVERR)
		return -EPROTO;
	ee = (struct sock_extended_err *)CMSG_DATA(cmsg);
	if (ee->ee_errno || ee->ee_origin != SO_EE_ORIGIN_ZEROCOPY ||
	    ee->ee_info != net->completed || ee->ee_data < ee->ee_info)
		return -EPROTO;
	net->completed = ee->ee_data + 1;
	if (ee->ee_code & SO_EE_CODE_ZEROCOPY_COPIED)
		net->copied += ee->ee_data - ee->ee_info + 1;
	return 1;
}

/* Until the kernel has let go of all pages. */
static int all_completed(struct net *net)
{
	int tries, err;

	for (tries = 0; net->completed != net->sent; tries++) {
		struct pollfd poll_fd = { .fd = net->tx };

		err = completions(net);
		if (err < 0)
			return err;
		if (err)
			continue;
		if (tries > 1000)
			return -ETIMEDOUT;
		poll(&poll_fd, 1, 10);
	}
	return 0;
}

static int drain(struct net *net, char *copy, size_t len)
{
	size_t at;
	ssize_t n;

	for (at = 0; at < len; at += n) {
		n = recv(net->rx, copy + at, len - at, 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
	}
	return 0;
}

static int net_out(struct mover *m, void *mem, size_t len, void *copy)
{
	struct net *net = (struct net *)m;
	size_t at;
	ssize_t n;
	int err;

	for (at = 0; at < len; at += n) {
		n = send(net->tx, (char *)mem + at, len - at < 128 * KIB ? len - at : 128 * KIB,
			 MSG_ZEROCOPY);
		if (n <= 0) {
			err = n ? -errno : -EIO;
			/* Nothing of it may come later. */
			return all_completed(net) ?: err;
		}
		net->sent++;
		err = drain(net, (char *)copy + at, n);
		if (err)
			return err;
	}
	return all_completed(net);
}

static int net_in(struct mover *m, void *mem, size_t len, const void *copy)
{
	struct net *net = (struct net *)m;
	size_t at, part;
	int err;

	for (at = 0; at < len; at += part) {
		part = len - at < 64 * KIB ? len - at : 64 * KIB;
		if (send(net->tx, (const char *)copy + at, part, 0) != part)
			return -EIO;
		err = drain(net, (char *)mem + at, part);
		if (err)
			return err;
	}
	return 0;
}

static bool open_net(struct net *net)
{
	char *copy = mmap(NULL, LONGEST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	*net = (struct net){ .m = { .out = net_out, .in = net_in, .align = 1, .longest = 4 * MIB,
				    .copy = copy } };
	err = connect_pair(net);
	if (err)
		printf("# loopback: %d\n", err);
	return copy != MAP_FAILED && !err;
}

static void close_net(struct net *net)
{
	close(net->tx);
	close(net->rx);
	munmap(net->m.copy, LONGEST);
}

TEST_F_TIMEOUT(gup, zerocopy, 300)
{
	struct net net;

	NEED_MODE();
	ASSERT_TRUE(open_net(&net));
	EXPECT_TRUE(gup_walk(&net.m, self->fd, variant->flags, variant->unit));
	printf("# %u zero-copy sends, all notified, %u copied by loopback\n", net.sent, net.copied);
	close_net(&net);
}

/* Every length modulo a page, from places that move through the page as well. */
TEST_F_TIMEOUT(gup, zerocopy_every_length, 300)
{
	uint64_t size = variant->unit > 2 * SIZE_2M ? variant->unit : 2 * SIZE_2M;
	struct gup_region r;
	struct net net;
	uint64_t at;
	size_t len;

	NEED_MODE();
	ASSERT_TRUE(open_net(&net));
	ASSERT_TRUE(gup_open(&r, self->fd, size, variant->flags));
	if (!r.gup) {
		EXPECT_GT(0, net_out(&net.m, r.mem, PAGE, net.m.copy));
		gup_close(&r);
		close_net(&net);
		return;
	}
	pattern_fill(r.mem, 0, 2 * SIZE_2M, 5);
	for (len = 1; len <= PAGE; len++) {
		/* Around the border of two huge entries. */
		at = SIZE_2M - PAGE + len * 7 % PAGE;
		ASSERT_EQ(0, net_out(&net.m, r.mem + at, len, net.m.copy));
		if (!pattern_is(net.m.copy, at, len, 5))
			TH_LOG("%zu bytes", len);
		ASSERT_TRUE(pattern_is(net.m.copy, at, len, 5));
	}
	EXPECT_EQ(PAGE, net.completed);
	gup_close(&r);
	close_net(&net);
}

/* Bytes that nobody has received yet keep the region back. */
TEST_F(gup, unreceived_bytes_hold_the_region)
{
	uint64_t size = variant->unit > 2 * SIZE_2M ? variant->unit : 2 * SIZE_2M;
	int owner = dev_open(O_RDWR);
	struct gup_region r;
	struct net net;
	ssize_t n;

	NEED_MODE();
	ASSERT_TRUE(open_net(&net));
	ASSERT_TRUE(gup_open(&r, owner, size, variant->flags));
	if (!r.gup) {
		gup_close(&r);
		close(owner);
		close_net(&net);
		return;
	}
	pattern_fill(r.mem + SIZE_2M - 8 * KIB, 0, 16 * KIB, 6);
	n = send(net.tx, r.mem + SIZE_2M - 8 * KIB, 16 * KIB, MSG_ZEROCOPY);
	ASSERT_EQ(16 * KIB, n);
	net.sent++;
	gup_close(&r);
	close(owner);
	/* Loopback copies on receipt, so the pages are let go when that has been. */
	ASSERT_EQ(0, drain(&net, net.m.copy, n));
	EXPECT_TRUE(pattern_is(net.m.copy, 0, n, 6));
	EXPECT_EQ(0, all_completed(&net));
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close_net(&net);
}

TEST_HARNESS_MAIN
