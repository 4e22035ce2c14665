// SPDX-License-Identifier: GPL-2.0
/*
 * RDMA: memory regions registered with ibv_reg_mr() on rdma_rxe, a software
 * adapter, and RDMA WRITE and READ between two of them over its loopback.
 * guest-devices.sh makes the adapter.
 */
#include "gup.h"
#include <infiniband/verbs.h>
#include <signal.h>
#include "kselftest_harness.h"

GUP_FIXTURE

struct rdma {
	struct ibv_context *ctx;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_qp *a, *b;
	union ibv_gid gid;
	int gid_index;
};

#define ALL (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ)

static struct ibv_qp *make_qp(struct rdma *r)
{
	struct ibv_qp_init_attr init = {
		.send_cq = r->cq, .recv_cq = r->cq, .qp_type = IBV_QPT_RC, .sq_sig_all = 1,
		.cap = { .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1,
				    .qp_access_flags = ALL };
	struct ibv_qp *qp = ibv_create_qp(r->pd, &init);

	if (!qp || ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
				 IBV_QP_ACCESS_FLAGS))
		return NULL;
	return qp;
}

static int connect_qp(struct rdma *r, struct ibv_qp *qp, uint32_t to)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR, .path_mtu = IBV_MTU_1024, .dest_qp_num = to,
		.max_dest_rd_atomic = 1, .min_rnr_timer = 12,
		.ah_attr = { .is_global = 1, .port_num = 1,
			     .grh = { .dgid = r->gid, .sgid_index = r->gid_index,
				      .hop_limit = 1 } },
	};

	if (ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
			  IBV_QP_DEST_QPN | IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
			  IBV_QP_MIN_RNR_TIMER))
		return -1;
	attr = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTS, .timeout = 14, .retry_cnt = 7,
				     .rnr_retry = 7, .max_rd_atomic = 1 };
	return ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
			     IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC);
}

/* An entry of the adapter's address table with the version that rxe routes, IPv4. */
static bool find_gid(struct rdma *r)
{
	struct ibv_gid_entry entries[16];
	ssize_t i, n = ibv_query_gid_table(r->ctx, entries, 16, 0);

	for (i = 0; i < n; i++) {
		if (entries[i].gid_type != IBV_GID_TYPE_ROCE_V2 || entries[i].gid.raw[10] != 0xff)
			continue;
		r->gid = entries[i].gid;
		r->gid_index = entries[i].gid_index;
		return true;
	}
	printf("# no IPv4 address among the %zd of the adapter\n", n);
	return false;
}

static void close_rdma(struct rdma *r)
{
	if (r->a)
		ibv_destroy_qp(r->a);
	if (r->b)
		ibv_destroy_qp(r->b);
	if (r->cq)
		ibv_destroy_cq(r->cq);
	if (r->pd)
		ibv_dealloc_pd(r->pd);
	if (r->ctx)
		ibv_close_device(r->ctx);
}

/* 1 if there is an adapter and it works, 0 if there is none, negative if it fails. */
static int open_rdma(struct rdma *r)
{
	struct ibv_device **list = ibv_get_device_list(NULL);

	*r = (struct rdma){};
	if (!list || !list[0])
		return 0;
	r->ctx = ibv_open_device(list[0]);
	ibv_free_device_list(list);
	if (!r->ctx || !find_gid(r))
		return -1;
	r->pd = ibv_alloc_pd(r->ctx);
	r->cq = r->pd ? ibv_create_cq(r->ctx, 8, NULL, NULL, 0) : NULL;
	if (!r->cq)
		return -2;
	r->a = make_qp(r);
	r->b = make_qp(r);
	if (!r->a || !r->b || connect_qp(r, r->a, r->b->qp_num) ||
	    connect_qp(r, r->b, r->a->qp_num)) {
		printf("# queue pairs: %s\n", strerror(errno));
		return -3;
	}
	return 1;
}

/* One RDMA operation of queue pair a, to its end. */
static int transfer(struct rdma *r, enum ibv_wr_opcode op, struct ibv_mr *local, void *at,
		    uint32_t len, struct ibv_mr *remote, void *there)
{
	struct ibv_sge sge = { (uintptr_t)at, len, local->lkey };
	struct ibv_send_wr *bad, wr = { .sg_list = &sge, .num_sge = 1, .opcode = op,
					.wr.rdma = { (uintptr_t)there, remote->rkey } };
	struct ibv_wc wc;
	int n, tries;

	if (ibv_post_send(r->a, &wr, &bad))
		return -errno;
	for (tries = 0; tries < 20000; tries++) {
		n = ibv_poll_cq(r->cq, 1, &wc);
		if (n)
			return n == 1 && wc.status == IBV_WC_SUCCESS ? 0 : -EIO;
		usleep(500);
	}
	return -ETIMEDOUT;
}

#define NEED_RDMA(r) do { \
	int there = open_rdma(r); \
	if (!there) \
		SKIP(return, "no RDMA adapter"); \
	ASSERT_EQ(1, there); \
} while (0)

