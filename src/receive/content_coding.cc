#include "receive/content_coding.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>

#include <zlib.h>
#include <zstd.h>

#include "base/text.h"

namespace spangate {

namespace {

// Whole output buffers below this are not worth a second growth.
constexpr Bytes first_capacity_bytes = 16 * kib;

// Text mostly shrinks to a quarter; a better guess saves one growth with its copy.
constexpr Bytes guessed_ratio = 4;

// zstd keeps a window as large as the largest frame asked for; above this a thread's decoder is not
// kept.
constexpr std::size_t zstd_kept_bytes_max = 2 * mib;

Bytes size_of(std::span<const std::string_view> pieces) {
    Bytes bytes = 0;
    for (const std::string_view piece : pieces)
        bytes += piece.size();
    return bytes;
}

tl::unexpected<Error> damaged(std::string_view coding, std::string_view how) {
    return fail(
        ErrorCode::invalid_argument,
        "the body is not valid " + std::string(coding) + ": " + std::string(how)
    );
}

tl::unexpected<Error> cut_short(std::string_view coding) {
    return damaged(coding, "it ends before the end of the compressed stream");
}

tl::unexpected<Error> bytes_behind(std::string_view coding) {
    return damaged(coding, "there are more bytes behind the end of the compressed stream");
}

// The body under construction. One byte above the limit is given to the decoder, so that «exactly
// full» and «too large» differ.
class Output {
  public:
    Output(Bytes wire_bytes, Bytes bytes_max, const GrowBody& grow)
        : bytes_max_(bytes_max),
          limit_(std::min(
              bytes_max, std::max(inflate_ratio_free_bytes, wire_bytes * inflate_ratio_max)
          )),
          first_(std::max(first_capacity_bytes, wire_bytes * guessed_ratio)),
          grow_(grow) {}

    // At least one free byte, or why there is none.
    [[nodiscard]] Status make_room() {
        if (body_.size() > limit_) return over_limit();
        if (free_bytes() > 0) return {};
        const Bytes wanted = std::max(first_, Bytes{body_.capacity()} * 2);
        const Bytes next = std::min(limit_ + 1, wanted);
        if (Status grown = grow_(std::min(next, limit_)); !grown) return grown;
        body_.reserve(next);
        return {};
    }

    [[nodiscard]] char* at() { return body_.data() + body_.size(); }

    [[nodiscard]] std::size_t free_bytes() const { return body_.capacity() - body_.size(); }

    void advance(std::size_t bytes) { body_.set_size(body_.size() + bytes); }

    [[nodiscard]] Result<Body> finish() {
        if (body_.size() > limit_) return tl::unexpected<Error>(over_limit().error());
        return std::move(body_);
    }

  private:
    [[nodiscard]] Status over_limit() const {
        if (limit_ < bytes_max_) {
            return fail(
                ErrorCode::too_large,
                "the body inflates to more than " + std::to_string(inflate_ratio_max) +
                    " times its compressed size"
            );
        }
        return fail(
            ErrorCode::too_large,
            "the body inflates to more than " + std::to_string(bytes_max_) +
                " bytes (receivers.otlp.limits.request_bytes_max)"
        );
    }

    const Bytes bytes_max_;
    const Bytes limit_;
    const Bytes first_;
    const GrowBody& grow_;
    Body body_;
};

// zlib's state, about 40 KiB, is made once per thread.
class ZlibStream {
  public:
    ZlibStream() { is_ready_ = inflateInit2(&stream_, MAX_WBITS) == Z_OK; }

    ZlibStream(const ZlibStream&) = delete;
    ZlibStream& operator=(const ZlibStream&) = delete;

    ~ZlibStream() {
        if (is_ready_) inflateEnd(&stream_);
    }

    // Ready for a new stream of the kind that `window_bits` says (zlib.h, inflateInit2).
    [[nodiscard]] bool reset(int window_bits) {
        return is_ready_ && inflateReset2(&stream_, window_bits) == Z_OK;
    }

    [[nodiscard]] z_stream& raw() { return stream_; }

