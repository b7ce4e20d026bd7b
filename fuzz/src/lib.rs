//! What anybody may hand to the governor, as functions of any bytes at all. Each asserts more than that nothing breaks:
//! what is read can be written and read again, limits hold, a problem names a place that is there.
//!
//! The fuzzer runs them for as long as it is let (`make fuzz`), the tests on the seeds and some mutations of them
//! (`tests/fuzz.rs`).

pub mod audit;
pub mod claims;
pub mod policy;
pub mod rows;
pub mod seeds;
pub mod stored;
pub mod wire;

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 10] = [
    ("audit_log", audit::audit_log),
    ("batch_lines", wire::batch_lines),
    ("claims", claims::claims),
    ("csv_rows", rows::csv_rows),
    ("event", wire::event),
    ("policy_file", policy::policy_file),
    ("question", wire::question),
    ("replayed_lines", wire::replayed_lines),
    ("stored_record", stored::stored_record),
    ("wishes_link", wire::wishes_link),
];
