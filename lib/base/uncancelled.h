/* SPDX-License-Identifier: MIT */
/*
 * Every file of the library is compiled with this one in front. POSIX lets a thread that
 * was cancelled end inside many functions of the C library, and a library function that
 * has called one of them would never give its locks back. So these names stand for
 * functions of uncancelled.c that put the cancellation off until they have returned.
 */
#ifndef LIB_UNCANCELLED_H
#define LIB_UNCANCELLED_H

#pragma redefine_extname accept4 uncancelled_accept4
#pragma redefine_extname close uncancelled_close
#pragma redefine_extname connect uncancelled_connect
#pragma redefine_extname fallocate uncancelled_fallocate
#pragma redefine_extname fclose uncancelled_fclose
#pragma redefine_extname fcntl uncancelled_fcntl
#pragma redefine_extname fflush uncancelled_fflush
#pragma redefine_extname fgets uncancelled_fgets
#pragma redefine_extname fopen uncancelled_fopen
#pragma redefine_extname fprintf uncancelled_fprintf
#pragma redefine_extname fread uncancelled_fread
#pragma redefine_extname getdelim uncancelled_getdelim
#pragma redefine_extname ioctl uncancelled_ioctl
#pragma redefine_extname msync uncancelled_msync
#pragma redefine_extname nanosleep uncancelled_nanosleep
#pragma redefine_extname open uncancelled_open
#pragma redefine_extname openat uncancelled_openat
#pragma redefine_extname poll uncancelled_poll
#pragma redefine_extname pread uncancelled_pread
#pragma redefine_extname pthread_cond_wait uncancelled_pthread_cond_wait
#pragma redefine_extname pthread_join uncancelled_pthread_join
#pragma redefine_extname pwrite uncancelled_pwrite
#pragma redefine_extname read uncancelled_read
#pragma redefine_extname recv uncancelled_recv
#pragma redefine_extname recvmsg uncancelled_recvmsg
#pragma redefine_extname send uncancelled_send
#pragma redefine_extname sendmsg uncancelled_sendmsg
#pragma redefine_extname sigtimedwait uncancelled_sigtimedwait
#pragma redefine_extname usleep uncancelled_usleep
#pragma redefine_extname waitpid uncancelled_waitpid
#pragma redefine_extname write uncancelled_write

#endif /* LIB_UNCANCELLED_H */