  private:
    z_stream stream_{};
    bool is_ready_ = false;
};

struct ZlibKind {
    std::string_view name;
    int window_bits;
    bool has_members;
};

constexpr ZlibKind gzip_kind{"gzip", MAX_WBITS + 16, true};
constexpr ZlibKind zlib_kind{"deflate", MAX_WBITS, false};
constexpr ZlibKind bare_deflate_kind{"deflate", -MAX_WBITS, false};

enum class StreamState : std::uint8_t { inside, ended };

// Inflates until the input is used up or the stream ends.
Result<StreamState> run_zlib(z_stream& stream, const ZlibKind& kind, Output& output) {
    while (true) {
        if (Status room = output.make_room(); !room) return tl::unexpected<Error>(room.error());
        const std::size_t room_bytes =
            std::min<std::size_t>(output.free_bytes(), std::numeric_limits<uInt>::max());
        stream.next_out = reinterpret_cast<Bytef*>(output.at());  // NOLINT: zlib's own byte type
        stream.avail_out = static_cast<uInt>(room_bytes);
        const int code = ::inflate(&stream, Z_NO_FLUSH);
        output.advance(room_bytes - stream.avail_out);
        if (code == Z_STREAM_END) return StreamState::ended;
        if (code != Z_OK && code != Z_BUF_ERROR) {
            return damaged(kind.name, stream.msg == nullptr ? "damaged" : stream.msg);
        }
        if (stream.avail_out > 0) return StreamState::inside;  // all input is used up
    }
}

// Behind the end of a stream only another gzip member may follow.
Status begin_next_member(z_stream& stream, const ZlibKind& kind) {
    constexpr Bytef first_magic_byte = 0x1f;
    if (!kind.has_members || *stream.next_in != first_magic_byte) return bytes_behind(kind.name);
    if (inflateReset(&stream) == Z_OK) return {};
    return fail(ErrorCode::internal, "zlib refused to start again");
}

Status inflate_zlib(std::span<const std::string_view> wire, const ZlibKind& kind, Output& output) {
    thread_local ZlibStream zlib;
    if (!zlib.reset(kind.window_bits)) return fail(ErrorCode::internal, "zlib refused to start");
    z_stream& stream = zlib.raw();
    StreamState state = StreamState::inside;
    for (const std::string_view piece : wire) {
        stream.next_in =
            reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));  // NOLINT: zlib only reads
        stream.avail_in = static_cast<uInt>(piece.size());
        while (stream.avail_in > 0) {
            if (state == StreamState::ended) {
                if (Status next = begin_next_member(stream, kind); !next) return next;
            }
            Result<StreamState> next = run_zlib(stream, kind, output);
            if (!next) return tl::unexpected<Error>(next.error());
            state = *next;
        }
    }
    if (state == StreamState::inside) return cut_short(kind.name);
    return {};
}

// RFC 1950 §2.2: method 8, window ≤ 32 KiB, and the two bytes divisible by 31.
ZlibKind deflate_kind(std::span<const std::string_view> wire) {
    std::array<unsigned, 2> head{};
    std::size_t found = 0;
    for (const std::string_view piece : wire) {
        for (std::size_t i = 0; i < piece.size() && found < head.size(); ++i)
            head[found++] = static_cast<unsigned char>(piece[i]);
    }
    const bool has_header =
        (head[0] & 0x0fU) == 8 && (head[0] >> 4U) <= 7 && (head[0] * 256 + head[1]) % 31 == 0;
    return found == head.size() && !has_header ? bare_deflate_kind : zlib_kind;
}

