/* SPDX-License-Identifier: MIT */
/*
 * The version of the toolkit that this library plays: the first whose runtime has the
 * interface 1.17.0. The Makefile writes it into the files of an installation.
 */
#ifndef LIB_ACL_PACKAGE_H
#define LIB_ACL_PACKAGE_H

#define PACKAGE_MAJOR 9
#define PACKAGE_MINOR 1
#define PACKAGE_RELEASE 0

#endif /* LIB_ACL_PACKAGE_H */
