//! Contact Governor: may this customer be contacted, on this channel, with these words, now?
//!
//! One question passes through these modules, top to bottom and back (see `ARCHITECTURE.md`); imports
//! point the other way only:
//!
//! ```text
//! http → wire → gate → ledger (load) → decide → rules → domain
//!                    ← ledger (commit) ←
//! ```

pub mod api_key;
pub mod app;
pub mod audit;
pub mod backoff;
pub mod claims;
pub mod cli;
pub mod clock;
pub mod decide;
pub mod decision_log;
pub mod digest;
pub mod domain;
pub mod gate;
pub mod heralds;
pub mod http;
pub mod ledger;
pub mod line_files;
pub mod metrics;
pub mod policy;
pub mod reload;
pub mod replay;
pub mod rules;
pub mod scenario;
pub mod sealed;
pub mod settings;
pub mod telemetry;
pub mod wire;
