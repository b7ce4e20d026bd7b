//! Imports point down only.

use std::path::{Path, PathBuf};

/// The modules by height: each may import from lower ones and from itself.
const LAYERS: [&[&str]; 10] = [
    &["domain", "api_key", "backoff", "sealed", "digest", "line_files"],
    &["clock", "rules", "claims", "settings"],
    &["policy"],
    &["decide", "ledger"],
    &["gate"],
    &["wire", "telemetry", "metrics"],
    &["replay", "decision_log", "audit"],
    &["reload"],
    &["http", "scenario", "heralds"],
    &["app", "cli"],
];

fn height(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .unwrap_or_else(|| panic!("module `{module}` has no layer; give it one"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn imports_point_down_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    let mut upward = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&source).expect("a source");
        let module =
            relative.iter().next().expect("a name").to_string_lossy().trim_end_matches(".rs").to_owned();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("text");
        for (number, line) in text.lines().enumerate() {
            for used in line.split("crate::").skip(1) {
                let name: String = used.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                // `cli` starts the app; the app knows no command.
                let allowed =
                    name == module || height(&name) < height(&module) || (module == "cli" && name == "app");
                if !name.is_empty() && !allowed {
                    upward.push(format!("{}:{}: {module} uses {name}", relative.display(), number + 1));
                }
            }
        }
    }
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn every_file_is_one_concept_short_enough_to_read() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("text");
        let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        assert!(
            lines <= 480,
            "{} has {lines} lines without its tests: look for the second concept",
            file.display()
        );
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(
            !["mod.rs", "utils.rs", "helpers.rs", "common.rs"].contains(&name.as_str()),
            "{}",
            file.display()
        );
    }
}
