//! Reads an audit log and says, in sentences, whether it is whole.

use std::io::{self, BufRead, Read as _};
use std::ops::RangeInclusive;

use super::line::{self, Hash, Head, Read, Seals};

/// No line of ours is nearly as long.
const LONGEST_LINE_BYTES: u64 = 1 << 16;
/// So many places are named; a log with more of them is in pieces.
const MOST_NAMED: usize = 20;

/// What became of a check.
#[derive(Debug)]
pub struct Findings {
    pub sentences: Vec<String>,
    pub is_whole: bool,
}

/// Reads files in the order they were written.
pub struct Check {
    seals: Seals,
    /// A hash that the log must contain.
    wanted: Option<Hash>,
    found: Option<u64>,
    files: u64,
    lines: u64,
    first: Option<(u64, String)>,
    last: Option<(Head, String)>,
    /// Whether the last line is as it was written, as far as one can tell: with another, the next cannot be compared.
    is_last_sound: bool,
    /// Numbers that were passed over and may yet come.
    missing: Vec<RangeInclusive<u64>>,
    unsealed: u64,
    torn_before: Vec<u64>,
    lost: u64,
    broken: Vec<String>,
    more_broken: u64,
}

impl Check {
    /// Without secrets the seals are not looked at; `wanted` is a head that was noted elsewhere.
    #[must_use]
    pub const fn new(seals: Seals, wanted: Option<Hash>) -> Self {
        Self {
            seals,
            wanted,
            found: None,
            files: 0,
            lines: 0,
            first: None,
            last: None,
            is_last_sound: true,
            missing: Vec::new(),
            unsealed: 0,
            torn_before: Vec::new(),
            lost: 0,
            broken: Vec::new(),
            more_broken: 0,
        }
    }

