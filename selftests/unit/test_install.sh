#!/bin/sh
# SPDX-License-Identifier: MIT
# The installed tree: programs build and run against the names of AscendCL's own
# libraries, in its layout; nothing is left after uninstall.
top=@TOP@
# shellcheck source=tap.sh
. @TOP@/selftests/unit/tap.sh
unset MAKEFLAGS MFLAGS MAKELEVEL
export ACLKM_BACKEND=user ACLKM_MEM=48M
prefix=$work/prefix
home=$prefix/lib/aclkm/ascend

make -s -C "$top/lib" install B=@LIB@ PREFIX="$prefix" > "$work/log" 2>&1
result $? "make install"
[ ! -e "$prefix/lib/libascendcl.so" ]
result $? "names of another installation are not where the linker looks"

cat > "$work/client.c" <<'EOF'
#include <acl/acl.h>
#include <acl/dvpp/hi_dvpp.h>
#include <acl/ops/acl_dvpp.h>
int main(void)
{
	void *p, *q, *r;
	return aclInit(0) || aclrtSetDevice(0) || aclrtMalloc(&p, 100, ACL_MEM_MALLOC_HUGE_FIRST) ||
	       aclrtFree(p) || acldvppMalloc(&q, 100) || acldvppFree(q) ||
	       hi_mpi_dvpp_malloc(0, &r, 100) || hi_mpi_dvpp_free(r) || aclFinalize();
}
EOF
for lib in lib64 lib64/stub devlib "devlib/linux/$(uname -m)" runtime/lib64/stub acllib/lib64/stub \
	fwkacllib/lib64 latest/lib64 "$(uname -m)-linux/lib64" "$(uname -m)-linux/devlib"; do
	cc -Wall -Werror -I"$home/include" -o "$work/client" "$work/client.c" -L"$home/$lib" \
		-lascendcl -lacl_dvpp -lacl_dvpp_mpi > "$work/log" 2>&1 &&
		LD_LIBRARY_PATH="$home/lib64" "$work/client" >> "$work/log" 2>&1
	result $? "a client links -lascendcl and the media libraries from $lib, and runs"
done
cc -Wall -Werror -I"$prefix/include" -o "$work/client" "$work/client.c" -L"$prefix/lib" \
	-laclkm > "$work/log" 2>&1 && LD_LIBRARY_PATH="$prefix/lib" "$work/client" >> "$work/log" 2>&1
result $? "or -laclkm"
c++ -std=c++17 -Wall -Werror -x c++ -I"$home/include" -o "$work/client" "$work/client.c" \
	-L"$home/lib64" -lascendcl -lacl_dvpp -lacl_dvpp_mpi > "$work/log" 2>&1 &&
	LD_LIBRARY_PATH="$home/lib64" "$work/client" >> "$work/log" 2>&1
result $? "C++17"
# shellcheck source=/dev/null
(. "$home/set_env.sh" && cc -o "$work/client" "$work/client.c" -lascendcl -lacl_dvpp \
	-lacl_dvpp_mpi && "$work/client") > "$work/log" 2>&1
result $? "after set_env.sh no flags are needed"

# What programs written for Ascend do, in both languages, and by nothing but these names.
cp "$top/selftests/unit/test_clients.c" "$top/selftests/unit/tap.h" "$work/"
whole_client() { # compiler arguments...
	"$@" -Wall -Wextra -Werror -D_GNU_SOURCE -I"$home/include" -o "$work/clients" \
		"$work/test_clients.c" -L"$home/lib64" -lascendcl -lacl_dvpp -lacl_dvpp_mpi \
		-pthread -ldl > "$work/log" 2>&1 &&
		LD_LIBRARY_PATH="$home/lib64" "$work/clients" > "$work/log" 2>&1 &&
		! grep -q SKIP "$work/log"
}
whole_client cc -std=c11
result $? "what frameworks call, in C11"
whole_client c++ -std=c++17 -x c++
result $? "and in C++17"

