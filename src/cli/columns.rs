//! Which column of a file is which: by the name in its header, by `--map`, or a constant by `--set`.

use csv::StringRecord;

use crate::domain::words::nearest;
use crate::wire::fields::{LONGEST_NAME, name_error};
use crate::wire::problem::FieldError;

/// The column every file must have.
pub const CUSTOMER: &str = "customer";

/// Which columns mean something to a command.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// What the file holds, in the plural.
    pub holds: &'static str,
    pub known: &'static [&'static str],
    /// Those among them that must be there.
    pub required: &'static [&'static str],
    pub others: Others,
}

/// What a column is that is not known by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// Nothing; one that looks like a known one is a mistake, since overlooking it might do harm.
    Ignored,
    /// A fact.
    Facts,
    /// A fact where its name begins so, and else nothing.
    FactsCalled(&'static str),
}

impl Vocabulary {
    fn may_be(&self, name: &str) -> bool {
        self.known.contains(&name) || self.is_fact(name)
    }

    fn is_fact(&self, name: &str) -> bool {
        match self.others {
            Others::Ignored => false,
            Others::Facts => !self.known.contains(&name),
            Others::FactsCalled(prefix) => name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()),
        }
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
    vocabulary: Vocabulary,
    columns: Vec<Column>,
    /// The headers of the others.
    pub ignored: Vec<String>,
    /// Those among them that look like a known column which is lacking, with what that is.
    pub near: Vec<(String, &'static str)>,
    /// How many columns in front are those that a rejects file puts there.
    pub in_front: usize,
}

/// What a rejects file puts in front of the columns of its import.
pub const IN_FRONT: [&str; 2] = ["line", "reason"];

impl Columns {
    /// # Errors
    /// Every mistake, a line each.
    pub fn find(vocabulary: Vocabulary, header: &StringRecord, said: Said<'_>) -> Result<Self, Vec<String>> {
        let is_rejects = header.iter().take(IN_FRONT.len()).eq(IN_FRONT);
        let in_front = if is_rejects { IN_FRONT.len() } else { 0 };
        let headers = header.iter().enumerate().skip(in_front).collect();
        let mut finder =
            Finder { vocabulary, headers, said, found: Vec::new(), near: Vec::new(), mistakes: Vec::new() };
        finder.mapped();
        finder.set();
        finder.named();
        let ignored = finder.others();
        finder.texts();
        if finder.mistakes.is_empty() {
            let Finder { found, near, .. } = finder;
            Ok(Self { vocabulary, columns: found, ignored, near, in_front })
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
            .filter(|column| self.vocabulary.is_fact(&column.name))
            .map(|column| (column.name.as_str(), column.from.value(fields), column.as_text))
            .filter(|(_, value, _)| !value.trim().is_empty())
    }

    /// What is wrong with a row, by the headers its reader knows nothing of. `column_at` says which column a
    /// pointer is about.
    pub fn reason(&self, errors: &[FieldError], column_at: impl Fn(&str) -> Option<String>) -> String {
        let mut reasons: Vec<String> = Vec::new();
        for error in errors {
            let reason = match column_at(&error.pointer) {
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

/// The steps of a JSON pointer.
pub fn steps(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

struct Finder<'a> {
    vocabulary: Vocabulary,
    headers: Vec<(usize, &'a str)>,
    said: Said<'a>,
    found: Vec<Column>,
    near: Vec<(String, &'static str)>,
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
        let known = self.vocabulary.known;
        let may_be = self.vocabulary.may_be(name);
        if !may_be {
            let names = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let hint = meant(name, known.iter().copied());
            let holds = self.vocabulary.holds;
            self.mistakes.push(format!("{flag} {name}: {holds} have no such column, but {names}{hint}"));
        }
        may_be
    }

    fn mapped(&mut self) {
        for Pair { column, value: header } in self.said.maps {
            if !self.may_be("--map", column) {
                continue;
            }
            if header.is_empty() {
                // Whatever the file calls so is something else.
                self.add(column, Origin::Constant(String::new()));
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
        let sound_so_far = self.mistakes.is_empty();
        for name in self.vocabulary.known {
            let in_file = self.headers.iter().any(|(place, known)| known == name && !self.uses(*place));
            if self.has(name) {
                continue;
            }
            if in_file {
                if let Some(place) = self.place(name) {
                    self.add(name, Origin::Field(place, (*name).to_owned()));
                }
            } else if self.vocabulary.required.contains(name) && sound_so_far {
                let (headers, hint) = (self.all(), meant(name, self.names()));
                let constant = if *name == CUSTOMER {
                    String::new()
                } else {
                    format!(", or for all rows --set {name}=…")
                };
                self.mistakes.push(format!(
                    "there is no column `{name}`, but {headers}{hint}; say which it is: --map {name}=HEADER{constant}"
                ));
            }
        }
    }

    /// What no known column is made of: facts, or the headers that mean nothing.
    fn others(&mut self) -> Vec<String> {
        let unused: Vec<_> = self.headers.iter().copied().filter(|(place, _)| !self.uses(*place)).collect();
        let is_fact = |header: &str| match self.vocabulary.others {
            Others::Facts => true,
            Others::Ignored | Others::FactsCalled(_) => self.vocabulary.is_fact(header),
        };
        let (facts, unused): (Vec<_>, Vec<_>) = unused.into_iter().partition(|(_, header)| is_fact(header));
        for (place, header) in facts {
            self.fact(place, header);
        }
        let lacking: Vec<_> = self
            .vocabulary
            .known
            .iter()
            .copied()
            .filter(|name| *name != CUSTOMER && !self.has(name))
            .collect();
        for (_, header) in &unused {
            let Some(near) = nearest(header, lacking.iter().copied()) else { continue };
            self.near.push(((*header).to_owned(), near));
            if self.vocabulary.others == Others::Ignored {
                // A consent without its channel is one for every channel: what may have been meant is asked.
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
            let vocabulary = self.vocabulary;
            let facts = self.found.iter_mut().filter(|column| vocabulary.is_fact(&column.name));
            match facts.filter(|column| matches(column)).last() {
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