struct FreeZstd {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

using ZstdDecoder = std::unique_ptr<ZSTD_DCtx, FreeZstd>;

ZstdDecoder make_zstd_decoder() {
    ZstdDecoder decoder(ZSTD_createDCtx());
    if (decoder == nullptr) return nullptr;
    const std::size_t set =
        ZSTD_DCtx_setParameter(decoder.get(), ZSTD_d_windowLogMax, zstd_window_log_max);
    return ZSTD_isError(set) != 0 ? nullptr : std::move(decoder);
}

Status run_zstd(ZSTD_DCtx& decoder, std::span<const std::string_view> wire, Output& output) {
    std::size_t wanted = 1;  // what the decoder still waits for; 0: a frame has just ended
    for (const std::string_view piece : wire) {
        ZSTD_inBuffer in{piece.data(), piece.size(), 0};
        bool has_more_output = false;
        while (in.pos < in.size || has_more_output) {
            if (Status room = output.make_room(); !room) return room;
            ZSTD_outBuffer out{output.at(), output.free_bytes(), 0};
            const bool follows_frame = wanted == 0;
            wanted = ZSTD_decompressStream(&decoder, &out, &in);
            output.advance(out.pos);
            if (ZSTD_isError(wanted) != 0) {
                if (follows_frame) return bytes_behind("zstd");
                return damaged("zstd", ZSTD_getErrorName(wanted));
            }
            has_more_output = out.pos == out.size && wanted != 0;
        }
    }
    if (wanted != 0) return cut_short("zstd");
    return {};
}

Status inflate_zstd(std::span<const std::string_view> wire, Output& output) {
    thread_local ZstdDecoder kept;
    ZstdDecoder decoder = kept == nullptr ? make_zstd_decoder() : std::move(kept);
    if (decoder == nullptr) return fail(ErrorCode::internal, "zstd refused to start");
    Status done = run_zstd(*decoder, wire, output);
    const bool is_reset =
        ZSTD_isError(ZSTD_DCtx_reset(decoder.get(), ZSTD_reset_session_only)) == 0;
    if (is_reset && ZSTD_sizeof_DCtx(decoder.get()) <= zstd_kept_bytes_max) {
        kept = std::move(decoder);
    }
    return done;
}

Status run(ContentCoding coding, std::span<const std::string_view> wire, Output& output) {
    switch (coding) {
        case ContentCoding::gzip:
            return inflate_zlib(wire, gzip_kind, output);
        case ContentCoding::deflate:
            return inflate_zlib(wire, deflate_kind(wire), output);
        case ContentCoding::zstd:
            return inflate_zstd(wire, output);
        case ContentCoding::identity:
            break;
    }
    return fail(ErrorCode::internal, "an identity body needs no inflating");
}

Result<Body> copy(std::span<const std::string_view> wire, Bytes bytes, const GrowBody& grow) {
    if (Status grown = grow(bytes); !grown) return tl::unexpected<Error>(grown.error());
    Body body;
    body.reserve(bytes);
    for (const std::string_view piece : wire)
        body.append(piece);
    return body;
}

}  // namespace

std::optional<ContentCoding> content_coding_from(std::string_view header_value) {
    constexpr std::string_view blanks = " \t";
    const std::size_t first = header_value.find_first_not_of(blanks);
    if (first == std::string_view::npos) return ContentCoding::identity;
    const std::size_t last = header_value.find_last_not_of(blanks);
    const std::string_view name = header_value.substr(first, last - first + 1);
    if (equals_ignore_case(name, "identity")) return ContentCoding::identity;
    if (equals_ignore_case(name, "gzip")) return ContentCoding::gzip;
    if (equals_ignore_case(name, "x-gzip")) return ContentCoding::gzip;
    if (equals_ignore_case(name, "deflate")) return ContentCoding::deflate;
    if (equals_ignore_case(name, "zstd")) return ContentCoding::zstd;
    return std::nullopt;
}

Result<Body> inflate(
    ContentCoding coding,
    std::span<const std::string_view> wire,
    Bytes bytes_max,
    const GrowBody& grow
) {
    const Bytes wire_bytes = size_of(wire);
    if (wire_bytes == 0) return Body{};
    if (wire_bytes > std::min<Bytes>(bytes_max, std::numeric_limits<uInt>::max())) {
        return fail(
            ErrorCode::too_large,
            "the body has more than " + std::to_string(bytes_max) +
                " bytes (receivers.otlp.limits.request_bytes_max)"
        );
    }
    if (coding == ContentCoding::identity) return copy(wire, wire_bytes, grow);
    Output output(wire_bytes, bytes_max, grow);
    if (Status done = run(coding, wire, output); !done) {
        return tl::unexpected<Error>(done.error());
    }
    return output.finish();
}

Result<Body> inflate(
    ContentCoding coding, std::string_view wire, Bytes bytes_max, const GrowBody& grow
) {
    return inflate(coding, std::span(&wire, 1), bytes_max, grow);
}

}  // namespace spangate
