// Records: the plaintext of a stream, sealed piece by piece, one direction each. What the plaintext
// means (chunks of frames, as codec/frame.h reads them) they do not know.
//
// Model:     a sealer cuts what it is given into records and says at last that it was all. An
// opener
//            hands out the plaintext of each record once all of it has come and is authentic. Both
//            change their key after limits::kRecordsPerKey records; nothing on the wire says so.
// Ownership: the key is erased when the stream has ended or is broken.
// Errors:    receive: kBadTag; kMalformed for a length or a flag that there is not, and for bytes
//            behind the end. The stream is then broken for good: every further call fails the same
//            way. Plaintext of records before it stands, nothing of the bad one is appended.
// Limits:    an opener keeps at most one record that has begun, and only bytes that have come.
// Threads:   not thread-safe; owned by their link.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <cstdint>
#include <optional>

#include "channel/cipher_state.h"
#include "core/bytes.h"
#include "core/result.h"

namespace ebb::channel {

inline constexpr std::size_t kRecordHeaderBytes = 2;

class RecordSealer {
 public:
  explicit RecordSealer(CipherState cipher) : cipher_(std::move(cipher)) {}

  // Appends records. Checked: not finished.
  void seal(ByteView plain, Bytes& wire_out);
  // Appends the end; once (checked).
  void finish(Bytes& wire_out);
  bool finished() const { return finished_; }

 private:
  void seal_one(ByteView plain, bool end, Bytes& wire_out);

  CipherState cipher_;
  bool finished_ = false;
};

// What a stream is, when no more bytes of it will come.
enum class StreamEnd : std::uint8_t {
  kOrderly,    // the other end has said all that it had to say
  kTruncated,  // somebody has cut it
  kBroken,     // what came was not authentic, or no records
};

class RecordOpener {
 public:
  explicit RecordOpener(CipherState cipher) : cipher_(std::move(cipher)) {}

  // Appends the plaintext of the records that have come whole.
  Status receive(ByteView wire, Bytes& plain_out);
  bool ended() const { return ended_; }
  StreamEnd end() const;
  std::size_t buffered_bytes() const { return buffer_.size(); }

 private:
  // How long the record is that begins so; nullopt where there is none like it.
  static std::optional<std::size_t> record_bytes(ByteView header);
  Status open_one(ByteView record, Bytes& plain_out);
  Status fail(Error error);

  CipherState cipher_;
  Bytes buffer_;  // a record that has begun
  bool ended_ = false;
  std::optional<Error> broken_;
};

}  // namespace ebb::channel
