#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/setting_makers.h"

namespace spangate {

using namespace setting;  // NOLINT(google-build-using-namespace)

namespace {

constexpr Bytes tib = 1024 * gib;

Setting describe_spool(SpoolConfig& spool) {
    return group(
        "spool",
        "Records that wait on disk for Kafka: a class goes there when Kafka does not acknowledge "
        "in "
        "time, and its clients hear OK after the fsync. Without a spool they hear 503 then.",
        {
            text(
                "directory",
                spool.directory,
                "Where it lies, one gateway each. Empty: no spool. Not used without a required "
                "Kafka."
            ),
            size(
                "bytes_max",
                spool.bytes_max,
                {mib, 1024 * tib},
                "Full above this: new requests are refused, nothing old is dropped. A fifth is "
                "kept for each class."
            ),
            flag(
                "fsync",
                spool.fsync,
                "Sync before a reply. False: a power cut may lose what was acknowledged."
            ),
            flag(
                "allow_volatile",
                spool.allow_volatile,
                "Lie on a file system in memory (tmpfs), all the same: a restart of the machine "
                "loses it."
            ),
        }
    );
}

Setting describe_shutdown(ShutdownConfig& shutdown) {
    constexpr DurationRange waits{Millis{0}, Millis{3'600'000}};
    return group(
        "shutdown",
        "What SIGTERM begins.",
        {
            duration("grace", shutdown.grace, waits, "All that drains is drained by then."),
            duration(
                "accept_for",
                shutdown.accept_for,
                waits,
                "Not ready, but still accepting: an agent's last flush comes when the agent "
                "ends."
            ),
        }
    );
}

}  // namespace

Group describe(Config& config) {
    return {{
        describe_receivers(config.receivers),
        describe_processors(config),
        describe_exporters(config.exporters),
        choice(
            "ack",
            config.ack,
            {"kafka", "spool", "memory"},
            "When a client hears OK: kafka, once every required sink has the records or, when "
            "Kafka "
            "does not answer in time, the spool; spool, always once they are in the spool; memory, "
            "once they are queued (lossy: a crash loses them)."
        ),
        duration(
            "ack_timeout",
            config.ack_timeout,
            {Millis{100}, Millis{600'000}},
            "The longest wait for that; below the clients' export timeout, 10s in the SDKs. With a "
            "spool records go there at four fifths of it."
        ),
        describe_spool(config.spool),
        size(
            "memory_bytes_max",
            config.memory_bytes_max,
            {16 * mib, 16 * tib},
            "Bytes in the house, all together; above it requests are refused until there is "
            "room."
        ),
        describe_shutdown(config.shutdown),
        group(
            "admin",
            "Metrics, health and control.",
            {text(
                "endpoint",
                config.admin.endpoint,
                "host:port of /metrics /healthz /readyz /config /-/reload; empty: off."
            )}
        ),
        describe_guard(config.guard),
        group(
            "log",
            "Lines on stderr; never a payload.",
            {
                choice(
                    "level",
                    config.log.level,
                    {"debug", "info", "warn", "error"},
                    "The least severe that is written."
                ),
                choice(
                    "format",
                    config.log.format,
                    {"auto", "text", "json"},
                    "auto: text on a terminal, else json."
                ),
            }
        ),
        count("lanes", config.lanes, {0, 256}, "Worker threads; 0: from the cores."),
    }};
}

Group describe(RedactPattern& pattern) {
    return {{
        text("name", pattern.name, "Names the pattern in what stands in place of a match."),
        text("regex", pattern.regex, "RE2 syntax."),
        choice(
            "action",
            pattern.action,
            {"mask", "hash", "drop", "keep_last4"},
            "What happens to a match."
        ),
    }};
}

bool names_a_secret(std::string_view key) {
    constexpr std::array<std::string_view, 6> words = {
        "password", "secret", "token", "credential", "key", "jaas"};
    std::string lower(key);
    std::transform(lower.begin(), lower.end(), lower.begin(), ascii_lower);
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        return lower.find(word) != std::string::npos;
    });
}

}  // namespace spangate
