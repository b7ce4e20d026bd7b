#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| contact_governor_fuzz::wire::event(bytes));
