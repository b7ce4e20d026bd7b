//! What the fuzzer begins with: made of the project's own examples.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::audit;

/// The project's folder.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    if own.ends_with("fuzz") { own.join("..") } else { own.to_owned() }
}

/// The files of a folder, in their order.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root().join(folder)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.is_file() && path.to_string_lossy().ends_with(ending));
    paths.sort();
    paths
}

fn contents(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    files(folder, ending).iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// The steps of all scenarios, as JSON.
fn steps() -> Vec<Value> {
    let scenarios = contents("tests/cases", ".toml");
    scenarios
        .iter()
        .filter_map(|bytes| toml::from_str::<Value>(std::str::from_utf8(bytes).ok()?).ok())
        .flat_map(|scenario| scenario["steps"].as_array().cloned().unwrap_or_default())
        .collect()
}

/// What the steps have under a name, each once.
fn under(name: &str) -> Vec<Value> {
    let mut found: Vec<Value> = steps().iter().filter_map(|step| step.get(name).cloned()).collect();
    found.sort_by_key(Value::to_string);
    found.dedup();
    found
}

fn json(values: &[Value]) -> Vec<Vec<u8>> {
    values.iter().map(|value| value.to_string().into_bytes()).collect()
}

fn lines(values: &[Value], together: usize) -> Vec<Vec<u8>> {
    values.chunks(together).map(|chunk| json(chunk).join(&b'\n')).collect()
}

/// The events of the scenarios, with what CloudEvents require besides.
fn events() -> Vec<Value> {
    let mut events = under("tell");
    for (number, event) in events.iter_mut().enumerate() {
        if let Some(members) = event.as_object_mut() {
            for (name, value) in [("specversion", "1.0"), ("source", "seeds"), ("id", &*number.to_string())] {
                members.entry(name).or_insert_with(|| value.into());
            }
        }
    }
    events
}

/// Scenarios' policies are parts of their files; whole ones ship with the program.
fn policies() -> Vec<Vec<u8>> {
    let inline = contents("tests/cases", ".toml").into_iter().filter_map(|bytes| {
        let scenario: toml::Table = toml::from_str(std::str::from_utf8(&bytes).ok()?).ok()?;
        toml::to_string(scenario.get("policy")?.as_table()?).ok().map(String::into_bytes)
    });
    let whole = ["config", "src/policy/presets", "examples/bank-campaign", "benches"];
    inline.chain(whole.into_iter().flat_map(|folder| contents(folder, ".toml"))).collect()
}

const CSV: [&str; 4] = [
    "customer,channel,purpose,status,time,evidence\nc-1,email,marketing,granted,2026-01-02T03:04:05Z,form 7\nc-2,,,withdrawn,,\n",
    "\u{feff}Customer;with\r\n\"c-1\",\"a \"\"quoted\"\" field\nof two lines\"\r\n",
    "customer,purchases,child_born,vip,as_of\nc-1,12,2011-06-01,true,2026-01-01\n\nc-2,,,,\nc-3,1,2\n",
    "customer,channel,purposes,reason\nc-1,sms,all,said so\nc-2,\"email\nc-3,mail,\"marketing service\",\n",
];

/// The seeds of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "audit_log" => {
            let log = audit::log();
            let whole = |lines: &[Vec<u8>]| [lines.join(&b'\n'), b"\n".to_vec()].concat();
            vec![whole(log), whole(&log[..3]), whole(&log[4..9]), whole(&log[11..])]
        }
        "batch_lines" => lines(&under("ask"), 5),
        "claims" => files("fuzz/corpus/claims", "")
            .iter()
            .step_by(20)
            .filter_map(|path| std::fs::read(path).ok())
            .collect(),
        "csv_rows" => CSV.map(|text| text.as_bytes().to_vec()).to_vec(),
        "event" => json(&events()),
        "policy_file" => policies(),
        "question" => json(&under("ask")),
        "replayed_lines" => lines(&steps(), 8),
        "stored_record" => contents("tests/stored", ".bin"),
        "wishes_link" => [
            // Made with another secret, and with none.
            "AZzwBZV2zxjNVOXbmW7fY1v4U4fWOHg_4bzopJZxlQPQNeg",
            "c-1001",
            "Ж/é?%",
            "",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec(),
        _ => Vec::new(),
    }
}
