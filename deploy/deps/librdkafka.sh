#!/usr/bin/env bash
# Builds librdkafka 2.8.0 as a static library from Debian 13's source package, into
# ${SPANGATE_DEPS_DIR:-~/.cache/spangate}/librdkafka-2.8.0/{include,lib}.
#
# Why: Debian 12 ships 2.0.2, which sends its SCRAM nonce twice (Kafka 4 refuses that) and has a
# fatal-error bug in the idempotent producer. Does nothing when the system's library is new enough
# or the build is there. Safe to run from several shells at once and safe to interrupt: the result
# is built beside its place and moved there whole.
set -euo pipefail

readonly version=2.8.0
readonly oldest_good=2.6.1
readonly orig=librdkafka_${version}.orig.tar.gz
readonly debian=librdkafka_${version}-1.debian.tar.xz
readonly orig_sha256=5bd1c46f63265f31c6bfcedcde78703f77d28238eadf23821c2b43fc30be3e25
readonly debian_sha256=85381d3e0f2f8a5f871a408df59ed7ee3071a7bdbce9adefabfc5d3324418ed1
readonly deps=${SPANGATE_DEPS_DIR:-$HOME/.cache/spangate}
readonly target=$deps/librdkafka-$version
readonly log=$deps/librdkafka.log
# A changed recipe builds anew.
recipe=$(sha256sum "${BASH_SOURCE[0]}")
readonly recipe=${recipe%% *}

say() { echo "librdkafka: $*" >&2; }
die() { say "$*"; exit 1; }

# Prints "URI<TAB>keyring" of the machine's own main Debian archive: the first deb entry of the
# running release, in deb822 (*.sources) or one-line (*.list) form. The keyring may be empty.
machine_archive() {
    local codename=$1 file
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -r "$file" ] || continue
        awk -v codename="$codename" '
            function flush() {
                if (types ~ /(^| )deb( |$)/ && (" " suites " ") ~ (" " codename " ") && !found) {
                    split(uris, uri, " "); print uri[1] "\t" keyring; found = 1
                }
                types = suites = uris = keyring = ""
            }
            /^#/ { next }
            /^[ \t]*$/ { flush(); next }
            { key = tolower($0); sub(/:.*/, "", key); value = $0; sub(/^[^:]*:[ \t]*/, "", value) }
            /^[^ \t]/ && key == "types" { types = value }
            /^[^ \t]/ && key == "suites" { suites = value }
            /^[^ \t]/ && key == "uris" { uris = value }
            /^[^ \t]/ && key == "signed-by" && value ~ /^\// { keyring = value }
            END { flush() }' "$file"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -r "$file" ] || continue
        awk -v codename="$codename" '
            $1 != "deb" { next }
            {
                keyring = ""
                if (match($0, /\[[^]]*\]/)) {
                    options = substr($0, RSTART + 1, RLENGTH - 2)
                    if (match(options, /signed-by=[^ ]+/)) keyring = substr(options, RSTART + 10, RLENGTH - 10)
                    sub(/\[[^]]*\]/, "")
                }
                if ($3 == codename) { print $2 "\t" keyring; exit }
            }' "$file"
    done
}

# Fetches the source package with apt itself, so that the archive's signature is checked, from a
# private apt directory, so that the machine's own package lists stay as they are.
fetch_source() {
    local into=$1 codename archive uri keyring signed=""
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    archive=$(machine_archive "$codename" | head -n 1)
    uri=${archive%%$'\t'*}
    keyring=${archive#*$'\t'}
    [ -n "$uri" ] || die "no Debian archive for '$codename' in this machine's apt sources"
    if [ ! -r "$keyring" ]; then
        keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    fi
    if [ -r "$keyring" ]; then
        signed="[signed-by=$keyring] "
    fi
    mkdir -p "$into/apt/lists/partial" "$into/apt/cache/archives/partial" "$into/source"
    echo "deb-src ${signed}${uri} trixie main" >"$into/apt/sources.list"
    local options=(
        -o Dir::Etc::sourcelist="$into/apt/sources.list" -o Dir::Etc::sourceparts=-
        -o Dir::State::lists="$into/apt/lists" -o Dir::Cache="$into/apt/cache"
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 -o Acquire::Languages=none
    )
    apt-get -q "${options[@]}" update >&2
    (cd "$into/source" &&
        apt-get -q "${options[@]}" source --download-only "librdkafka=${version}-1" >&2)
    (cd "$into/source" && sha256sum --check --quiet >&2 <<SUMS
$orig_sha256  $orig
$debian_sha256  $debian
SUMS
    ) || die "the downloaded source is not the pinned one"
}

# Debian's patches are part of what was pinned, so they are applied in its order.
unpack() {
    local from=$1 into=$2 patch
    mkdir -p "$into"
    tar -xzf "$from/$orig" --strip-components=1 -C "$into"
    tar -xJf "$from/$debian" -C "$into"
    while read -r patch; do
        case $patch in '' | '#'*) continue ;; esac
        patch --quiet -p1 -d "$into" <"$into/debian/patches/$patch"
    done <"$into/debian/patches/series"
}

# SCRAM and OAUTHBEARER need OpenSSL only, but WITH_SASL, which means Cyrus SASL (Kerberos), would
# bring its library too: so they are asked for by name. curl (OIDC) stays out.
build() {
    local source=$1 tree=$2 into=$3 launcher=()
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
    fi
    # Chained: the caller looks at the result, so `set -e` is off in here.
    cmake -S "$source" -B "$tree" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_C_FLAGS_RELEASE="-O2 -g1 -DNDEBUG -w" -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
        -DRDKAFKA_BUILD_STATIC=ON -DRDKAFKA_BUILD_EXAMPLES=OFF -DRDKAFKA_BUILD_TESTS=OFF \
        -DWITH_SSL=ON -DWITH_SASL=OFF -DWITH_SASL_SCRAM=ON -DWITH_SASL_OAUTHBEARER=ON \
        -DWITH_CURL=OFF -DWITH_ZLIB=ON -DWITH_ZSTD=ON -DENABLE_LZ4_EXT=ON -DWITH_PLUGINS=OFF \
        "${launcher[@]}" &&
        grep -q '^#define WITH_SASL_SCRAM 1' "$tree/generated/config.h" &&
        cmake --build "$tree" --target rdkafka &&
        mkdir -p "$into/include/librdkafka" "$into/lib" &&
        cp "$source/src/rdkafka.h" "$source/src/rdkafka_mock.h" "$into/include/librdkafka/" &&
        cp "$tree/src/librdkafka.a" "$into/lib/" &&
        cp "$source/LICENSE" "$into/"
}

if pkg-config --atleast-version="$oldest_good" rdkafka 2>/dev/null; then
    say "the system has $(pkg-config --modversion rdkafka)"
    exit 0
fi
is_built() { [ "$(cat "$target/recipe" 2>/dev/null)" = "$recipe" ]; }

is_built && exit 0
mkdir -p "$deps"
exec 9>"$deps/librdkafka.lock"
flock 9
is_built && exit 0

# Always the same place, so that ccache knows the files again; ours alone while the lock is held.
readonly work=$deps/librdkafka-build
rm -rf "$work"
mkdir "$work"
trap 'rm -rf "$work"' EXIT
say "fetching Debian's source package librdkafka ${version}-1"
fetch_source "$work"
unpack "$work/source" "$work/src"
say "building $version (a minute; log: $log)"
build "$work/src" "$work/tree" "$work/done" >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }
echo "$recipe" >"$work/done/recipe"
rm -rf "$target"
mv "$work/done" "$target"
say "installed in $target"
