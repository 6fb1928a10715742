#!/usr/bin/env bash
# guest-disk.sh OUT.raw [SIZE_MIB]
#
# Makes a small, real Linux disk: Debian 12's own kernel and user land, an SSH
# server, and a few scripts (guest-disk/) that do what cloud-init does. It boots
# by BIOS and by UEFI, from an NVMe disk, in seconds.
#
# Needs no root, no mounts and no loop devices. Takes about half a minute, most
# of it downloading 50 MB of packages, which are kept under
# ${XDG_CACHE_HOME:-~/.cache}/cairn/guest-disk for the next time.
# Packages that it needs: scripts/setup.sh demo.
set -euo pipefail

OUT=${1:?usage: guest-disk.sh OUT.raw [SIZE_MIB]}
SIZE_MIB=${2:-1024}
MIRROR=${CAIRN_DEBIAN_MIRROR:-http://deb.debian.org}
SUITE=bookworm
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/cairn/guest-disk
HERE=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

# Wanted by name; apt adds what they depend on.
PACKAGES="linux-image-cloud-amd64 busybox-static dash coreutils util-linux curl ca-certificates dropbear-bin"

# Dependencies that only serve an installation, which never happens here.
UNUSED="adduser cpio debconf dpkg initramfs-tools initramfs-tools-core klibc-utils libklibc
        libpam-modules libpam-modules-bin linux-base openssl passwd perl-base tar udev
        util-linux-extra"

# What is kept of the kernel's modules (the file systems and the disk, ext4 and
# nvme, are built in).
MODULES="block crypto lib fs/btrfs fs/fat fs/isofs fs/nls fs/overlayfs fs/squashfs fs/xfs fs/fuse
         drivers/acpi/button.ko drivers/block drivers/char/hw_random drivers/input/evdev.ko
         drivers/md drivers/net/net_failover.ko drivers/net/virtio_net.ko drivers/virtio net/core"

say() { printf 'guest-disk: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

require() {
    local tool missing=""
    for tool in "$@"; do command -v "$tool" >/dev/null || missing+=" $tool"; done
    [ -z "$missing" ] || die "missing:$missing (run scripts/setup.sh demo)"
}

# An apt of our own: Debian's package lists, whatever this host runs.
own_apt() {
    apt-get -qq \
        -o Dir::Etc::sourcelist="$WORK/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State="$WORK/apt" -o Dir::State::status="$WORK/status" \
        -o Dir::Cache="$CACHE" -o APT::Sandbox::User= -o Debug::NoLocking=1 \
        -o APT::Architecture=amd64 -o APT::Architectures::=amd64 \
        -o APT::Install-Recommends=false -o Dpkg::Use-Pty=0 "$@"
}

download() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$keyring" ] || die "missing $keyring (run scripts/setup.sh demo)"
    mkdir -p "$WORK/apt/lists/partial" "$WORK/none/partial" "$CACHE/archives/partial"
    : >"$WORK/status"
    printf 'deb [signed-by=%s] %s %s main\n' \
        "$keyring" "$MIRROR/debian" "$SUITE" \
        "$keyring" "$MIRROR/debian-security" "$SUITE-security" >"$WORK/sources.list"
    own_apt update
    # shellcheck disable=SC2086 # a list of words
    own_apt install --yes --download-only $PACKAGES
    # The files' names, in one place: what is in the cache already is not listed otherwise.
    # shellcheck disable=SC2086
    own_apt -o Dir::Cache::archives="$WORK/none" install --print-uris --yes $PACKAGES |
        cut -d' ' -f2 >"$WORK/list"
}

extract() {
    local deb name
    mkdir -p "$ROOT"
    while read -r deb; do
        name=${deb%%_*}
        case " $(echo $UNUSED) " in *" $name "*) continue ;; esac
        dpkg-deb -x "$CACHE/archives/$deb" "$ROOT"
    done <"$WORK/list"
}

prune() {
    rm -rf "$ROOT"/usr/share/{doc,man,info,locale,lintian,bash-completion,bug,zsh} \
        "$ROOT"/usr/share/vim "$ROOT"/boot/{System.map,config}-*
    local all=$ROOT/lib/modules/$KERNEL/kernel kept=$WORK/modules path
    mv "$all" "$kept"
    for path in $MODULES; do
        mkdir -p "$all/$(dirname "$path")"
        mv "$kept/$path" "$all/$path"
    done
    rm -rf "$kept"
    "$ROOT/bin/busybox" depmod -b "$ROOT" "$KERNEL"
}

