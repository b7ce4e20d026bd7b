//! What the command line says, made sense of before anything is opened.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::StringRecord;
use indicatif::HumanCount;

use crate::cli::bookmark::{Identity, digest, with_ending};
use crate::cli::failure::{Failure, failed, misused};
use crate::cli::input::STANDARD_INPUT;
use crate::cli::{console, load_policy};
use crate::domain::moment::Moment;
use crate::domain::words::Verdict;
use crate::policy::Policy;
use crate::settings::{Flags, LedgerUrl, Settings};
use crate::wire::fields::not_a_moment;
use crate::wire::question::not_among;

use super::Arguments;
use super::judged::ADDED;
use super::progress::Progress;
use super::run::Run;
use super::sums::Sums;

/// The column that is added where contacts are reserved whose rows do not name them.
pub const CONTACT_ID: &str = "contact_id";

/// # Errors
/// What the verdicts are.
pub fn verdict(text: &str) -> Result<Verdict, String> {
    Verdict::parse(text).ok_or_else(|| not_among(text, Verdict::ALL.into_iter().map(Verdict::name)))
}

/// # Errors
/// How moments are written.
pub fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse(text).ok_or_else(|| not_a_moment(text))
}

/// Who judges.
pub enum Target {
    Here { settings: Box<Settings>, policy: Arc<Policy> },
    Governor { url: String, policy: Option<Arc<Policy>> },
}

/// # Errors
/// When settings or policy are refused, or what is asked for makes no sense.
pub fn target(arguments: &Arguments) -> Result<Target, Failure> {
    let load = |file: Option<&PathBuf>| {
        load_policy(file).map_err(|exit| Failure { exit, why: "nothing is judged".to_owned() })
    };
    if let Some(url) = &arguments.url {
        let policy = arguments.policy.as_ref().map(|file| load(Some(file))).transpose()?;
        return Ok(Target::Governor { url: url.clone(), policy });
    }
    let kept = arguments.ledger.is_some() || arguments.settings.is_some();
    if arguments.reserve && !kept {
        return Err(misused("--reserve needs somewhere to reserve: --ledger URL, or --url of a governor"));
    }
    let flags = Flags {
        settings: arguments.settings.clone(),
        listen: None,
        ledger: if kept { arguments.ledger.clone() } else { Some("memory:".to_owned()) },
        policy: arguments.policy.clone(),
    };
    let settings = Settings::load(&flags, None).map_err(|mistakes| misused(mistakes.to_string()))?;
    if let LedgerUrl::Embedded(directory) = &settings.ledger
        && !directory.is_dir()
    {
        // One that is made here would be empty, and everything allowed.
        return Err(misused(format!("there is no ledger in `{}`", directory.display())));
    }
    let policy = load(settings.policy.as_ref())?;
    Ok(Target::Here { settings: Box::new(settings), policy })
}

