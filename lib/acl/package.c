// SPDX-License-Identifier: MIT
/* The version of the toolkit that this library plays. */
#include "acl/acl_rt.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "acl/result.h"
#include "acl/package.h"

#define PART(number) PART_OF(number)
#define PART_OF(number) #number
#define VERSION_TEXT PART(PACKAGE_MAJOR) "." PART(PACKAGE_MINOR) "." PART(PACKAGE_RELEASE)

static const char *const packages[] = {"cann", "runtime", "toolkit", "driver"};

static aclError package_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
		if (!strcasecmp(name, packages[i]))
			return ACL_SUCCESS;
	}
	return acl_refuse(
		ACL_ERROR_INVALID_FILE,
		"pkgName = %.64s: this library plays cann, runtime, toolkit and "
		"driver",
		name);
}

aclError aclsysGetVersionStr(char *pkgName, char *versionStr)
{
	aclError code = acl_enter(__func__) ?: acl_need(pkgName, "pkgName") ?:
			acl_need(versionStr, "versionStr") ?: package_find(pkgName);

	if (!code)
		strcpy(versionStr, VERSION_TEXT);
	return code;
}

aclError aclsysGetVersionNum(char *pkgName, int32_t *versionNum)
{
	aclError code = acl_enter(__func__) ?: acl_need(pkgName, "pkgName") ?:
			acl_need(versionNum, "versionNum") ?: package_find(pkgName);

	if (!code)
		*versionNum = PACKAGE_MAJOR * 10000000 + PACKAGE_MINOR * 100000 +
			      PACKAGE_RELEASE * 1000;
	return code;
}

aclError aclsysGetCANNVersion(aclCANNPackageName name, aclCANNPackageVersion *version)
{
	aclError code = acl_enter(__func__) ?: acl_need(version, "version");

	if (code)
		return code;
	if ((uint32_t)name > ACL_PKG_NAME_DRIVER)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "name = %d: not a value of aclCANNPackageName",
				  (int)name);
	if (name != ACL_PKG_NAME_CANN && name != ACL_PKG_NAME_RUNTIME &&
	    name != ACL_PKG_NAME_TOOLKIT && name != ACL_PKG_NAME_DRIVER)
		return acl_refuse(
			ACL_ERROR_INVALID_FILE,
			"name = %d: the package is not installed: compilers and "
			"operators are not there",
			(int)name);
	memset(version, 0, sizeof(*version));
	strcpy(version->version, VERSION_TEXT);
	strcpy(version->majorVersion, PART(PACKAGE_MAJOR));
	strcpy(version->minorVersion, PART(PACKAGE_MINOR));
	strcpy(version->releaseVersion, PART(PACKAGE_RELEASE));
	return ACL_SUCCESS;
}
