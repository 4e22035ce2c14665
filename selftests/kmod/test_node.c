// SPDX-License-Identifier: GPL-2.0
/* Who can reach the driver at all: the node, the parameters, the files of debugfs and sysfs. */
#include "admin.h"
#include "kselftest_harness.h"

static int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : (int)(st.st_mode & 07777);
}

/* As the driver makes it; a rule of udev gives it its group. */
TEST(node_is_for_owner_and_group)
{
	struct stat st;

	ASSERT_EQ(0, stat(ACLKM_DEVICE_PATH, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0660, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
}

static int open_as_nobody(void *arg)
{
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		return 1;
	return dev_open(O_RDONLY) == -EACCES && dev_open(O_RDWR) == -EACCES ? 0 : 2;
}

TEST(others_cannot_open_it)
{
	EXPECT_EQ(0, in_child(open_as_nobody, NULL));
}

/* Only root reads what has addresses in it, and nobody else writes anything. */
TEST(files_with_addresses_are_for_root)
{
	EXPECT_EQ(0400, mode_of("/sys/kernel/debug/aclkm/arenas"));
	EXPECT_EQ(0400, mode_of("/sys/module/aclkm/parameters/carveout"));
	EXPECT_EQ(0200, mode_of(SYSFS "grow"));
	EXPECT_EQ(0200, mode_of(SYSFS "shrink"));
	EXPECT_EQ(0644, mode_of(SYSFS "limits/user_bytes"));
	EXPECT_EQ(0444, mode_of(SYSFS "free"));
}

TEST_HARNESS_MAIN