TEST_F_TIMEOUT(gup, write_and_read, 300)
{
	uint64_t size = variant->unit > 8 * MIB ? variant->unit : 8 * MIB, at;
	static const struct { uint64_t from, to, len; } moves[] = {
		{ 0, 4 * MIB, 2 * MIB }, { SIZE_2M - PAGE, 6 * MIB - 3 * PAGE, 4 * PAGE },
		{ 5, 4 * MIB + 77, 10007 }, { MIB + 1, 7 * MIB, PAGE - 1 }, { 3 * MIB, 5 * MIB, 1 },
	};
	struct gup_region g;
	struct ibv_mr *mr;
	struct rdma r;
	int i;

	NEED_MODE();
	NEED_RDMA(&r);
	ASSERT_TRUE(gup_open(&g, self->fd, size, variant->flags));
	mr = ibv_reg_mr(r.pd, g.mem, size, ALL);
	if (!g.gup) {
		EXPECT_EQ(NULL, mr);
		gup_close(&g);
		close_rdma(&r);
		return;
	}
	ASSERT_NE(NULL, mr);
	EXPECT_LE(self->pinned + size / PAGE, pinned_pages());
	for (i = 0; i < ARRAY_SIZE(moves); i++) {
		pattern_fill(g.mem, 0, 4 * MIB, i);
		memset(g.mem + 4 * MIB, 0, 4 * MIB);
		ASSERT_EQ(0, transfer(&r, IBV_WR_RDMA_WRITE, mr, g.mem + moves[i].from,
				      moves[i].len, mr, g.mem + moves[i].to));
		EXPECT_TRUE(pattern_is(g.mem + moves[i].to, moves[i].from, moves[i].len, i));
		at = moves[i].to + moves[i].len;
		EXPECT_TRUE(all_bytes(g.mem + 4 * MIB, moves[i].to - 4 * MIB, 0));
		EXPECT_TRUE(all_bytes(g.mem + at, 8 * MIB - at, 0));
		/* And what is there comes back. */
		memset(g.mem, 0, 4 * MIB);
		ASSERT_EQ(0, transfer(&r, IBV_WR_RDMA_READ, mr, g.mem + moves[i].from,
				      moves[i].len, mr, g.mem + moves[i].to));
		EXPECT_TRUE(pattern_is(g.mem + moves[i].from, moves[i].from, moves[i].len, i));
	}
	EXPECT_EQ(0, ibv_dereg_mr(mr));
	gup_close(&g);
	close_rdma(&r);
}

/* Registered, then unmapped, freed and closed: the adapter still writes, nobody else gets it. */
TEST_F_TIMEOUT(gup, held_until_deregistered, 120)
{
	uint64_t size = variant->unit > 8 * MIB ? variant->unit : 8 * MIB;
	int owner = dev_open(O_RDWR);
	struct gup_region g, own;
	struct ibv_mr *mr, *mine;
	struct rdma r;

	NEED_MODE();
	NEED_RDMA(&r);
	ASSERT_TRUE(gup_open(&g, owner, size, variant->flags));
	if (!g.gup) {
		gup_close(&g);
		close_rdma(&r);
		return;
	}
	own.mem = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mine = ibv_reg_mr(r.pd, own.mem, MIB, ALL);
	mr = ibv_reg_mr(r.pd, g.mem, size, ALL);
	ASSERT_NE(NULL, mine);
	ASSERT_NE(NULL, mr);
	pattern_fill(g.mem, 0, MIB, 1);
	gup_close(&g);
	close(owner);
	EXPECT_EQ(self->before.held + size, dev_info(self->fd).held);
	EXPECT_EQ(self->before.free - size, dev_info(self->fd).free);
	ASSERT_EQ(0, transfer(&r, IBV_WR_RDMA_READ, mine, own.mem, MIB, mr, g.mem));
	EXPECT_TRUE(pattern_is(own.mem, 0, MIB, 1));
	EXPECT_EQ(0, ibv_dereg_mr(mr));
	EXPECT_EQ(0, ibv_dereg_mr(mine));
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close_rdma(&r);
}

struct victim {
	uint32_t flags;
	uint64_t size;
};

static int register_and_die(void *arg)
{
	struct victim *v = arg;
	struct gup_region g;
	struct rdma r;

	if (open_rdma(&r) != 1 || !gup_open(&g, dev_open(O_RDWR), v->size, v->flags))
		return 1;
	if (!ibv_reg_mr(r.pd, g.mem, v->size, ALL) && g.gup)
		return 2;
	gup_close(&g);
	kill(getpid(), SIGKILL);
	return 3;
}

TEST_F_TIMEOUT(gup, killed_with_memory_registered, 120)
{
	struct victim v = { variant->flags, variant->unit > 8 * MIB ? variant->unit : 8 * MIB };
	struct rdma r;

	NEED_MODE();
	NEED_RDMA(&r);
	close_rdma(&r);
	EXPECT_EQ(-SIGKILL, in_child(register_and_die, &v));
}

TEST_HARNESS_MAIN
