/* SPDX-License-Identifier: MIT */
/* Who wants to be called when devices are set, reset and aborted. */
#ifndef LIB_ACL_STATE_H
#define LIB_ACL_STATE_H

#include "acl/rt/device.h"
#include "acl/rt/stream.h"

/* Calls everybody who is registered now, with no lock held. */
void state_tell(int32_t device, aclrtDeviceState state);
void state_tell_abort(int32_t device, aclrtDeviceTaskAbortStage stage, uint32_t timeout);

#endif /* LIB_ACL_STATE_H */
