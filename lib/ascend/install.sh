#!/bin/sh
# SPDX-License-Identifier: MIT
# Lays out a folder as a toolkit of AscendCL, as build files, scripts and loaders look
# for it.
#
#   install.sh DIR SHOWN LIBRARY INCLUDE STUBS VERSION [PYTHON]
#
#   DIR      where to put it (with DESTDIR)
#   SHOWN    the same as programs will see it
#   LIBRARY  the library: a file that is copied, or a link's target relative to lib64
#   INCLUDE  the headers' folder: the same, relative to include
#   STUBS    folder of the stubs, one for each library of a toolkit
#   VERSION  of the toolkit that is played
#   PYTHON   folder with the Python module, copied
set -eu
dir=$1 shown=$2 library=$3 include=$4 stubs=$5 version=$6 python=${7:-}
here=$(dirname "$0")
arch=$(uname -m)
soname=libaclkm.so.0

install -d "$dir/lib64" "$dir/include" "$dir/bin" "$dir/driver" "$dir/compiler" "$dir/opp" \
	"$dir/python/site-packages"
case $library in
/*) install -m 755 "$library" "$dir/lib64/$soname" ;;
*) ln -sfn "$library" "$dir/lib64/$soname" ;;
esac
case $include in
/*)
	(cd "$include" && find acl aclkm -name '*.h') | while read -r header; do
		install -d "$dir/include/$(dirname "$header")"
		install -m 644 "$include/$header" "$dir/include/$header"
	done
	;;
*) ln -sfn "$include/acl" "$dir/include/acl" ;;
esac

# What is linked against a stub asks for the library by its own name, which the stub lets
# libaclkm answer for. So the same program starts on a host with the real libraries.
install -d "$dir/lib64/stub/linux" "$dir/devlib/linux"
for stub in "$stubs"/lib*.so; do
	install -m 755 "$stub" "$dir/lib64/"
	ln -sfn "../$(basename "$stub")" "$dir/lib64/stub/$(basename "$stub")"
	ln -sfn "../lib64/$(basename "$stub")" "$dir/devlib/$(basename "$stub")"
done
ln -sfn .. "$dir/lib64/stub/linux/$arch"
ln -sfn .. "$dir/devlib/linux/$arch"
ln -sfn "../$soname" "$dir/lib64/stub/$soname"
ln -sfn "../lib64/$soname" "$dir/devlib/$soname"

# Parts of a toolkit that had folders of their own.
for part in acllib fwkacllib runtime toolkit compiler; do
	install -d "$dir/$part"
	ln -sfn ../lib64 "$dir/$part/lib64"
	ln -sfn ../include "$dir/$part/include"
	printf 'Version=%s\nversion_dir=%s\n' "$version" "$version" > "$dir/$part/version.info"
done
ln -sfn . "$dir/latest"
printf 'Version=%s\nversion_dir=%s\n' "$version" "$version" > "$dir/version.info"
printf 'Version=%s\n' "$version" > "$dir/driver/version.info"
ln -sfn . "$dir/$arch-linux"
for other in x86_64 aarch64; do
	[ $other = "$arch" ] || install -d "$dir/$other-linux"
	printf 'package_name=Ascend-cann-toolkit\nversion=%s\ninnerversion=%s\narch=%s\nos=linux\npath=%s\n' \
		"$version" "$version" "$other" "$shown/$other-linux" \
		> "$dir/$other-linux/ascend_toolkit_install.info.new"
done
# The first is this very folder, by a link.
for other in x86_64 aarch64; do
	[ $other = "$arch" ] || mv "$dir/$other-linux/ascend_toolkit_install.info.new" \
		"$dir/$other-linux/ascend_toolkit_install.info"
done
mv "$dir/ascend_toolkit_install.info.new" "$dir/ascend_toolkit_install.info"

sed -e "s|@DIR@|$shown|; s|@UP@||" "$here/set_env.sh.in" > "$dir/set_env.sh"
sed -e "s|@DIR@|$shown|; s|@UP@|/..|" "$here/set_env.sh.in" > "$dir/bin/setenv.bash"
sed -e "s|@VERSION@|$version|" "$here/npu-smi.in" > "$dir/bin/npu-smi"
chmod 755 "$dir/bin/npu-smi"
if [ -n "$python" ] && [ -d "$python/acl" ]; then
	cp -R "$python/acl" "$dir/python/site-packages/"
fi
