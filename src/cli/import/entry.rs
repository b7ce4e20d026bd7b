//! What a row says, as the JSON that anybody else would say it in: an event, or facts to put.

use csv::StringRecord;
use serde_json::{Map, Value, json};

use crate::cli::cells::typed;
use crate::cli::columns::{CUSTOMER, Columns};
use crate::domain::event::EventKind;
use crate::wire::question::not_among;
use crate::wire::suppression::ALL;

use super::kind::{AS_OF, Kind};

/// One row, ready to be read and stored.
#[derive(Debug)]
pub struct Entry {
    pub line: u64,
    pub customer: String,
    /// A CloudEvent, or an object of facts.
    pub body: Value,
}

/// What is the same for every row of an import.
#[derive(Debug)]
pub struct Import {
    pub kind: Kind,
    pub columns: Columns,
    /// The file's name, for rows that name no source of their own.
    pub file: String,
    /// The CloudEvents' source: it tells this file's rows from any other's.
    pub source: String,
    /// When it began, for rows that name no time.
    pub begun: String,
}

const STATUSES: [&str; 3] = ["granted", "withdrawn", "pending"];

impl Import {
    /// # Errors
    /// What is wrong with the row, where nobody else would see it.
    pub fn entry(&self, line: u64, fields: &StringRecord) -> Result<Entry, String> {
        let Some(customer) = self.columns.get(CUSTOMER, fields) else {
            return Err(format!("{}: is blank", self.columns.called(CUSTOMER)));
        };
        let body = match self.kind {
            Kind::Facts => self.facts(fields),
            Kind::Consents => {
                let (kind, data) = self.consent(fields)?;
                self.event(line, &kind, customer, &data, fields)
            }
            Kind::Suppressions => {
                let data = self.suppression(fields);
                self.event(line, &EventKind::CustomerUnsubscribed, customer, &data, fields)
            }
        };
        Ok(Entry { line, customer: customer.to_owned(), body })
    }

    fn consent(&self, fields: &StringRecord) -> Result<(EventKind, Map<String, Value>), String> {
        let mut data = self.texts(&["channel", "purpose", "evidence", "expires_at"], fields);
        self.add_source(&mut data, fields);
        let status = self.columns.get("status", fields).unwrap_or("granted");
        let kind = match status {
            "granted" => EventKind::ConsentGranted,
            "withdrawn" => EventKind::ConsentWithdrawn,
            "pending" => {
                data.insert("pending".to_owned(), Value::from(true));
                EventKind::ConsentGranted
            }
            other => {
                let called = self.columns.called("status");
                return Err(format!("{called}: {}", not_among(other, STATUSES.into_iter())));
            }
        };
        Ok((kind, data))
    }

    fn suppression(&self, fields: &StringRecord) -> Map<String, Value> {
        let mut data = self.texts(&["channel", "reason", "expires_at"], fields);
        // No channel is every channel.
        if data.get("channel").and_then(Value::as_str) == Some(ALL) {
            data.remove("channel");
        }
        self.add_source(&mut data, fields);
        match self.columns.get("purposes", fields) {
            None => {}
            Some(ALL) => {
                data.insert("purposes".to_owned(), Value::from(ALL));
            }
            Some(some) => {
                let purposes = some.split([' ', ',', ';']).filter(|purpose| !purpose.is_empty());
                data.insert("purposes".to_owned(), purposes.collect());
            }
        }
        data
    }

