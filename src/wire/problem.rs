//! RFC 9457 problems: what went wrong, and every field that is to blame.

use serde::Serialize;

use crate::domain::question::{FARTHEST_AHEAD, Misuse, PAST_TOLERANCE};
use crate::gate::put::PutError;
use crate::ledger::LedgerError;
use crate::policy::mistakes::{Mistake, Mistakes};

/// One bad field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// RFC 6901 pointer into what was sent; empty for the whole of it.
    pub pointer: String,
    /// What is wrong with it and what would be right.
    pub detail: String,
}

/// A problem, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: &'static str,
    pub status: u16,
    pub detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// The kinds of problem, each with its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// Not JSON at all.
    Malformed,
    /// JSON, with bad fields.
    InvalidFields,
    /// A `contact_id` that belongs to another question.
    ContactIdTaken,
    /// No key, or none that is known.
    Unauthenticated,
    /// A key that does not reach so far.
    Forbidden,
    NotFound,
    /// A follow-up that somebody else has.
    AlreadyClaimed,
    MethodNotAllowed,
    TooLarge,
    UnsupportedMediaType,
    TimedOut,
    /// More requests than the caller may make.
    Throttled,
    LedgerUnavailable,
    /// What must be told of in the audit log cannot be.
    AuditUnavailable,
    /// More is asked than can be answered in time.
    Overloaded,
    /// The instance is about to stop.
    Draining,
    /// A line of `simulate` that goes back in time.
    OutOfOrder,
    /// A policy that cannot mean what it says.
    PolicyRefused,
    /// A change that does not say what it changes.
    PreconditionRequired,
    /// Another policy is in force than a change was made for.
    PolicyChanged,
    /// There is no policy file to change.
    NoPolicyFile,
    /// The policy file cannot be written.
    PolicyUnwritable,
}

impl ProblemKind {
    pub const ALL: [Self; 22] = [
        Self::Malformed,
        Self::InvalidFields,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::ContactIdTaken,
        Self::NotFound,
        Self::AlreadyClaimed,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::TimedOut,
        Self::Throttled,
        Self::LedgerUnavailable,
        Self::AuditUnavailable,
        Self::Overloaded,
        Self::Draining,
        Self::OutOfOrder,
        Self::PolicyRefused,
        Self::PreconditionRequired,
        Self::PolicyChanged,
        Self::NoPolicyFile,
        Self::PolicyUnwritable,
    ];

    /// What a problem's `type` says.
    #[must_use]
    pub fn urn(self) -> String {
        format!("urn:contact-governor:problem:{}", self.parts().0)
    }

    #[must_use]
    pub const fn title(self) -> &'static str {
        self.parts().1
    }

    #[must_use]
    pub const fn status(self) -> u16 {
        self.parts().2
    }

    const fn parts(self) -> (&'static str, &'static str, u16) {
        match self {
            Self::Malformed => ("malformed", "This is not valid JSON", 400),
            Self::InvalidFields => ("invalid-fields", "Some fields are not right", 400),
            Self::ContactIdTaken => ("contact-id-taken", "This contact_id belongs to another question", 422),
            Self::Unauthenticated => ("unauthenticated", "This takes a key", 401),
            Self::Forbidden => ("forbidden", "This key does not reach so far", 403),
            Self::NotFound => ("not-found", "There is nothing here", 404),
            Self::AlreadyClaimed => ("already-claimed", "Somebody else has this follow-up", 409),
            Self::MethodNotAllowed => ("method-not-allowed", "This method has no meaning here", 405),
            Self::TooLarge => ("too-large", "This is too large", 413),
            Self::UnsupportedMediaType => ("unsupported-media-type", "This media type is not read here", 415),
            Self::TimedOut => ("timed-out", "This took too long to arrive", 408),
            Self::Throttled => ("throttled", "The caller makes too many requests", 429),
            Self::LedgerUnavailable => ("ledger-unavailable", "The ledger cannot be reached", 503),
            Self::AuditUnavailable => ("audit-unavailable", "The audit log cannot be written", 503),
            Self::Overloaded => ("overloaded", "There is too much to do at the moment", 503),
            Self::Draining => ("draining", "This instance is about to stop", 503),
            Self::OutOfOrder => ("out-of-order", "This line goes back in time", 400),
            Self::PolicyRefused => ("policy-refused", "This policy cannot mean what it says", 422),
            Self::PreconditionRequired => ("precondition-required", "This must say what it changes", 428),
            Self::PolicyChanged => ("policy-changed", "Another policy is in force", 412),
            Self::NoPolicyFile => ("no-policy-file", "There is no policy file to change", 409),
            Self::PolicyUnwritable => ("policy-unwritable", "The policy file cannot be written", 500),
        }
    }
}