# find_package(aclkm), where the library is installed and where it only lies in a DESTDIR.
mkdir "$work/package"
cp "$work/client.c" "$work/package/"
cat > "$work/package/CMakeLists.txt" <<'EOF'
cmake_minimum_required(VERSION 3.13)
project(client C)
find_package(aclkm ${WANTED} REQUIRED)
add_executable(shared client.c)
target_link_libraries(shared aclkm::aclkm)
add_executable(static client.c)
target_link_libraries(static aclkm::aclkm_static)
EOF
version=$("$top/tools/version.sh")
if command -v cmake > /dev/null; then
	cp -r "$prefix" "$work/moved"
	for where in prefix moved; do
		cmake -S "$work/package" -B "$work/package/$where" -DWANTED="${version%.*}" \
			-DCMAKE_PREFIX_PATH="$work/$where" > "$work/log" 2>&1 &&
			cmake --build "$work/package/$where" >> "$work/log" 2>&1 &&
			"$work/package/$where/shared" >> "$work/log" 2>&1 &&
			"$work/package/$where/static" >> "$work/log" 2>&1
		result $? "CMake finds the package in $where: shared and static"
	done
	! cmake -S "$work/package" -B "$work/package/later" -DWANTED=99.0 \
		-DCMAKE_PREFIX_PATH="$prefix" > "$work/log" 2>&1
	result $? "CMake refuses a version that is not there"
	rm -rf "$work/moved"
else
	skip "CMake's package" "cmake is not installed"
fi
[ "$(PKG_CONFIG_PATH="$prefix/lib/pkgconfig" pkg-config --modversion aclkm)" = "$version" ]
result $? "pkg-config knows the version"

# Build systems of clients find a toolkit by one variable or another, and look for headers
# and libraries in folders that changed with its versions.
mkdir "$work/cmake"
cp "$work/client.c" "$work/cmake/client.cpp"
cat > "$work/cmake/CMakeLists.txt" <<'EOF'
cmake_minimum_required(VERSION 3.13)
project(client CXX)
set(roots "$ENV{ASCEND_TOOLKIT_HOME}" "$ENV{ASCEND_HOME_PATH}" "$ENV{ASCEND_INSTALL_PATH}")
find_path(ACL_INCLUDE acl/acl_rt.h PATHS ${roots} PATH_SUFFIXES ${WHERE_INCLUDE} NO_DEFAULT_PATH)
find_library(ACL_LIBRARY ascendcl PATHS ${roots} PATH_SUFFIXES ${WHERE_LIB} NO_DEFAULT_PATH)
find_library(DVPP_LIBRARY acl_dvpp PATHS ${roots} PATH_SUFFIXES ${WHERE_LIB} NO_DEFAULT_PATH)
find_library(MPI_LIBRARY acl_dvpp_mpi PATHS ${roots} PATH_SUFFIXES ${WHERE_LIB} NO_DEFAULT_PATH)
if(NOT ACL_INCLUDE OR NOT ACL_LIBRARY OR NOT DVPP_LIBRARY)
  message(FATAL_ERROR "not found: ${ACL_INCLUDE} ${ACL_LIBRARY} ${DVPP_LIBRARY}")
endif()
add_executable(client client.cpp)
target_include_directories(client PRIVATE ${ACL_INCLUDE})
target_link_libraries(client PRIVATE ${ACL_LIBRARY} ${DVPP_LIBRARY} ${MPI_LIBRARY})
EOF
cmake_finds() { # variable include lib
	if ! command -v cmake > /dev/null; then
		skip "CMake, $1" 'not installed'
		return
	fi
	rm -rf "$work/cmake/build"
	(cd "$work/cmake" && env -u ASCEND_HOME_PATH -u ASCEND_TOOLKIT_HOME -u ASCEND_INSTALL_PATH \
		"$1=$home" cmake -B build -DWHERE_INCLUDE="$2" -DWHERE_LIB="$3" . &&
		cmake --build build) > "$work/log" 2>&1 &&
		LD_LIBRARY_PATH="$home/lib64" "$work/cmake/build/client" >> "$work/log" 2>&1
	result $? "CMake: $1, $2, $3"
}
cmake_finds ASCEND_HOME_PATH include lib64
cmake_finds ASCEND_TOOLKIT_HOME "$(uname -m)-linux/include" "$(uname -m)-linux/lib64"
cmake_finds ASCEND_INSTALL_PATH runtime/include runtime/lib64
cmake_finds ASCEND_TOOLKIT_HOME acllib/include acllib/lib64/stub

# A program that was built elsewhere: it needs libascendcl.so, and symbols without versions.
mkdir "$work/real"
printf 'int aclInit(const char *p) { return p != 0; }\nint aclrtSetDevice(int d) { return d; }\n' \
	> "$work/real.c"
