/* SPDX-License-Identifier: GPL-2.0 */
/* Fixtures of more than one program; included behind kselftest_harness.h. */
#ifndef ACLKM_SELFTEST_FIXTURES_H
#define ACLKM_SELFTEST_FIXTURES_H

#include "admin.h"
#include "dmabuf.h"
#include "kmsg.h"

/*
 * Pinned memory: @fd looks at the accounts, @owner has the handles. Afterwards nothing is
 * pinned, in the driver, in the kernel and in this process.
 */
#define FIXTURE_WITH_PINS(name)							\
FIXTURE(name) {									\
	int fd;									\
	int owner;								\
	struct aclkm_info before;						\
	long long pages;							\
};										\
FIXTURE_SETUP(name)								\
{										\
	self->fd = dev_open(O_RDWR);						\
	ASSERT_LE(0, self->fd);							\
	self->before = dev_info(self->fd);					\
	self->pages = pinned_pages();						\
	self->owner = dev_open(O_RDWR);						\
	ASSERT_LE(0, self->owner);						\
	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);				\
}										\
FIXTURE_TEARDOWN(name)								\
{										\
	close(self->owner);							\
	EXPECT_TRUE(accounts_back(self->fd, &self->before));			\
	EXPECT_EQ(self->pages, pinned_pages());					\
	EXPECT_EQ(0, proc_number("/proc/self/status", "VmPin"));		\
	EXPECT_EQ(0, proc_number("/proc/self/status", "VmLck"));		\
	close(self->fd);							\
}

/* A test that loads the module itself, by LOAD(); afterwards it is not loaded. */
#define FIXTURE_WITHOUT_MODULE(name)						\
FIXTURE(name) {									\
	int fd;									\
};										\
FIXTURE_SETUP(name)								\
{										\
	if (geteuid() || access(MODULE, R_OK))					\
		SKIP(return, "needs root and the module as " MODULE);		\
	module_unload();							\
	log_begin();								\
	self->fd = -1;								\
}										\
FIXTURE_TEARDOWN(name)								\
{										\
	int i;									\
										\
	if (self->fd >= 0)							\
		close(self->fd);						\
	for (i = 0; i < 50 && module_unload() == -EAGAIN; i++)			\
		usleep(20 * 1000);						\
	EXPECT_EQ(-ENOENT, module_unload());					\
}

#define LOAD(params) do {							\
	ASSERT_EQ(0, module_load(params));					\
	self->fd = dev_open(O_RDWR);						\
	ASSERT_LE(0, self->fd);							\
} while (0)

#endif /* ACLKM_SELFTEST_FIXTURES_H */
