//! Memory, open files and connections of a process, over time.

use crate::harness::redis::RedisServer;
use crate::harness::{Process, is_soon};

/// What one process may have grown by, from the end of its warming up to the end of the run. Allocators keep what
/// they had at the busiest moment, so this is room for one such moment, not for each round.
const MOST_GROWTH_KB: f64 = 16_384.0;
/// Open files and connections above those of the beginning, when nobody is connected any more.
const MOST_MORE: usize = 8;
/// Into so many stretches, at most, a run is divided.
const STRETCHES: usize = 8;
/// Of the samples, the first so many per cent are the warming up.
const WARMING_PER_CENT: usize = 40;

pub struct Vitals {
    pid: u32,
    redis_port: Option<u16>,
    files: usize,
    redis_clients: usize,
    resident_kb: Vec<f64>,
}

impl Vitals {
    pub fn of(process: &Process, redis: Option<&RedisServer>) -> Self {
        let mut vitals = Self {
            pid: process.pid(),
            redis_port: redis.map(|redis| redis.port),
            files: 0,
            redis_clients: 0,
            resident_kb: Vec::new(),
        };
        vitals.files = vitals.open_files();
        vitals.redis_clients = vitals.clients_of_redis();
        vitals.look();
        vitals
    }

    pub fn look(&mut self) {
        self.resident_kb.push(self.resident());
    }

    fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("a live process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches("kB").trim().parse().expect("a number")
    }

    fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid)).expect("a live process").count()
    }

    fn clients_of_redis(&self) -> usize {
        let Some(port) = self.redis_port else { return 0 };
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).expect("an address");
        let mut connection = client.get_connection().expect("a connection");
        let list: String = redis::cmd("CLIENT").arg("LIST").query(&mut connection).expect("a list");
        list.lines().count()
    }

    /// By how much memory grows from the end of the warming up to the end: on a straight line through the least of each
    /// stretch, since what one large body takes is given back a little later.
    fn growth_kb(&self) -> f64 {
        let samples = &self.resident_kb[self.resident_kb.len() * WARMING_PER_CENT / 100..];
        let length = samples.len().div_ceil((samples.len() / 3).clamp(2, STRETCHES));
        let least = |stretch: &[f64]| stretch.iter().copied().fold(f64::INFINITY, f64::min);
        let least: Vec<f64> = samples.chunks(length).map(least).collect();
        let count = least.len() as f64;
        let (middle, mean) = ((count - 1.0) / 2.0, least.iter().sum::<f64>() / count);
        let (mut above, mut below) = (0.0, 0.0);
        for (index, sample) in least.iter().enumerate() {
            let away = index as f64 - middle;
            above += away * (sample - mean);
            below += away * away;
        }
        if below == 0.0 { 0.0 } else { above / below * (count - 1.0) }
    }

    pub fn summary(&self) -> String {
        format!(
            "{:.1} MB resident (growing by {:+.1} MB), {} open files, {} clients of Redis",
            self.resident_kb.last().copied().unwrap_or_default() / 1_024.0,
            self.growth_kb() / 1_024.0,
            self.open_files(),
            self.clients_of_redis()
        )
    }

    /// Once nobody is connected any more, as much is open as at the beginning; and memory was flat under load, whatever
    /// caches have taken in since, when all that was asked was gone through.
    pub fn have_not_leaked(&self) {
        let mut open = (usize::MAX, usize::MAX);
        let is_as_before = is_soon(|| {
            open = (self.open_files(), self.clients_of_redis());
            open.0 <= self.files + MOST_MORE && open.1 <= self.redis_clients + MOST_MORE
        });
        let before = (self.files, self.redis_clients);
        assert!(is_as_before, "open files and clients of Redis were {before:?}, and are {open:?}");
        assert!(self.growth_kb() < MOST_GROWTH_KB, "memory is not flat, in kB: {:?}", self.resident_kb);
    }
}
