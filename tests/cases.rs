//! Every scenario file under `tests/cases/`, each the sentence its name says.

use std::path::{Path, PathBuf};

use contact_governor::scenario::Scenario;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of scenarios")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_scenario_goes_as_expected() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut failures = Vec::new();
    for file in files() {
        match Scenario::read(&file) {
            Err(mistakes) => failures.extend(mistakes),
            Ok(scenario) => {
                let run = runtime.block_on(scenario.run());
                assert!(run.steps > 0, "{} has no steps", file.display());
                failures
                    .extend(run.failures.into_iter().map(|failure| format!("{}: {failure}", file.display())));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_practice_customers_resent_has_its_scenario() {
    let names: Vec<String> =
        files().iter().map(|file| file.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    for number in 1..=17 {
        let prefix = format!("s{number:02}-");
        assert_eq!(names.iter().filter(|name| name.starts_with(&prefix)).count(), 1, "{prefix}");
    }
}