impl Problem {
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.urn(),
            title: kind.title(),
            status: kind.status(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// Bad fields, all of them.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        Self { detail: summary(&errors), errors, ..Self::new(ProblemKind::InvalidFields, "") }
    }

    /// The same problem with what was sent standing at `pointer` of something larger.
    #[must_use]
    pub fn within(mut self, pointer: &str) -> Self {
        for error in &mut self.errors {
            error.pointer.insert_str(0, pointer);
        }
        if !self.errors.is_empty() {
            self.detail = summary(&self.errors);
        }
        self
    }

    /// JSON that does not parse. The position is where reading stopped.
    #[must_use]
    pub fn malformed(error: &serde_json::Error) -> Self {
        Self::new(ProblemKind::Malformed, format!("{error}"))
    }

    /// A policy with mistakes, all of them.
    #[must_use]
    pub fn policy(mistakes: &Mistakes) -> Self {
        let errors = mistakes.list.iter().map(|Mistake { line, column, message }| FieldError {
            pointer: String::new(),
            detail: format!("line {line}, column {column}: {message}"),
        });
        let errors: Vec<FieldError> = errors.collect();
        let detail = match &*errors {
            [one] => one.detail.clone(),
            many => format!("{} mistakes", many.len()),
        };
        Self { errors, ..Self::new(ProblemKind::PolicyRefused, detail) }
    }

    /// A question that is well-formed and cannot be judged.
    #[must_use]
    pub fn misused(misuses: &[Misuse]) -> Self {
        if misuses.contains(&Misuse::ContactIdTaken) {
            let detail =
                "a contact_id is unique within one customer; the same one with another question is refused";
            let error = FieldError { pointer: "/contact_id".to_owned(), detail: detail.to_owned() };
            return Self { errors: vec![error], ..Self::new(ProblemKind::ContactIdTaken, detail) };
        }
        Self::fields(misuses.iter().map(|misuse| misuse_error(*misuse)).collect())
    }

    #[must_use]
    pub fn put(error: &PutError) -> Self {
        match error {
            PutError::TooManyFacts => {
                Self::fields(vec![FieldError { pointer: String::new(), detail: error.to_string() }])
            }
            PutError::Ledger(error) => Self::ledger(error),
        }
    }

    #[must_use]
    pub fn ledger(error: &LedgerError) -> Self {
        Self::new(ProblemKind::LedgerUnavailable, error.to_string())
    }
}

fn summary(errors: &[FieldError]) -> String {
    match errors {
        [one] if one.pointer.is_empty() => one.detail.clone(),
        [one] => format!("{}: {}", one.pointer, one.detail),
        many => format!("{} fields are not right", many.len()),
    }
}

/// The field a misuse is about.
#[must_use]
pub fn misuse_error(misuse: Misuse) -> FieldError {
    let (pointer, detail) = match misuse {
        Misuse::ContactIdTaken => ("/contact_id", "belongs to another question".to_owned()),
        Misuse::SendAtPast => {
            ("/send_at", format!("lies more than {} in the past", PAST_TOLERANCE.in_words()))
        }
        Misuse::SendAtTooFarAhead => {
            ("/send_at", format!("lies more than {} ahead", FARTHEST_AHEAD.in_words()))
        }
        Misuse::DeadlineBeforeSendAt => ("/deadline", "lies before the moment of contact".to_owned()),
    };
    FieldError { pointer: pointer.to_owned(), detail }
}
