// SPDX-License-Identifier: GPL-2.0
/*
 * Which places of the module under test have run, by whatever task, worker or
 * interrupt, in all the times that it was loaded. The module is compiled with
 * -fsanitize-coverage=trace-pc and its calls come here, on kernels without KCOV.
 *
 * /sys/kernel/debug/aclkm_cov lists the places as offsets in the module's text.
 * The only state is a bitmap; bits are set without a lock and never cleared.
 */
#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#define TEXT_MAX (1UL << 20)

static DECLARE_BITMAP(places, TEXT_MAX);
static unsigned long text;
static struct dentry *file;

void notrace __sanitizer_cov_trace_pc(void)
{
	unsigned long at = _RET_IP_ - READ_ONCE(text);

	if (at < TEXT_MAX && !test_bit(at, places))
		set_bit(at, places);
}
EXPORT_SYMBOL_GPL(__sanitizer_cov_trace_pc);

/* Its text is where it lies until it is loaded again. */
static int module_coming(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;

	if (event == MODULE_STATE_COMING && !strcmp(mod->name, "aclkm")) {
#ifdef ACLKM_COV_MODULE_MEM
		WRITE_ONCE(text, (unsigned long)mod->mem[MOD_TEXT].base);
#else
		WRITE_ONCE(text, (unsigned long)mod->core_layout.base);
#endif
	}
	return NOTIFY_DONE;
}

static struct notifier_block module_notifier = { .notifier_call = module_coming };

static int places_show(struct seq_file *m, void *unused)
{
	unsigned long at;

	for_each_set_bit(at, places, TEXT_MAX)
		seq_printf(m, "%lx\n", at);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(places);

static int __init cov_init(void)
{
	file = debugfs_create_file("aclkm_cov", 0400, NULL, NULL, &places_fops);
	return register_module_notifier(&module_notifier);
}

static void __exit cov_exit(void)
{
	unregister_module_notifier(&module_notifier);
	debugfs_remove(file);
}

module_init(cov_init);
module_exit(cov_exit);

MODULE_DESCRIPTION("Which places of aclkm have run");
MODULE_LICENSE("GPL");