configure() {
    local applet
    mkdir -p "$ROOT"/{dev,proc,sys,run,tmp,mnt,root/.ssh,etc/dropbear,var/lib/guest,var/log}
    cp -r "$HERE/guest-disk/." "$ROOT/"
    chmod 755 "$ROOT"/etc/guest/* "$ROOT"/etc/acpi/PWRF/*
    chmod 1777 "$ROOT/tmp"
    chmod 700 "$ROOT/root" "$ROOT/root/.ssh"
    ln -sfn dash "$ROOT/bin/sh"
    # Debian's programs come first; busybox fills the gaps.
    for applet in $("$ROOT/bin/busybox" --list); do
        [ -e "$ROOT/bin/$applet" ] || [ -e "$ROOT/sbin/$applet" ] ||
            [ -e "$ROOT/usr/bin/$applet" ] || [ -e "$ROOT/usr/sbin/$applet" ] ||
            ln -s /bin/busybox "$ROOT/usr/bin/$applet"
    done
    ln -sfn /bin/busybox "$ROOT/sbin/init"
    ln -sfn /run/resolv.conf "$ROOT/etc/resolv.conf"
    find "$ROOT/usr/share/ca-certificates" -name '*.crt' -exec cat {} + \
        >"$ROOT/etc/ssl/certs/ca-certificates.crt"
    mkdir -p "$ROOT/boot/grub"
    mv "$ROOT/boot/vmlinuz-$KERNEL" "$ROOT/boot/vmlinuz"
    cat >"$ROOT/boot/grub/grub.cfg" <<CFG
set timeout=0
linux /boot/vmlinuz root=PARTUUID=$ROOT_PARTUUID rootwait rw console=ttyS0 quiet net.ifnames=0 nvme_core.io_timeout=4294967295
boot
CFG
}

# Sectors of 512 bytes. The root comes last, so that it can grow with the volume.
BIOS_START=2048 BIOS_SIZE=2048
ESP_START=4096 ESP_SIZE=$((33 * 2048))
ROOT_START=$((ESP_START + ESP_SIZE))
ROOT_SIZE=$((SIZE_MIB * 2048 - ROOT_START - 2048))

partition() {
    rm -f "$DISK"
    truncate -s "${SIZE_MIB}M" "$DISK"
    sfdisk --quiet "$DISK" <<TABLE
label: gpt
start=$BIOS_START, size=$BIOS_SIZE, type=21686148-6449-6E6F-744E-656564454649
start=$ESP_START, size=$ESP_SIZE, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
start=$ROOT_START, size=$ROOT_SIZE, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=$ROOT_PARTUUID
TABLE
}

root_file_system() {
    truncate -s $((ROOT_SIZE * 512)) "$WORK/root.ext4"
    mke2fs -q -t ext4 -L guest-root -U "$ROOT_UUID" -E root_owner=0:0 -d "$ROOT" "$WORK/root.ext4"
    [ "$(id -u)" = 0 ] || own_by_root
    place "$WORK/root.ext4" "$ROOT_START"
}

# Made by an ordinary user, the files belong to that user: give them to root.
own_by_root() {
    (cd "$ROOT" && find . -mindepth 1 -printf '%P\n') |
        sed 's/.*/set_inode_field "\/&" uid 0\nset_inode_field "\/&" gid 0/' |
        debugfs -w -f - "$WORK/root.ext4" >/dev/null 2>&1
}

GRUB_MODULES="part_gpt ext2 search search_fs_uuid normal configfile linux boot"

boot_loaders() {
    printf 'search --no-floppy --set=root --fs-uuid %s\nconfigfile ($root)/boot/grub/grub.cfg\n' \
        "$ROOT_UUID" >"$WORK/early.cfg"
    bios_loader
    uefi_loader
}

# The first sector's code goes to the MBR and the rest to the BIOS partition;
# each is told where the next is (offsets from GRUB's boot.S and diskboot.S).
bios_loader() {
    # shellcheck disable=SC2086
    grub-mkimage -O i386-pc -p /boot/grub -c "$WORK/early.cfg" -o "$WORK/core.img" biosdisk $GRUB_MODULES
    cp /usr/lib/grub/i386-pc/boot.img "$WORK/boot.img"
    little_endian_64 $BIOS_START | patch_at "$WORK/boot.img" $((0x5c))
    # Trust the BIOS about the boot drive.
    printf '\220\220' | patch_at "$WORK/boot.img" $((0x66))
    little_endian_64 $((BIOS_START + 1)) | patch_at "$WORK/core.img" $((0x1f4))
    head -c 440 "$WORK/boot.img" | patch_at "$DISK" 0
    place "$WORK/core.img" $BIOS_START
}

uefi_loader() {
    # shellcheck disable=SC2086
    grub-mkimage -O x86_64-efi -p /boot/grub -c "$WORK/early.cfg" -o "$WORK/bootx64.efi" fat $GRUB_MODULES
    truncate -s $((ESP_SIZE * 512)) "$WORK/esp"
    mkfs.vfat -F 32 -n ESP "$WORK/esp" >/dev/null
    mmd -i "$WORK/esp" ::/EFI ::/EFI/BOOT
    mcopy -i "$WORK/esp" "$WORK/bootx64.efi" ::/EFI/BOOT/BOOTX64.EFI
    place "$WORK/esp" $ESP_START
}

little_endian_64() {
    local byte
    for byte in 0 1 2 3 4 5 6 7; do
        # shellcheck disable=SC2059 # the format is the byte
        printf "\\$(printf '%03o' $(($1 >> (8 * byte) & 255)))"
    done
}
patch_at() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
place() { dd if="$1" of="$DISK" bs=1M oflag=seek_bytes seek=$(($2 * 512)) conv=notrunc,sparse status=none; }

require apt-get dpkg-deb sfdisk mke2fs debugfs grub-mkimage mkfs.vfat mmd mcopy
[ -r /usr/lib/grub/i386-pc/boot.img ] && [ -d /usr/lib/grub/x86_64-efi ] ||
    die "missing GRUB's images (run scripts/setup.sh demo)"

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
umask 022
ROOT=$WORK/root
# Put in place only when whole.
DISK=$OUT.partial
ROOT_UUID=$(cat /proc/sys/kernel/random/uuid)
ROOT_PARTUUID=$(cat /proc/sys/kernel/random/uuid)

say "downloading Debian packages"
download
say "extracting $(wc -l <"$WORK/list") packages"
extract
KERNEL=$(ls "$ROOT/lib/modules")
prune
configure
say "writing the disk ($(du -sm "$ROOT" | cut -f1) MiB of files)"
partition
root_file_system
boot_loaders
mv "$DISK" "$OUT"
say "made $OUT"
