#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the version that include/aclkm/version.h gives.
exec sed -n 's/^#define ACLKM_VERSION "\(.*\)"$/\1/p' "$(dirname "$0")/../include/aclkm/version.h"
