// Every bound of the protocol and the daemon, in one table. A decoder checks the bound before it
// allocates; what happens at the bound (refuse, drop, push back) is said where it is used.
//
// Units: bytes unless the name says otherwise.
// Spec:  docs/wire_format.md section 9
#pragma once

#include <cstddef>
#include <cstdint>

namespace ebb::limits {

// Wire.
inline constexpr std::size_t kDatagramBytes = 1200;
inline constexpr std::size_t kFrameBytes = std::size_t{1} << 20;   // of its chunks, without headers
inline constexpr std::size_t kChunkBytes = std::size_t{64} << 10;  // without its header
inline constexpr std::size_t kBegunBytes = std::size_t{2} << 20;   // of frames begun, a link
inline constexpr std::size_t kHelloBytes = 160;                    // of ours: tests hold it to that
inline constexpr std::size_t kHeadsPerMessage = 2048;
inline constexpr std::size_t kRangesPerMessage = 256;  // of fingerprints, each with 16 children
inline constexpr std::size_t kPeersPerMessage = 64;
inline constexpr std::size_t kHeadsPerDatagram = 28;  // also of wants, keys and segments
inline constexpr std::size_t kViewPerDatagram = 24;   // heads of the receiver's own logs
inline constexpr std::size_t kByeTextBytes = 256;
inline constexpr std::size_t kAddressBytes = 255;

// Msgpack.
inline constexpr std::size_t kDepth = 8;         // of a payload; an event is one deeper
inline constexpr std::size_t kDepthWalked = 16;  // of any bytes; deeper ones are not even skipped
inline constexpr std::size_t kElementsPerContainer = 4096;
inline constexpr std::size_t kElementsPerFrame = 65536;

// Events, logs and segments.
inline constexpr std::size_t kTopicBytes = 64;
inline constexpr std::size_t kTopicsPerDevice = 32;  // beside the control topic
inline constexpr std::size_t kScopeTopics = 64;      // that a partial scope names
inline constexpr std::size_t kScopeDevices = 256;    // the same
inline constexpr std::size_t kRecordLogs = 128;      // named by one record in `_ebb`
inline constexpr std::size_t kClockFixes = 65536;    // kept for one query
inline constexpr std::size_t kClockFixesPerDevice = 4096;
inline constexpr std::size_t kClockFixesPerLog = 256;
inline constexpr std::size_t kPresenceAddresses = 4;  // of one record
inline constexpr std::size_t kPresenceAddressBytes = 128;
inline constexpr std::size_t kPresences = 10000;          // devices of which the newest is kept
inline constexpr std::size_t kPresencesListed = 1000;     // where addresses of peers are shown
inline constexpr std::size_t kPresencesTried = 8;         // dialled by it alone, at once
inline constexpr std::size_t kPresencesFailed = 512;      // addresses whose failure is remembered
inline constexpr std::int64_t kPresencePauseMs = 600000;  // between two records of a device
inline constexpr std::int64_t kPresenceStandsMs = 60000;  // that other addresses have stood
inline constexpr std::size_t kTypeBytes = 128;
inline constexpr std::size_t kSourceBytes = 128;
inline constexpr std::size_t kPayloadBytes = std::size_t{64} << 10;
inline constexpr std::size_t kSegmentEvents = 4096;
inline constexpr std::size_t kSegmentDecodedBytes = std::size_t{256} << 10;
inline constexpr int kZstdWindowLog = 18;
inline constexpr std::uint64_t kSeqMax = (std::uint64_t{1} << 40) - 1;  // what keys have room for
inline constexpr std::size_t kZoneMapTypes = 32;                     // of a segment; more: not told
inline constexpr std::size_t kMeshFileBytes = std::size_t{1} << 20;  // of `ebb mesh export`
inline constexpr std::size_t kAuthorityFileBytes = std::size_t{128} << 20;  // mesh.authority
inline constexpr std::size_t kSegmentRestEvents = 1000;                     // target at rest
inline constexpr std::size_t kSegmentRestBytes = std::size_t{64} << 10;     // target at rest
inline constexpr std::size_t kMergeFanIn = 8;         // neighbours of one size that are joined
inline constexpr std::size_t kMergeSegments = 64;     // joined at once
inline constexpr std::size_t kVerifyProblems = 1000;  // told by one verification
inline constexpr std::size_t kKnownLogs = 100000;
inline constexpr std::size_t kOwnLogsKept = 256;  // of those, for logs that are written here
// Of one device: 32 incarnations in which it uses all topics. Its own repairs of the clock leave
// kOwnLogsKept of them for what must go on.
inline constexpr std::size_t kLogsPerDevice = 32 * (kTopicsPerDevice + 1);
// Of what is received of one author, by day of hlc (store/quota.h).
inline constexpr std::uint64_t kQuotaBytesPerDay = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kQuotaEventsPerDay = 1000000;
inline constexpr std::uint64_t kQuotaControlShare = 64;  // control records have a 64th, beside it
inline constexpr std::size_t kQuotaDays = 32;            // rows of an author; older days share one
inline constexpr std::int64_t kQuotaPastDays = 4096;     // whose allowance these have at the most
inline constexpr std::size_t kQuotaRows = 1000000;       // in all; then few for each new day
inline constexpr std::size_t kQuotaDaysFew = 2;
inline constexpr std::size_t kKillsPerOperation = 1024;
inline constexpr std::size_t kObjectNameBytes = 128;
inline constexpr std::size_t kSetElementBytes = 1024;

// Links and queues.
inline constexpr std::size_t kLinks = 64;
inline constexpr std::size_t kHalfOpen = 128;
inline constexpr std::size_t kHalfOpenPerSource = 8;
inline constexpr std::size_t kHalfOpenMin = 4;          // where few files may be open
inline constexpr std::int64_t kHalfOpenGraceMs = 1000;  // for the mac, among equals
inline constexpr std::size_t kNewcomers = 64;     // links that others opened, before their HELLO
inline constexpr std::size_t kDialRoom = 16;      // connections that are for dials alone
inline constexpr std::size_t kAcceptsAtOnce = 8;  // connections, in one turn of the loop
inline constexpr std::size_t kInboundBytesPerPeer = std::size_t{2} << 20;  // also the credit
inline constexpr std::size_t kInboundBytesTotal = std::size_t{16} << 20;
// Decoded bodies of received segments until their commit is answered: a few hundred bytes may
// decode to a quarter of a MiB.
inline constexpr std::size_t kDecodedBytesTotal = std::size_t{32} << 20;
inline constexpr std::size_t kQueuedBytesTotal = std::size_t{32} << 20;
inline constexpr std::size_t kOverlayLinks = 8;  // more serve catch-up only, and end after it
inline constexpr std::size_t kOverlayAim = 6;    // dialled for
inline constexpr std::size_t kOverlayMin = 4;    // with fewer a node is given a slot of a full one
inline constexpr std::size_t kGossipPartners = 32;  // devices that datagrams are exchanged with
inline constexpr std::size_t kGossipChosen = 4;     // of them chosen here and kept
inline constexpr std::size_t kUrgentDials = 8;      // addresses to be dialled for gossip alone
inline constexpr std::size_t kDatagramsPerExchange = 8;  // beside the roots, each way
inline constexpr std::size_t kDatagramReads = 28;        // of the store, for datagrams, at once
inline constexpr std::size_t kDatagramAnswersPerSecond = 256;  // roots in answer
inline constexpr std::size_t kDatagramWorkPerSecond = 128;     // segments verified, and reads
inline constexpr std::size_t kPassiveView = 64;                // learnt addresses without a link
inline constexpr std::uint16_t kBeaconPort = 7402;             // UDP, of all nodes of a machine
inline constexpr std::int64_t kBeaconMs = 60000;               // between two beacons, at most
inline constexpr std::size_t kBeaconsHeard = 32;               // addresses by them, a minute
inline constexpr std::size_t kPeersForNewcomer = 16;           // addresses that a newcomer is told
inline constexpr std::size_t kPeersShuffled = 6;  // addresses in a shuffle and in its answer
inline constexpr std::size_t kStoredPeers = 256;  // rows; the ones heard last
inline constexpr std::size_t kOutboundBytesTotal = std::size_t{16} << 20;  // queues of all links
inline constexpr std::size_t kOutboundLiveTotal = std::size_t{12}
                                                  << 20;  // then only to links without a queue
inline constexpr std::size_t kOutboundReadsTotal = std::size_t{8} << 20;  // then no more reads
inline constexpr std::size_t kLiveShareBytes = std::size_t{48} << 10;  // a link, beyond that total
inline constexpr std::size_t kControlBytes = std::size_t{2} << 20;  // unsent, a link; then closed
inline constexpr std::size_t kUselessBytes = std::size_t{8} << 20;  // in a row, nothing new in it
inline constexpr std::size_t kLinkClasses = 16;
inline constexpr std::size_t kTopicSettings = 256;
inline constexpr std::size_t kCatchUps = 8;  // WANTs in hand, all links
inline constexpr std::size_t kCatchUpsPerPeer = 2;
inline constexpr std::size_t kReadAheadBytes = std::size_t{512} << 10;  // unsent; then no more
inline constexpr std::size_t kDeltaBytes = std::size_t{256} << 10;      // segments of one DELTA
inline constexpr std::size_t kPushBytes = std::size_t{16} << 10;        // larger: announced only
inline constexpr std::size_t kFloodBytes = std::size_t{4} << 10;        // first segment of a log
inline constexpr std::size_t kChangesListed = 4096;                     // by cursor, as a rule
inline constexpr std::size_t kRangesAsked = 16;                         // in one SYNC_REQ
inline constexpr std::uint64_t kRangesAnswered = kKnownLogs;            // of one link at once
inline constexpr std::uint64_t kRangesPerSecond = 64;                   // given back to it
inline constexpr std::size_t kRangeListHeads = 32;    // a range of so few is listed
inline constexpr std::size_t kLogsAskedAtOnce = 256;  // of one link in an exchange
// Segments that wait for those before them, with what is asked for of that kind; and as decoded.
inline constexpr std::size_t kStagedBytes = std::size_t{8} << 20;
inline constexpr std::size_t kStagedDecodedBytes = std::size_t{16} << 20;
inline constexpr std::size_t kPartBytes = std::size_t{512} << 10;  // of a log, asked of one link
inline constexpr std::size_t kWantsInHand = 8;                     // unanswered, a link
inline constexpr std::size_t kAuthorsRefused = 512;  // new logs of authors not let in, a link
inline constexpr std::size_t kKeysInHand = 16384;    // of logs not held yet, a link
inline constexpr std::size_t kLinkWaitingBytes = std::size_t{4} << 20;   // in a driver; then closed
inline constexpr std::size_t kSlowestLinkBytes = std::size_t{60} << 10;  // a link that takes less
inline constexpr std::int64_t kSlowestLinkMs = 60000;                    // in this time is closed
inline constexpr std::size_t kReservedDescriptors = 32;                  // never used for links
inline constexpr std::size_t kQueriesWaiting = 256;
inline constexpr std::int64_t kQueryMs = 2000;        // of one query, pages of events among them
inline constexpr std::size_t kLookupsAtOnce = 4;      // of host names
inline constexpr std::size_t kNamesKept = 1024;       // host names with their addresses
inline constexpr std::size_t kRowsKept = 1024;        // of each kind, of transactions that failed
inline constexpr std::size_t kRowsRiding = 256;       // cursors and peers that wait for a commit
inline constexpr std::size_t kMissingLogsTold = 100;  // by name, in a completeness
inline constexpr std::size_t kAppendQueueBytes = std::size_t{8} << 20;
inline constexpr std::size_t kAppendQueueEvents = 65536;

// Channel.
inline constexpr std::size_t kHandshakePayloadBytes = std::size_t{8} << 10;  // of messages 2 and 3
inline constexpr std::int64_t kHandshakeMs = 10000;
inline constexpr std::int64_t kHandshakesPerSecond = 20;  // begun by one source address
inline constexpr std::int64_t kHandshakesAtOnce = 5;      // the same
// An answer and what comes behind it is four X25519 products: a twentieth of a core of a server, a
// half of one of a small board.
inline constexpr std::int64_t kHandshakeAnswersPerSecond = 500;
inline constexpr std::int64_t kHandshakeAnswersAtOnce = 100;
inline constexpr std::size_t kHandshakeSources = 1024;  // source addresses remembered
inline constexpr std::size_t kInvitesTried = 64;        // with the mac of a message 1
inline constexpr std::size_t kSealedRecordBytes = std::size_t{16} << 10;   // of plaintext
inline constexpr std::uint64_t kRecordsPerKey = 65536;                     // then it is changed
inline constexpr std::uint64_t kDatagramsPerKey = std::uint64_t{1} << 32;  // then it is used up
inline constexpr std::uint64_t kReplayWindow = 2048;    // counters remembered, of a datagram key
inline constexpr std::size_t kDatagramSessions = 1024;  // pairs of datagram keys that are live
inline constexpr std::int64_t kDatagramKeysMs =
    std::int64_t{24} * 3600 * 1000;  // behind the end of their stream

// Trust.
inline constexpr std::size_t kIssuers = 32;  // whose logs have no end
inline constexpr std::size_t kCertificateBytes = 3072;
inline constexpr std::size_t kCertificateLabelBytes = 64;
inline constexpr std::size_t kTopicPrefixes = 32;
inline constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
inline constexpr std::int64_t kCertificateMs = 400 * kDayMs;
inline constexpr std::int64_t kIssuerCertificateMs = 3660 * kDayMs;
inline constexpr std::int64_t kTrustTimeMax = (std::int64_t{1} << 48) - 1;
inline constexpr std::size_t kCutsPerRevoke = kLogsPerDevice;
inline constexpr std::size_t kAuthorityRecordBytes = std::size_t{96} << 10;
inline constexpr std::uint64_t kAuthorityRecords = 65536;  // of one log
inline constexpr std::size_t kAuthRecordsPerMessage = 1024;
inline constexpr std::size_t kAuthRecordBytesPerMessage = kAuthorityRecordBytes;  // when sent
inline constexpr std::size_t kAuthBytesQueued = std::size_t{256} << 10;  // of a link, to be sent
inline constexpr std::size_t kAuthComparedPerSecond = std::size_t{16} << 10;  // bytes, to a device
inline constexpr std::size_t kAuthLogsCompared = 2048;  // more differ and are not told
inline constexpr std::size_t kGenesisBytes = 256;
inline constexpr std::size_t kMeshSecretBytes = 32;
inline constexpr std::size_t kIssuesWaiting = 64;            // to be signed and stored
inline constexpr std::int64_t kAuthAskMs = 30000;            // between two questions to a peer
inline constexpr std::int64_t kAuthLaterMs = 1000;           // after it has said "later", at least
inline constexpr std::int64_t kAuthCompareMs = 2000;         // the first, then doubling
inline constexpr std::int64_t kAuthCompareMaxMs = 3600000;   // to this
inline constexpr std::int64_t kAuthJudgeMs = 60000;          // between two looks at the time
inline constexpr std::size_t kCertificatesPerDeviceDay = 4;  // that it asks for
inline constexpr std::int64_t kCertificatesPerSecond = 5;    // to who asks
inline constexpr std::size_t kDevicesAsked = 64;             // remembered
// What the records of the root may weigh, and those of all issuers together. With one more record
// of each log that is full it is 64 MiB.
inline constexpr std::size_t kAuthorityRootBytes = std::size_t{4} << 20;
inline constexpr std::size_t kAuthorityIssuersBytes = std::size_t{52} << 20;
inline constexpr std::size_t kAuthorityRecordWeight = 1024;     // of a record, beside its bytes
inline constexpr std::uint64_t kPolicyStep = 1024;              // from one number to the next
inline constexpr std::int64_t kTimeFloorMs = kDayMs;            // from clocks, to move it
inline constexpr std::int64_t kTimeFloorStepMs = 400 * kDayMs;  // by one record of the root
inline constexpr std::size_t kTimeFloorPeers = 2;               // that must agree
inline constexpr std::size_t kInviteAddresses = 4;
inline constexpr std::size_t kInviteCharacters = 2048;
inline constexpr std::int64_t kInviteClockMs = 600000;  // before it was made; then a clock is wrong
inline constexpr std::size_t kPassphraseBytes = 1024;
inline constexpr std::size_t kPassphraseHashBytes = std::size_t{256} << 20;  // of memory
inline constexpr std::uint64_t kPassphraseHashPasses = 16;
inline constexpr std::size_t kSealedKeyBytes = 1024;  // of its file

// Configuration.
inline constexpr std::size_t kConfigBytes = std::size_t{1} << 20;  // of ebb.toml
inline constexpr std::size_t kDeviceNameBytes = 64;                // node.name
inline constexpr std::size_t kAddressPatterns = 64;                // of a link class
inline constexpr std::size_t kAddressPatternBytes = 255;

// Client ids: a repeat within both bounds returns the first dot.
inline constexpr std::int64_t kClientIdsKeptMs = std::int64_t{24} * 3600 * 1000;
inline constexpr std::size_t kClientIdsKeptMin = 1000000;

// The history of reconciliations: the newest rows, all of which may be asked for at once.
inline constexpr std::size_t kReconciliationsKept = 10000;

// State: a flush with its mark happens at the latest after this many events or this long.
inline constexpr std::size_t kEventsBetweenMarks = 10000;
inline constexpr std::int64_t kMsBetweenMarks = 5000;

// HLC.
inline constexpr std::int64_t kRemoteAheadMs = 60000;

// Wall clocks (core/clock_judge.h).
inline constexpr std::int64_t kClockBackMs = 120000;    // behind the last commit; then doubted
inline constexpr std::int64_t kClockPeersMs = 600000;   // from the median of the peers
inline constexpr std::size_t kClockPeersMin = 3;        // fewer prove nothing
inline constexpr std::int64_t kClockRepairMs = 600000;  // between two repairs
inline constexpr std::size_t kClockRepairsPerDay = 8;
inline constexpr std::int64_t kClockRepairDayMs = std::int64_t{24} * 3600 * 1000;
inline constexpr std::size_t kClockSamples = 64;  // devices whose time is kept
inline constexpr std::int64_t kClockSampleMs = std::int64_t{24} * 3600 * 1000;  // and how long

// Local API.
inline constexpr std::size_t kHttpBodyBytes = std::size_t{1} << 20;  // streams of NDJSON excepted
inline constexpr std::size_t kHttpLineBytes = std::size_t{1} << 20;
inline constexpr std::size_t kHttpConnections = 128;
inline constexpr std::size_t kHttpConnectionBytes = std::size_t{256} << 10;  // headers and chunks
inline constexpr std::size_t kHttpTargetBytes = std::size_t{64} << 10;       // path and query
inline constexpr std::size_t kHttpEventsPerAnswer = 10000;
inline constexpr std::size_t kHttpAnswerBytes = std::size_t{4} << 20;  // of events, soft
inline constexpr std::size_t kHttpCursorLogs = 1000;
inline constexpr std::size_t kHttpDotRanges = 1000;   // listed in the answer to a stream
inline constexpr std::size_t kHttpPieceEvents = 250;  // handed to the store while more is read
inline constexpr std::size_t kHttpPartEvents = 2000;  // committed together at the most
inline constexpr std::size_t kHttpPartBytes = std::size_t{256} << 10;
inline constexpr std::size_t kHttpPartsInFlight = 4;  // of one stream
inline constexpr std::size_t kHttpFollowers = 64;
inline constexpr std::size_t kHttpFollowBytes = std::size_t{4} << 20;  // kept for one follower
inline constexpr std::int64_t kHttpFollowMs = 30000;  // without taking anything that waits
inline constexpr std::int64_t kHttpIdleMs = 60000;
inline constexpr std::size_t kSqlTextBytes = std::size_t{16} << 10;
inline constexpr std::size_t kSqlAtOnce = 4;
inline constexpr std::size_t kClientAnswerBytes = std::size_t{64} << 20;  // read by `ebb`
inline constexpr std::size_t kSqlRows = 10000;
inline constexpr std::size_t kSqlResultBytes = std::size_t{8} << 20;
inline constexpr std::size_t kSqlValueBytes = std::size_t{512} << 10;  // any payload as JSON fits
inline constexpr std::size_t kSqlHeapBytes = std::size_t{32} << 20;    // of SQLite, for one query
inline constexpr std::size_t kSqlCalls = 200;                          // of functions, in its text
inline constexpr std::size_t kSqlTrimBytes = 64;
inline constexpr std::int64_t kSqlMs = 2000;
inline constexpr std::size_t kLogFileBytes = std::size_t{8} << 20;  // of ebb.log; then ebb.log.1
inline constexpr std::int64_t kDiskAnswerMs = 5000;    // that a write may take; then it is told
inline constexpr std::int64_t kStatusDigestMs = 1000;  // then a status goes without its digest

}  // namespace ebb::limits