    fn texts(&self, columns: &[&str], fields: &StringRecord) -> Map<String, Value> {
        columns
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), Value::from(self.columns.get(name, fields)?))))
            .collect()
    }

    fn add_source(&self, data: &mut Map<String, Value>, fields: &StringRecord) {
        let source = self.columns.get("source", fields).unwrap_or(&self.file);
        data.insert("source".to_owned(), Value::from(source));
    }

    fn event(
        &self,
        line: u64,
        kind: &EventKind,
        customer: &str,
        data: &Map<String, Value>,
        fields: &StringRecord,
    ) -> Value {
        let time = self.columns.get("time", fields);
        // What the row says, and not when it was imported: said again, it is the same event.
        let said = json!([kind.name(), customer, time, data]).to_string();
        let digest = blake3::hash(said.as_bytes()).to_hex();
        let id = format!("{line}-{}", digest.get(..16).unwrap_or_default());
        json!({
            "specversion": "1.0",
            "source": self.source,
            "id": id,
            "type": kind.name(),
            "subject": customer,
            "time": time.unwrap_or(&self.begun),
            "data": data,
        })
    }

    fn facts(&self, fields: &StringRecord) -> Value {
        // A run that goes on must not make facts younger than the run before it did.
        let as_of = self.columns.get(AS_OF, fields).unwrap_or(&self.begun);
        self.columns
            .facts(fields)
            .map(|(name, text, as_text)| {
                let value = if as_text { Value::from(text) } else { typed(text) };
                (name.to_owned(), json!({"value": value, "as_of": as_of}))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::columns::{Pair, Said};

    /// What a file's only row says, as an entry.
    fn entry(kind: Kind, header: &[&str], row: &[&str], sets: &[(&str, &str)]) -> Result<Entry, String> {
        let sets: Vec<Pair> = sets
            .iter()
            .map(|(column, value)| Pair { column: (*column).to_owned(), value: (*value).to_owned() })
            .collect();
        let said = Said { maps: &[], sets: &sets, texts: &[] };
        let columns =
            Columns::find(kind.vocabulary(), &StringRecord::from(header.to_vec()), said).expect("columns");
        let import = Import {
            kind,
            columns,
            file: "file.csv".to_owned(),
            source: "import:x".to_owned(),
            begun: "2026-11-16T12:00:00Z".to_owned(),
        };
        import.entry(7, &StringRecord::from(row.to_vec()))
    }

    #[test]
    fn a_row_is_the_event_that_anybody_would_have_told() {
        let consents: &[&str] = &["customer", "status", "channel", "evidence"];
        let suppressions: &[&str] = &["customer", "channel", "purposes", "reason", "expires_at"];
        let end = "2027-01-01T00:00:00Z";
        let cases = [
            (
                Kind::Consents,
                consents,
                &["c", "pending", " email ", "form 7"][..],
                "consent.granted",
                json!({"channel": "email", "evidence": "form 7", "pending": true, "source": "file.csv"}),
            ),
            (
                Kind::Consents,
                consents,
                &["c", "withdrawn", "", " "][..],
                "consent.withdrawn",
                json!({"source": "file.csv"}),
            ),
            (
                Kind::Suppressions,
                suppressions,
                &["c", "all", "marketing; service", "by phone", end][..],
                "customer.unsubscribed",
                json!({"purposes": ["marketing", "service"], "reason": "by phone", "expires_at": end,
                       "source": "file.csv"}),
            ),
            (
                Kind::Suppressions,
                suppressions,
                &["c", "sms", "all", "", ""][..],
                "customer.unsubscribed",
                json!({"channel": "sms", "purposes": "all", "source": "file.csv"}),
            ),
        ];
        for (kind, header, row, expected, data) in cases {
            let event = entry(kind, header, row, &[]).expect("an entry").body;
            assert_eq!((&event["type"], &event["data"]), (&json!(expected), &data), "{row:?}");
            assert_eq!(event["time"], "2026-11-16T12:00:00Z");
        }
    }

    #[test]
    fn the_same_row_is_the_same_event_and_another_is_another() {
        let id = |row: &[&str], sets: &[(&str, &str)]| {
            let entry = entry(Kind::Consents, &["customer", "channel"], row, sets).expect("an entry");
            entry.body["id"].as_str().expect("an id").to_owned()
        };
        let first = id(&["c", "email"], &[]);
        assert_eq!(first, id(&["c", "email"], &[]));
        assert!(first.starts_with("7-"), "{first}");
        assert_ne!(first, id(&["c", "sms"], &[]));
        assert_ne!(first, id(&["c", "email"], &[("purpose", "marketing")]), "it says something else now");
    }
}
