//! Which column of a file is which: by the name in its header, by `--map`, or a constant by `--set`.

use clap::ValueEnum;
use csv::StringRecord;

use crate::domain::words::nearest;
use crate::wire::fields::{LONGEST_NAME, name_error};
use crate::wire::problem::FieldError;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Consents given, withdrawn or pending.
    Consents,
    /// Customers who are not to be contacted.
    Suppressions,
    /// What is known of customers: every other column is a fact.
    Facts,
}

/// The column every file must have.
pub const CUSTOMER: &str = "customer";
/// When facts were so.
pub const AS_OF: &str = "as_of";

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consents => "consents",
            Self::Suppressions => "suppressions",
            Self::Facts => "facts",
        }
    }

    /// The columns that mean something.
    const fn known(self) -> &'static [&'static str] {
        match self {
            Self::Consents => {
                &[CUSTOMER, "status", "channel", "purpose", "time", "evidence", "source", "expires_at"]
            }
            Self::Suppressions => {
                &[CUSTOMER, "channel", "purposes", "reason", "source", "expires_at", "time"]
            }
            Self::Facts => &[CUSTOMER, AS_OF],
        }
    }

    /// Whether any other column means something as well.
    const fn has_others(self) -> bool {
        matches!(self, Self::Facts)
    }
}

/// `column=value` on the command line.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Pair {
    pub column: String,
    pub value: String,
}

impl Pair {
    /// # Errors
    /// Where there is no `=`, or nothing before it.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((column, value)) if !column.is_empty() => {
                Ok(Self { column: column.to_owned(), value: value.to_owned() })
            }
            _ => Err("write it as column=…".to_owned()),
        }
    }
}

/// What the command line says about columns.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub maps: &'a [Pair],
    pub sets: &'a [Pair],
    pub texts: &'a [String],
}

/// One column that means something.
#[derive(Debug)]
struct Column {
    name: String,
    from: Origin,
    as_text: bool,
}

#[derive(Debug)]
enum Origin {
    /// A field of each row, by its place, under its name in the header.
    Field(usize, String),
    Constant(String),
}

/// The columns of a file that mean something.
#[derive(Debug)]
pub struct Columns {
    columns: Vec<Column>,
    /// The headers of the others.
    pub ignored: Vec<String>,
    /// How many columns in front are those that a rejects file puts there.
    pub in_front: usize,
}

/// What a rejects file puts in front of the columns of its import.
pub const IN_FRONT: [&str; 2] = ["line", "reason"];

impl Columns {
    /// # Errors
    /// Every mistake, a line each.
    pub fn find(kind: Kind, header: &StringRecord, said: Said<'_>) -> Result<Self, Vec<String>> {
        let is_rejects = header.iter().take(IN_FRONT.len()).eq(IN_FRONT);
        let in_front = if is_rejects { IN_FRONT.len() } else { 0 };
        let headers = header.iter().enumerate().skip(in_front).collect();
        let mut finder = Finder { kind, headers, said, found: Vec::new(), mistakes: Vec::new() };
        finder.mapped();
        finder.set();
        finder.named();
        let ignored = finder.others();
        finder.texts();
        if finder.mistakes.is_empty() {
            Ok(Self { columns: finder.found, ignored, in_front })
        } else {
            Err(finder.mistakes)
        }
    }

    /// What a row says in a column, without the blanks around it; `None` where it says nothing.
    pub fn get<'a>(&'a self, name: &str, fields: &'a StringRecord) -> Option<&'a str> {
        let column = self.columns.iter().find(|column| column.name == name)?;
        Some(column.from.value(fields).trim()).filter(|value| !value.is_empty())
    }

    /// The facts a row states: name, value, and whether it stays a text whatever it looks like.
    pub fn facts<'a>(
        &'a self,
        fields: &'a StringRecord,
    ) -> impl Iterator<Item = (&'a str, &'a str, bool)> + 'a {
        self.columns
            .iter()
            .filter(|column| ![CUSTOMER, AS_OF].contains(&column.name.as_str()))
            .map(|column| (column.name.as_str(), column.from.value(fields), column.as_text))
            .filter(|(_, value, _)| !value.trim().is_empty())
    }

    /// What is wrong with a row, by the headers its reader knows nothing of.
    pub fn reason(&self, kind: Kind, errors: &[FieldError]) -> String {
        let mut reasons: Vec<String> = Vec::new();
        for error in errors {
            let reason = match column_at(kind, &error.pointer) {
                Some(name) => format!("{}: {}", self.called(&name), error.detail),
                None => error.detail.clone(),
            };
            // One bad `as_of` is bad for every fact of its row.
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons.join("; ")
    }

    /// What whoever wrote the file calls a column.
    pub fn called<'a>(&'a self, name: &'a str) -> &'a str {
        match self.columns.iter().find(|column| column.name == name).map(|column| &column.from) {
            Some(Origin::Field(_, header)) => header,
            Some(Origin::Constant(_)) | None => name,
        }
    }
}

impl Origin {
    fn value<'a>(&'a self, fields: &'a StringRecord) -> &'a str {
        match self {
            Self::Field(place, _) => fields.get(*place).unwrap_or_default(),
            Self::Constant(value) => value,
        }
    }
}

/// The column that a JSON pointer into what was made of a row is about.
fn column_at(kind: Kind, pointer: &str) -> Option<String> {
    let mut steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    let first = steps.next()?;
    match (kind, first.as_str(), steps.next()) {
        (Kind::Facts, _, Some(member)) if member == AS_OF => Some(member),
        (Kind::Consents | Kind::Suppressions, "data", member) => member,
        (Kind::Consents | Kind::Suppressions, "subject", _) => Some(CUSTOMER.to_owned()),
        (Kind::Consents | Kind::Suppressions | Kind::Facts, _, _) => Some(first),
    }
}

