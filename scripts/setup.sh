#!/usr/bin/env bash
# setup.sh demo|test|bench ...
#
# Installs what Cairn needs from Debian's (or Ubuntu's) archive: `demo` to start
# machines and to make the demonstration disk, `test` what the tests use besides,
# `bench` what the benchmarks compare with. Says what it will install before it
# does, and uses sudo where it is not root.
set -euo pipefail

DEMO="python3-venv qemu-system-x86 ovmf busybox-static debian-archive-keyring e2fsprogs fdisk mtools dosfstools
      grub-common grub-pc-bin grub-efi-amd64-bin openssh-client ca-certificates curl"
TEST="nbdkit libnbd-bin fio binutils g++ packer"
BENCH="nbdkit libnbd-bin fio restic borgbackup casync xfsprogs zstd hyperfine"

usage() {
    echo "usage: setup.sh demo|test|bench ..." >&2
    exit 2
}

wanted() {
    local section
    for section in "$@"; do
        case $section in
        demo) echo "$DEMO" ;;
        test) echo "$DEMO $TEST" ;;
        bench) echo "$DEMO $BENCH" ;;
        *) usage ;;
        esac
    done
}

is_installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

missing() {
    local package
    for package in $(wanted "$@" | xargs -n1 | sort -u); do
        is_installed "$package" || echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

may_install() {
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -v; }
}

install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 \
        install --yes --no-install-recommends --no-remove --allow-downgrades "$@"
}

# qemu-utils is wanted only where its programs are not there in any form.
qemu_utils_missing() { ! command -v qemu-img >/dev/null || ! command -v qemu-nbd >/dev/null; }

candidate() { apt-cache policy "$1" | sed -n 's/^  Candidate: //p'; }

# A qemu-utils from elsewhere, backports for one, breaks a qemu-system-common of another major version,
# and apt would remove it. Then both come in the version that goes together: that of qemu-utils
# where the archive has it, else the archive's.
qemu_in_one_version() {
    local installed package version
    installed=$(dpkg-query -W -f '${Version}' qemu-utils 2>/dev/null) || return 0
    version=$(candidate qemu-system-x86)
    [ "${installed%%[.+]*}" != "${version%%[.+]*}" ] || return 0
    if apt-cache madison qemu-system-x86 | grep -qF " $installed "; then version=$installed; fi
    [ "$version" = "$installed" ] || echo "setup: qemu-utils $installed does not go with the archive's qemu-system-x86; will be replaced by $version" >&2
    for package in qemu-system-x86 qemu-system-common qemu-system-data qemu-utils; do
        # qemu-system-data is built once for all architectures: it has no "+bN".
        [ $package = qemu-system-data ] && echo "$package=${version%+b[0-9]*}" || echo "$package=$version"
    done
}

[ $# -gt 0 ] || usage
wanted "$@" >/dev/null
command -v apt-get >/dev/null || {
    echo "setup: no apt-get here. Install what these Debian packages hold: $(wanted "$@" | xargs) qemu-utils" >&2
    exit 1
}

packages=$(missing "$@" | xargs)
if qemu_utils_missing; then packages="${packages:+$packages }qemu-utils"; fi
# A Rust toolchain that does not come from the archive brings no linker and no C compiler.
if ! command -v cc >/dev/null; then packages="${packages:+$packages }gcc libc6-dev"; fi
if [ -z "$packages" ]; then
    echo "setup: everything is installed"
    exit 0
fi

echo "setup: will install: $packages"
if ! may_install; then
    echo "setup: this takes root, and sudo is not here or not allowed. Have this run as root, then try again:" >&2
    echo "    apt-get install --no-install-recommends $packages" >&2
    exit 1
fi

as_root apt-get -qq update
case " $packages " in
*" qemu-system-x86 "*) versions=$(qemu_in_one_version | xargs) ;;
*) versions= ;;
esac
# shellcheck disable=SC2086 # lists of words
install $packages $versions
echo "setup: done"
