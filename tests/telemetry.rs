//! By what a request is followed: its id, its place in a trace, the lines and spans that tell of it.

mod export;
mod log_lines;
mod request_ids;
mod traces;
