/* SPDX-License-Identifier: MIT */
/* The header that programs of the hi_mpi media interface include. */
#ifndef ACL_DVPP_HI_DVPP_H
#define ACL_DVPP_HI_DVPP_H

#include "hi_media_common.h"
#include "hi_dvpp_vb.h"

#endif /* ACL_DVPP_HI_DVPP_H */
