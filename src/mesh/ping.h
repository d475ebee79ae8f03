// Ping: signs of life of each link, its round trip, and every deadline that a link has.
//
// Model:     a ping after ping_idle without a byte; dead when nothing has come dead_after the last
//            sign of life, but never before a ping had its time: a process that was stopped must
//            not take its own silence for that of its peers.
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/wire_format.md section 7
#pragma once

#include <optional>

#include "mesh/context.h"

namespace ebb::mesh {

void on_ping(Context& ctx, Link& link, const codec::Ping& ping);
// Notes since when the peer owes an answer. It must bring 1 KiB/s until it has given it.
void watch_progress(Context& ctx, Link& link);
// Of the links whose deadline has come: closes what is overdue, pings what is idle, marks what has
// to be flushed.
void run_link_timers(Context& ctx);
// When the link wants a Tick, its audit included; nullopt: never.
std::optional<Instant> link_deadline(const Context& ctx, const Link& link);
// Looks at the deadlines of all links anew.
void note_link_deadlines(Context& ctx);
// Our own timers ran late by this much: nobody else is to blame for it.
void forgive_lateness(Context& ctx, Duration late);

}  // namespace ebb::mesh
