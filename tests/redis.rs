//! What only the ledger in Redis does, against real servers.

mod decisions;
mod failing;
mod round_trips;
mod sharing;
mod topologies;