printf 'int aclInit(const char *); int aclrtSetDevice(int);\nint main(void) { return aclInit(0) || aclrtSetDevice(0); }\n' \
	> "$work/other.c"
cc -shared -fPIC -Wl,-soname,libascendcl.so -o "$work/real/libascendcl.so" "$work/real.c" &&
	cc -o "$work/other" "$work/other.c" -L"$work/real" -lascendcl &&
	readelf -d "$work/other" | grep -q 'NEEDED.*libascendcl.so' &&
	LD_LIBRARY_PATH="$home/lib64" "$work/other" > "$work/log" 2>&1
result $? "a program that was linked with another libascendcl.so runs"
printf '#include <dlfcn.h>\nint main(void) { void *h = dlopen("libascendcl.so", RTLD_NOW); return !h || !dlsym(h, "aclrtMallocAlign32") || !dlsym(h, "rtMalloc") || dlsym(h, "aclblasGemmEx") != 0; }\n' \
	> "$work/dl.c"
cc -o "$work/dl" "$work/dl.c" && LD_LIBRARY_PATH="$home/lib64" "$work/dl"
result $? "dlopen and dlsym find what there is"
printf 'int aclmdlLoadFromFile(const char *, unsigned *);\nint main(void) { unsigned i; return aclmdlLoadFromFile("m", &i) != 207000; }\n' \
	> "$work/model.c"
cc -o "$work/model" "$work/model.c" -L"$home/lib64" -lascendcl > "$work/log" 2>&1 &&
	LD_LIBRARY_PATH="$home/lib64" "$work/model" >> "$work/log" 2>&1
result $? "a program that loads models as well links, and is told that there are none"

# A folder of the caller's choice, which may be moved: nothing in it names another place.
root=$work/root
make -s -C "$top/lib" install-ascend B=@LIB@ PREFIX=/opt/toolkit DESTDIR="$root" SYSTEM=1 \
	> "$work/log" 2>&1
result $? "make install-ascend PREFIX=/opt/toolkit SYSTEM=1"
[ "$(readlink "$root/usr/local/Ascend/ascend-toolkit/latest")" = /opt/toolkit ]
result $? "SYSTEM=1: /usr/local/Ascend has it"
kit=$work/moved
[ ! -e "$prefix/usr" ] && mv "$root/opt/toolkit" "$kit"
result $? "the folder is moved"
for file in version.info compiler/version.info driver/version.info runtime/version.info \
	"$(uname -m)-linux/ascend_toolkit_install.info" x86_64-linux/ascend_toolkit_install.info \
	aarch64-linux/ascend_toolkit_install.info; do
	grep -qiE '^version=[0-9]+\.[0-9]+' "$kit/$file" 2> "$work/log"
	result $? "$file tells a version"
done
for part in acllib fwkacllib runtime toolkit; do
	[ -e "$kit/$part/include/acl/acl.h" ] && [ -e "$kit/$part/lib64/libascendcl.so" ]
	result $? "$part has headers and libraries"
done

# What the linker writes down: the names of the real libraries, each where it is needed.
cc -I"$kit/include" -o "$work/client" "$work/client.c" -L"$kit/lib64/stub" -Wl,--as-needed \
	-lascendcl -lacl_dvpp -lacl_dvpp_mpi -lruntime > "$work/log" 2>&1
needed=$(readelf -d "$work/client" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v '^libc\.' |
	sort | tr '\n' ' ')
[ "$needed" = 'libacl_dvpp.so libacl_dvpp_mpi.so libascendcl.so ' ]
result $? "DT_NEEDED: $needed"
LD_LIBRARY_PATH="$kit/lib64" "$work/client" > "$work/log" 2>&1
result $? "it starts here"
# Libraries of these names, each with its own functions and nothing of this library.
rm -rf "$work/real" && mkdir "$work/real"
while read -r name functions; do
	for function in $functions; do
		echo "int $function() { return 0; }"
	done > "$work/real/$name.c"
	cc -w -shared -fPIC -Wl,-soname,"lib$name.so" -o "$work/real/lib$name.so" "$work/real/$name.c"