struct Finder<'a> {
    kind: Kind,
    headers: Vec<(usize, &'a str)>,
    said: Said<'a>,
    found: Vec<Column>,
    mistakes: Vec<String>,
}

impl<'a> Finder<'a> {
    fn has(&self, name: &str) -> bool {
        self.found.iter().any(|column| column.name == name)
    }

    fn uses(&self, place: usize) -> bool {
        self.found.iter().any(|column| matches!(column.from, Origin::Field(used, _) if used == place))
    }

    fn add(&mut self, name: &str, from: Origin) {
        self.found.push(Column { name: name.to_owned(), from, as_text: false });
    }

    /// The place of a header, which must stand there once.
    fn place(&mut self, header: &str) -> Option<usize> {
        let mut places = self.headers.iter().filter(|(_, known)| *known == header).map(|(place, _)| *place);
        let place = places.next();
        if places.next().is_some() {
            self.mistakes.push(format!("the header names `{header}` twice"));
            return None;
        }
        place
    }

    fn may_be(&mut self, flag: &str, name: &str) -> bool {
        if self.has(name) {
            self.mistakes.push(format!("{flag} {name}: it was said before what `{name}` is"));
            return false;
        }
        let known = self.kind.known();
        let may_be = self.kind.has_others() || known.contains(&name);
        if !may_be {
            let names = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let hint = meant(name, known.iter().copied());
            let kind = self.kind.name();
            self.mistakes.push(format!("{flag} {name}: {kind} have no such column, but {names}{hint}"));
        }
        may_be
    }

    fn mapped(&mut self) {
        for Pair { column, value: header } in self.said.maps {
            if !self.may_be("--map", column) {
                continue;
            }
            let there = self.headers.iter().any(|(_, known)| known == header);
            if let Some(place) = self.place(header) {
                self.add(column, Origin::Field(place, header.clone()));
            } else if !there {
                let (headers, hint) = (self.all(), meant(header, self.names()));
                self.mistakes.push(format!(
                    "--map {column}={header}: the file has no column `{header}`, but {headers}{hint}"
                ));
            }
        }
    }

    fn set(&mut self) {
        for Pair { column, value } in self.said.sets {
            let in_file = self.headers.iter().any(|(place, known)| known == column && !self.uses(*place));
            if in_file {
                self.mistakes.push(format!(
                    "--set {column}: the file has a column `{column}`; --set is for what it lacks"
                ));
            } else if self.may_be("--set", column) {
                self.add(column, Origin::Constant(value.clone()));
            }
        }
    }

    /// The known columns that the header names itself.
    fn named(&mut self) {
        for name in self.kind.known() {
            let in_file = self.headers.iter().any(|(place, known)| known == name && !self.uses(*place));
            if self.has(name) {
                continue;
            }
            if in_file {
                if let Some(place) = self.place(name) {
                    self.add(name, Origin::Field(place, (*name).to_owned()));
                }
            } else if *name == CUSTOMER && self.mistakes.is_empty() {
                let (headers, hint) = (self.all(), meant(name, self.names()));
                self.mistakes.push(format!(
                    "there is no column `{name}`, but {headers}{hint}; say which it is: --map {name}=HEADER"
                ));
            }
        }
    }

    /// What no known column is made of: facts, or the headers that mean nothing.
    fn others(&mut self) -> Vec<String> {
        let unused: Vec<_> = self.headers.iter().copied().filter(|(place, _)| !self.uses(*place)).collect();
        if self.kind.has_others() {
            for (place, header) in unused {
                self.fact(place, header);
            }
            return Vec::new();
        }
        let lacking: Vec<_> =
            self.kind.known().iter().copied().filter(|name| *name != CUSTOMER && !self.has(name)).collect();
        for (_, header) in &unused {
            // A consent without its channel is one for every channel: what may have been meant is asked.
            if let Some(near) = nearest(header, lacking.iter().copied()) {
                self.mistakes.push(format!(
                    "the column `{header}` is not known here; did you mean `{near}`? Then say --map {near}={header}, and if not, --set {near}="
                ));
            }
        }
        unused.into_iter().map(|(_, header)| header.to_owned()).collect()
    }

    fn fact(&mut self, place: usize, header: &str) {
        if header.is_empty() {
            self.mistakes.push(format!("column {} has no name; a fact needs one", place + 1));
        } else if let Some(detail) = name_error(header, LONGEST_NAME) {
            self.mistakes.push(format!("the column `{header}` cannot be a fact: its name {detail}"));
        } else if self.has(header) {
            self.mistakes.push(format!("two columns would be `{header}`"));
        } else {
            self.add(header, Origin::Field(place, header.to_owned()));
        }
    }

    fn texts(&mut self) {
        for text in self.said.texts {
            let matches = |column: &Column| {
                column.name == *text || matches!(&column.from, Origin::Field(_, header) if header == text)
            };
            let is_fact = |column: &&mut Column| ![CUSTOMER, AS_OF].contains(&column.name.as_str());
            let facts = self.found.iter_mut().filter(is_fact);
            match facts.filter(|column| matches(column)).last().filter(|_| self.kind.has_others()) {
                Some(column) => column.as_text = true,
                None => self.mistakes.push(format!("--text {text}: no fact comes from a column `{text}`")),
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers.iter().map(|(_, header)| *header).collect::<Vec<_>>().into_iter()
    }

    fn all(&self) -> String {
        self.names().map(|header| format!("`{header}`")).collect::<Vec<_>>().join(", ")
    }
}

fn meant<'n>(written: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(written, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}
