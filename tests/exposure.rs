//! Clients that do not behave, and the network they come by.

mod limits;
mod overload;
mod tls;
