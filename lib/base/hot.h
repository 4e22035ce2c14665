/* SPDX-License-Identifier: MIT */
/*
 * What runs between a call that gives a sleeping worker something to do and the end of
 * the wait for it lies side by side in the library: its code is cold then, and each page
 * of it costs.
 */
#ifndef LIB_HOT_H
#define LIB_HOT_H

#define HOT __attribute__((hot))

/*
 * A variable that is reached in one step: of what is only declared the compiler has to
 * think that it may be another library's.
 */
#define HIDDEN __attribute__((visibility("hidden")))

#endif /* LIB_HOT_H */