    /// Reads one file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn file(&mut self, name: &str, mut input: impl BufRead) -> io::Result<()> {
        self.files += 1;
        let mut bytes = Vec::new();
        for place in 1_u64.. {
            bytes.clear();
            input.by_ref().take(LONGEST_LINE_BYTES).read_until(b'\n', &mut bytes)?;
            match bytes.pop() {
                None => return Ok(()),
                Some(b'\n') => self.line(name, place, &bytes),
                Some(_) => {
                    let length = bytes.len() + 1;
                    self.break_at(format!(
                        "{name} ends in half a line of {length} bytes: a crash while it was written does that (the \
                         next start cuts it off and says so in a line), and so does somebody who cuts"
                    ));
                }
            }
        }
        Ok(())
    }

    fn break_at(&mut self, sentence: String) {
        if self.broken.len() < MOST_NAMED {
            self.broken.push(sentence);
        } else {
            self.more_broken += 1;
        }
    }

    fn line(&mut self, name: &str, place: u64, bytes: &[u8]) {
        self.lines += 1;
        let read = match line::read(bytes, &self.seals) {
            Ok(read) => read,
            Err(why) => {
                self.break_at(format!("{name}:{place} is no line of an audit log, so it was changed: {why}"));
                return self.pass_over_unreadable();
            }
        };
        let number = read.said.line;
        let is_forged = read.is_sealed == Some(false);
        if is_forged {
            self.unsealed += 1;
            self.break_at(format!(
                "line {number} ({name}:{place}) was changed, or made by somebody else: its seal is not what the \
                 secret makes of it"
            ));
        }
        self.notes(&read);
        self.place(&read, is_forged);
    }

    /// The line that stands in the place of the next one.
    fn pass_over_unreadable(&mut self) {
        if let Some((head, _)) = &mut self.last {
            head.line += 1;
        }
        self.is_last_sound = false;
    }

    fn notes(&mut self, read: &Read) {
        if self.wanted == Some(read.hash) {
            self.found = Some(read.said.line);
        }
        let (cut_bytes, lost) = read.gaps();
        if cut_bytes > 0 {
            self.torn_before.push(read.said.line);
        }
        self.lost += lost;
    }

    /// Whether it stands where it belongs.
    fn place(&mut self, read: &Read, is_forged: bool) {
        let number = read.said.line;
        let own = Head { line: number, hash: read.hash };
        let Some((before, _)) = &self.last else {
            self.first = Some((number, read.said.at.clone()));
            if number == 1 && read.previous != Hash::NOTHING {
                self.break_at("line 1 was changed: it names a line before it".to_owned());
            }
            (self.last, self.is_last_sound) = (Some((own, read.said.at.clone())), !is_forged);
            return;
        };
        let before = *before;
        match number.cmp(&(before.line + 1)) {
            std::cmp::Ordering::Less => {
                let sentence = if self.comes_late(number) {
                    format!("line {number} stands after line {}: lines were reordered", before.line)
                } else {
                    format!("line {number} stands there twice")
                };
                return self.break_at(sentence);
            }
            std::cmp::Ordering::Greater => self.missing.push(before.line + 1..=number - 1),
            std::cmp::Ordering::Equal => {
                if self.is_last_sound && read.previous != before.hash && !is_forged {
                    let before = before.line;
                    self.break_at(format!(
                        "line {number} carries another hash than that of line {before} before it: line {before} was \
                         changed afterwards, or line {number} was"
                    ));
                }
            }
        }
        (self.last, self.is_last_sound) = (Some((own, read.said.at.clone())), !is_forged);
    }

    /// Takes a number out of those missing.
    fn comes_late(&mut self, number: u64) -> bool {
        let Some(index) = self.missing.iter().position(|gap| gap.contains(&number)) else { return false };
        let gap = self.missing.remove(index);
        let (before, behind) = (*gap.start()..=number - 1, number + 1..=*gap.end());
        self.missing.extend([before, behind].into_iter().filter(|gap| !gap.is_empty()));
        true
    }

    /// What was found, in sentences.
    #[must_use]
    pub fn findings(mut self) -> Findings {
        for gap in std::mem::take(&mut self.missing) {
            self.break_at(match gap.end() - gap.start() {
                0 => format!("line {} is missing", gap.start()),
                _ => format!("lines {} to {} are missing", gap.start(), gap.end()),
            });
        }
        let (Some((from, first_at)), Some((head, last_at))) = (self.first.clone(), self.last.clone()) else {
            self.broken.extend(self.wanted.map(|_| "--head names a line, and there is none".to_owned()));
            let empty = "There is no line.".to_owned();
            let is_whole = self.broken.is_empty();
            return Findings {
                sentences: std::iter::once(empty).chain(self.broken.into_iter().map(listed)).collect(),
                is_whole,
            };
        };
        if self.wanted.is_some() && self.found.is_none() {
            self.break_at(
                "no line has the hash given by --head: the end of the log was cut off, or the log was written anew"
                    .to_owned(),
            );
        }
        let mut sentences =
            vec![format!("{}, from {first_at} to {last_at}.", counted(self.lines, self.files))];
        if from > 1 {
            sentences.push(format!("It begins with line {from}; what stood before was not given."));
        }
        sentences.extend(self.about_seals());
        sentences.extend(self.about_gaps());
        let places = self.broken.len() as u64 + self.more_broken;
        let is_whole = places == 0;
        if is_whole {
            sentences
                .push("The chain is whole: every line carries the hash of the one before it.".to_owned());
            sentences.extend(self.found.map(|line| match head.line - line {
                0 => "The last line is the one that --head names.".to_owned(),
                since => {
                    format!("--head names line {line}; {} written since.", lines_were(since))
                }
            }));
        } else {
            let in_places =
                if places == 1 { "in one place".to_owned() } else { format!("in {places} places") };
            sentences.push(format!("It is NOT as it was written, {in_places}:"));
            sentences.extend(self.broken.into_iter().map(listed));
            sentences.extend((self.more_broken > 0).then(|| format!("- and {} more", self.more_broken)));
        }
        sentences.push(format!("The head is line {}, {}.", head.line, head.hash));
        Findings { sentences, is_whole }
    }

    fn about_seals(&self) -> Option<String> {
        if self.seals.is_empty() {
            return Some(
                "The seals were not looked at, for want of the secret (audit.secrets): whoever can write the file \
                 could have made all of this; compare the head with one noted elsewhere (--head)."
                    .to_owned(),
            );
        }
        if self.unsealed == 0 {
            return Some("Every line is sealed with the secret.".to_owned());
        }
        (self.unsealed == self.lines)
            .then(|| "No line is sealed with this secret: probably it is another log's secret.".to_owned())
    }

    fn about_gaps(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if !self.torn_before.is_empty() {
            let lines: Vec<String> = self.torn_before.iter().map(u64::to_string).collect();
            sentences.push(format!(
                "Half a line was cut off before line {}: the program had been killed while it wrote, and had done \
                 nothing yet of what that line told.",
                lines.join(", ")
            ));
        }
        if self.lost > 0 {
            sentences.push(format!(
                "Of {} acts that protected customers no line could be written at the time; the log says so itself.",
                self.lost
            ));
        }
        sentences
    }
}

fn listed(sentence: impl std::fmt::Display) -> String {
    format!("- {sentence}")
}

fn counted(lines: u64, files: u64) -> String {
    let lines = if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
    if files == 1 { lines } else { format!("{lines} in {files} files") }
}

fn lines_were(count: u64) -> String {
    if count == 1 { "1 line was".to_owned() } else { format!("{count} lines were") }
}
