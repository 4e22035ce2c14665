# SPDX-License-Identifier: MIT
# Compiler flags that the library and its unit tests share. SAN: none, asan, tsan.

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Werror

NO_UNDEFINED := -Wl,-z,defs
ifeq ($(SAN),asan)
SAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
NO_UNDEFINED :=
else ifeq ($(SAN),tsan)
SAN_FLAGS := -fsanitize=thread -fno-omit-frame-pointer
NO_UNDEFINED :=
else ifneq ($(SAN),none)
$(error SAN=$(SAN): must be none, asan or tsan)
endif

BASE_CFLAGS := -std=gnu11 $(WARNINGS) $(CFLAGS) $(SAN_FLAGS) -pthread
BASE_LDFLAGS := $(LDFLAGS) $(SAN_FLAGS)
