#!/bin/sh
# Collects one binary, the shared libraries it needs, CA certificates and an unprivileged user into a
# root file system for an image without a shell. usage: collect.sh BINARY ROOT
set -eu
binary=$1
root=$2
here=$(dirname "$0")

mkdir -p "$root/usr/bin" "$root/etc/spangate" "$root/etc/ssl/certs" "$root/tmp" "$root/var/lib/spangate"
strip -o "$root/usr/bin/spangate" "$binary"
libraries=$(ldd "$binary")
case $libraries in *"not found"*) echo "$libraries" >&2; exit 1 ;; esac
echo "$libraries" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp "$here/spangate.yaml" "$root/etc/spangate/spangate.yaml"
printf 'spangate:x:65532:65532:spangate:/var/lib/spangate:/sbin/nologin\n' >"$root/etc/passwd"
printf 'spangate:x:65532:\n' >"$root/etc/group"
chown -R 65532:65532 "$root/var/lib/spangate"
chmod 1777 "$root/tmp"
