//! What the fuzzer throws at the program for hours, for a moment: each target's seeds, and mutations of them that are
//! the same each time. `FUZZ_MUTATIONS` asks for more of them, where there is no fuzzer.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeSet;
use std::path::Path;

use targets::{TARGETS, seeds};

/// Mutations for each target, where nothing else is said.
const MUTATIONS: usize = 1_500;
const MUTATIONS_VARIABLE: &str = "FUZZ_MUTATIONS";
/// Larger ones find nothing here that smaller ones do not.
const LARGEST_BYTES: usize = 8_192;
/// What breaks readers more often than chance does.
const TOKENS: [&[u8]; 24] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\\u0000",
    b"\\ud800",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    "é".as_bytes(),
    b"2026-02-30T25:61:61Z",
    b"9999-12-31T23:59:59.999Z",
    b"-009999-01-01T00:00:00Z",
    b"99999999999d",
];

fn mutated(seeds: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    let pick = |random: &mut fastrand::Rng| &seeds[random.usize(..seeds.len())];
    let mut bytes = pick(random).clone();
    bytes.truncate(LARGEST_BYTES);
    for _ in 0..random.usize(1..=4) {
        let place = random.usize(..=bytes.len());
        let end = random.usize(place..=bytes.len().min(place + 64));
        match random.u8(..7) {
            0 if place < bytes.len() => bytes[place] ^= 1 << random.u8(..8),
            1 => bytes.truncate(place),
            2 => drop(bytes.drain(place..end)),
            3 => {
                let again = bytes[place..end].to_vec();
                bytes.splice(end..end, again);
            }
            4 => {
                let other = pick(random);
                let from = random.usize(..=other.len());
                let part = &other[from..other.len().min(from + 256)];
                bytes.splice(place..end, part.iter().copied());
            }
            5 if place < bytes.len() => bytes[place] = random.u8(..),
            _ => drop(bytes.splice(place..end, TOKENS[random.usize(..TOKENS.len())].iter().copied())),
        }
    }
    bytes
}

fn run(name: &str) {
    let (_, target) = TARGETS.into_iter().find(|(known, _)| *known == name).expect("a target");
    let seeds = seeds::of(name);
    assert!(seeds.len() > 1, "{name} has no seeds");
    let mut random = fastrand::Rng::with_seed(20_261_126);
    let wanted = std::env::vars().find(|(name, _)| name == MUTATIONS_VARIABLE);
    let count = wanted.map_or(MUTATIONS, |(_, count)| count.parse().expect("a number"));
    let mutations = std::iter::repeat_with(|| mutated(&seeds, &mut random)).take(count);
    for bytes in seeds.iter().cloned().chain(mutations) {
        let outcome = std::panic::catch_unwind(|| target(&bytes));
        assert!(outcome.is_ok(), "{name}, given {:?}", String::from_utf8_lossy(&bytes));
    }
}

macro_rules! each_target {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn every_target_is_run_and_can_be_fuzzed() {
            let run: BTreeSet<String> = [$(stringify!($name)),*].map(str::to_owned).into();
            let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(run, known);
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
            let files = std::fs::read_dir(folder).expect("a folder");
            let programs = files.map(|file| file.expect("a file").path().file_stem().expect("a name").to_owned());
            assert_eq!(programs.map(|name| name.to_string_lossy().into_owned()).collect::<BTreeSet<_>>(), known);
        }
    };
}

each_target!(
    audit_log,
    batch_lines,
    claims,
    csv_rows,
    event,
    policy_file,
    question,
    replayed_lines,
    stored_record,
    wishes_link,
);
