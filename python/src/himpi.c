// SPDX-License-Identifier: MIT
/* acl.himpi: the other interface to media memory. Its codes are negative as an int. */
#include "args.h"

#include <acl/dvpp/hi_dvpp.h>

ACL_RET(sys_init, "", hi_mpi_sys_init())
ACL_RET(sys_exit, "", hi_mpi_sys_exit())
ACL_OUT(dvpp_malloc, "Ik", void *, hi_mpi_dvpp_malloc(U32(0), &out, w[1]))
ACL_RET(dvpp_free, "k", hi_mpi_dvpp_free(PTR(0)))

PyMethodDef acl_himpi_methods[] = {
	FN(sys_init, "()", "Start the media system. Gives ret."),
	FN(sys_exit, "()", "Stop it. Gives ret."),
	FN(dvpp_malloc, "(dev_id, size)",
	   "As acl.media.dvpp_malloc; dev_id is not used. Gives (ptr, ret)."),
	FN(dvpp_free, "(ptr)", "Gives ret."),
	FN_END,
};