done <<'EOF'
ascendcl aclInit aclFinalize aclrtSetDevice aclrtMalloc aclrtFree
acl_dvpp acldvppMalloc acldvppFree
acl_dvpp_mpi hi_mpi_dvpp_malloc hi_mpi_dvpp_free
EOF
LD_LIBRARY_PATH="$work/real" "$work/client" > "$work/log" 2>&1
result $? "and on a host with the real libraries, without a relink"
cat > "$work/two.c" <<'EOF'
#include <acl/acl.h>
#include <dlfcn.h>
int main(void)
{
	void *block, *other = dlopen("libacl_rt.so", RTLD_NOW);
	int (*give)(void *) = other ? (int (*)(void *))dlsym(other, "aclrtFree") : 0;
	return aclrtSetDevice(0) || aclrtMalloc(&block, 100, 0) || !give || give(block);
}
EOF
cc -w -I"$kit/include" -o "$work/two" "$work/two.c" -L"$kit/lib64" -lascendcl > "$work/log" 2>&1 &&
	LD_LIBRARY_PATH="$kit/lib64" "$work/two" >> "$work/log" 2>&1
result $? "libascendcl.so and libacl_rt.so are one library in a process"

# set_env.sh and setenv.bash find the folder that they are in.
cat > "$work/homes.sh" <<'EOF'
. "$1" || exit 1
echo "$ASCEND_HOME"
echo "$ASCEND_HOME_PATH"
echo "$ASCEND_TOOLKIT_HOME"
echo "$ASCEND_CANN_PACKAGE_PATH"
echo "$ASCEND_AICPU_PATH"
echo "${ASCEND_OPP_PATH%/opp}"
echo "${TOOLCHAIN_HOME%/toolkit}"
echo "${PATH%%/bin:*}"
echo "${PYTHONPATH%/python/site-packages}"
echo "$CMAKE_PREFIX_PATH"
echo "${LD_LIBRARY_PATH%/lib64}"
echo "$CPATH" | sed 's|^/own:||; s|/include$||'
echo "$CPLUS_INCLUDE_PATH" | grep .
EOF
for script in set_env.sh bin/setenv.bash; do
	for shell in bash zsh; do
		if ! command -v $shell > /dev/null; then
			skip "$shell: $script finds itself" 'not installed'
			continue
		fi
		env -i PATH="$PATH" CPATH=/own $shell "$work/homes.sh" "$kit/$script" > "$work/homes" \
			2> "$work/log"
		[ "$(wc -l < "$work/homes")" = 12 ] && [ "$(sort -u "$work/homes")" = "$kit" ]
		result $? "$shell: $script finds itself, by twelve variables"
	done
done
printf '#include <acl/acl.h>\nint main() { return aclrtSetDevice(0); }\n' > "$work/cpp.cc"
# shellcheck disable=SC2016
bash -c '. "$1/set_env.sh" && c++ -o "$2/cpp" "$2/cpp.cc" -lascendcl && "$2/cpp"' bash "$kit" \
	"$work" > "$work/log" 2>&1
result $? "after set_env.sh C++ needs no flags either"

# npu-smi, as build files and scripts read it.
smi() {
	env -u ACLKM_SOC_NAME PATH="$kit/bin:$PATH" npu-smi "$@"
}
[ "$(smi info | awk 'NF > 0 && NR == 7 { print $3 }')" = 910B3 ]
result $? "npu-smi info: the name in the seventh line"
[ "$(smi info -m | awk 'NR == 2 { print $4, $5 }')" = 'Ascend 910B3' ]
result $? "npu-smi info -m"
[ "$(ACLKM_DEVICES=3 smi info -l | grep -c 'NPU ID')" = 3 ]
result $? "npu-smi info -l: as many as ACLKM_DEVICES"
board=$(smi info -t board -i 0 -c 0 | awk -F: '/Chip (Type|Name)/ { gsub(/ /, "", $2); printf "%s", $2 }')
[ "$board" = Ascend910B3 ]
result $? "npu-smi info -t board: type and name"
[ "$(ACLKM_SOC_NAME=Ascend310P3 "$kit/bin/npu-smi" info | awk 'NR == 7 { print $3 }')" = 310P3 ]
result $? "npu-smi: ACLKM_SOC_NAME counts"
! smi info -t board -i 7 2> "$work/log"
result $? "npu-smi: no such device"

make -s -C "$top/lib" uninstall B=@LIB@ PREFIX="$prefix" > "$work/log" 2>&1
result $? "make uninstall"
find "$prefix" ! -type d > "$work/log"
[ ! -s "$work/log" ]
result $? "leaves no file"
done_testing
