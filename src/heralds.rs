//! Heralds.
