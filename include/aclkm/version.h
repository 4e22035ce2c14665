/* SPDX-License-Identifier: MIT */
/*
 * aclkm/version.h - the version of this tree. The library, the module, the command, the
 * Python package, the manual pages and the packages all read it here.
 */
#ifndef ACLKM_VERSION_H
#define ACLKM_VERSION_H

#define ACLKM_VERSION "0.2.0"

#endif