/// # Errors
/// Where one file would be two things.
pub fn distinct(arguments: &Arguments) -> Result<(), Failure> {
    let rejects = rejects(arguments);
    let files = [
        ("the list", Some(&arguments.list)),
        ("--history", arguments.history.as_ref()),
        ("--out", arguments.out.as_ref()),
        ("--left-out", arguments.left_out.as_ref()),
        ("--rejects", rejects.as_ref()),
        ("--summary", arguments.summary.as_ref()),
    ];
    let named: Vec<(&str, &PathBuf)> =
        files.into_iter().filter_map(|(name, file)| Some((name, file?))).collect();
    for (index, (name, file)) in named.iter().enumerate() {
        if let Some((other, _)) = named.iter().skip(index + 1).find(|(_, other)| is_same(file, other)) {
            return Err(misused(format!("{name} and {other} are the same file, `{}`", file.display())));
        }
    }
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Where rows go that cannot be judged; `None` where nothing has a name that theirs could come from.
pub fn rejects(arguments: &Arguments) -> Option<PathBuf> {
    let is_list = arguments.list != Path::new(STANDARD_INPUT);
    let beside = arguments.out.as_ref().or(is_list.then_some(&arguments.list));
    arguments.rejects.clone().or_else(|| beside.map(|file| with_ending(file, ".rejects.csv")))
}

/// The columns of a list that are its own.
pub struct Layout {
    pub own: Range<usize>,
    pub with_ids: bool,
}

impl Layout {
    /// Columns that an earlier scrub has added are left away.
    ///
    /// # Errors
    /// When the list has a column that would be there twice.
    pub fn of(header: &StringRecord, in_front: usize, reserves: bool) -> Result<Self, Failure> {
        let headers: Vec<&str> = header.iter().collect();
        let has_id = headers.iter().skip(in_front).any(|header| *header == CONTACT_ID);
        let (mut end, mut with_ids) = (headers.len(), reserves && !has_id);
        if headers.ends_with(&ADDED) {
            end -= ADDED.len();
        }
        let own = in_front..end.max(in_front);
        with_ids &= reserves;
        let twice = headers.iter().take(end).skip(in_front).find(|header| ADDED.contains(header));
        match twice {
            Some(header) => Err(misused(format!(
                "the list has a column `{header}`, which a scrub adds: give it another name"
            ))),
            None => Ok(Self { own, with_ids }),
        }
    }
}

/// The progress of a scrub that has done nothing.
///
/// # Errors
/// When the history cannot be read.
pub fn beginning(
    arguments: &Arguments,
    target: &Target,
    list: String,
    begun: Moment,
) -> Result<Progress, Failure> {
    // A secret in the ledger's address is left out when it is written down.
    let judge = match target {
        Target::Here { settings, policy } => (format!("{:?}", settings.ledger), policy.mark.hash.to_string()),
        Target::Governor { url, policy } => {
            (url.clone(), policy.as_ref().map_or_else(String::new, |policy| policy.mark.hash.to_string()))
        }
    };
    let history = match &arguments.history {
        Some(path) if path != Path::new(STANDARD_INPUT) => {
            let known = std::fs::File::open(path).and_then(|mut file| Identity::of("", &mut file));
            known.map_err(|error| failed("open", path, &error))?.content
        }
        Some(_) | None => String::new(),
    };
    let Arguments { maps, sets, texts, history_maps, left_out, reserve, only, as_of, .. } = arguments;
    let (only, as_of) = (only.map(Verdict::name), as_of.map(|moment| moment.to_string()));
    let options = digest(&(
        judge,
        history,
        maps,
        sets,
        texts,
        history_maps,
        left_out,
        reserve,
        only,
        as_of,
        rejects(arguments),
    ));
    Ok(Progress {
        list,
        options,
        offset_bytes: 0,
        lines: 0,
        out_bytes: 0,
        left_out_bytes: 0,
        rejects_bytes: 0,
        begun: begun.to_string(),
        sums: Sums::default(),
    })
}

/// What a scrub's contacts are known by: of the same list another time they are others.
pub fn list_id(progress: &Progress) -> String {
    digest(&(&progress.list, &progress.begun)).chars().take(16).collect()
}

/// Says what is to be known beforehand.
pub fn notice(arguments: &Arguments, target: &Target, run: &Run) {
    if let Target::Here { settings, .. } = target
        && settings.ledger == LedgerUrl::Memory
        && arguments.history.is_none()
    {
        console::complain(
            "scrub: nothing is known of what was sent before; say --history FILE, --ledger URL or --url URL",
        );
    }
    if run.bookmark.is_none() && arguments.out.is_some() {
        console::complain(
            "scrub: what is zipped or comes from standard input cannot be gone on with after an interruption",
        );
    }
    if run.progress.offset_bytes > 0 {
        console::complain(format!(
            "scrub: going on after line {}; rows judged before: {}",
            HumanCount(run.progress.lines),
            HumanCount(run.progress.sums.rows)
        ));
    }
}
