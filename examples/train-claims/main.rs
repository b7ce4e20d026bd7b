//! Learns the weights of the claims reader from `training/claims/*.jsonl`.
//!
//! ```text
//! cargo run --release --example train-claims             # writes src/claims/weights.bin
//! cargo run --release --example train-claims -- --check  # says whether it would change
//! cargo run --release --example train-claims -- --cross  # cross-validation only, as tables
//! ```
//!
//! One logistic regression a claim. A message claims what its most claiming sentence claims, so a message
//! that makes a claim teaches by that sentence, one that does not by all. The same data give the same bytes.

#![expect(clippy::print_stdout, clippy::disallowed_macros, reason = "a program run by hand")]
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a program run by hand")]

mod learning;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use contact_governor::claims::{Reader, model};
use contact_governor::domain::words::Claim;

use learning::{Example, Known, best_threshold, learn, score};

const CLAIMS: usize = model::CLAIMS;
const FOLDS: usize = 5;

/// A message as the files hold it.
struct Labelled {
    /// The number of its file: messages of one file share scenes and turns of phrase.
    file: usize,
    text: String,
    labels: [bool; CLAIMS],
    debatable: [bool; CLAIMS],
    disguised: bool,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let root =
        arguments.iter().find_map(|argument| argument.strip_prefix("--root=")).unwrap_or(".").to_owned();
    let messages = read_all(&Path::new(&root).join("training/claims"));
    println!("{} messages", messages.len());

    let ordinary = ordinary_words(&messages);
    let blank = model::file(&[], &[-1.0; CLAIMS], &ordinary);
    let reader = Reader::of_weights(Box::leak(blank.into_boxed_slice())).expect("its own file is read");
    let examples: Vec<Example> = messages
        .iter()
        .map(|message| Example {
            sentences: reader.features(&message.text),
            labels: message.labels,
            debatable: message.debatable,
        })
        .collect();

    let thresholds = cross_validate(&examples, &messages);
    if has("--cross") {
        return;
    }
    let known = Known::of(&examples.iter().collect::<Vec<_>>());
    let numbered: Vec<Example> = examples.iter().map(|example| known.numbered(example)).collect();
    let learnt = learn(&numbered, known.0.len());
    let mut bias = learnt.bias;
    for (bias, threshold) in bias.iter_mut().zip(thresholds) {
        *bias -= threshold;
    }
    let mut entries: Vec<model::Entry> = known
        .0
        .iter()
        .map(|(key, number)| (*key, std::array::from_fn(|claim| learnt.weights[claim][*number as usize])))
        .collect();
    keep_heaviest(&mut entries);
    let bytes = model::file(&entries, &bias, &ordinary);
    let path = Path::new(&root).join("src/claims/weights.bin");
    if has("--check") {
        let same = fs::read(&path).is_ok_and(|before| before == bytes);
        println!(
            "{}",
            if same { "the weights are those of the data" } else { "the weights are not those of the data" }
        );
        std::process::exit(i32::from(!same));
    }
    fs::write(&path, &bytes).expect("the weights can be written");
    println!("{} bytes in {}", bytes.len(), path.display());
}

/// Most features kept, those that weigh most: the file stays below a megabyte.
const MOST_ENTRIES: usize = 80_000;

fn keep_heaviest(entries: &mut Vec<model::Entry>) {
    let weight = |entry: &model::Entry| entry.1.iter().map(|weight| weight.abs()).fold(0.0_f32, f32::max);
    entries.sort_by(|one, other| weight(other).total_cmp(&weight(one)).then(one.0.cmp(&other.0)));
    entries.truncate(MOST_ENTRIES);
}

/// Learns on four fifths of the files, scores the last; thresholds that suit the scores of all.
fn cross_validate(examples: &[Example], messages: &[Labelled]) -> [f32; CLAIMS] {
    let mut scores = vec![[0.0_f32; CLAIMS]; examples.len()];
    for fold in 0..FOLDS {
        let of_fold = |at: usize| (messages[at].file * 7 + messages[at].file / FOLDS) % FOLDS == fold;
        let rest: Vec<&Example> =
            examples.iter().enumerate().filter(|(at, _)| !of_fold(*at)).map(|(_, one)| one).collect();
        let known = Known::of(&rest);
        let numbered: Vec<Example> = rest.iter().map(|example| known.numbered(example)).collect();
        let learnt = learn(&numbered, known.0.len());
        for (at, example) in examples.iter().enumerate().filter(|(at, _)| of_fold(*at)) {
            scores[at] = score(&learnt, &known.numbered(example));
        }
    }
    let mut thresholds = [0.0; CLAIMS];
    let mut total = 0.0;
    println!("cross-validated:\n{:18} threshold  precision  recall     F1", "claim");
    for claim in Claim::ALL {
        let number = claim as usize;
        let pairs: Vec<(f32, bool)> = scores
            .iter()
            .zip(examples)
            .map(|(score, example)| (score[number], example.labels[number]))
            .collect();
        let best = best_threshold(&pairs);
        thresholds[number] = best.threshold;
        total += best.f1;
        println!(
            "{:18} {:9.2} {:10.3} {:7.3} {:6.3}",
            claim.name(),
            best.threshold,
            best.precision,
            best.recall,
            best.f1
        );
    }
    println!("macro-F1 {:.3}", total / CLAIMS as f32);
    thresholds
}

fn read_all(folder: &Path) -> Vec<Labelled> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("training/claims is there")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension().is_some_and(|end| end == "jsonl") && !path.ends_with("heldapart.jsonl")
        })
        .collect();
    files.sort();
    files.iter().enumerate().flat_map(|(file, path)| read(file, path)).collect()
}

fn read(file: usize, path: &Path) -> Vec<Labelled> {
    let text = fs::read_to_string(path).expect("a training file is text");
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            Labelled {
                file,
                text: value["text"].as_str().expect("a message has a text").to_owned(),
                labels: flags(&value["labels"]),
                debatable: flags(&value["debatable"]),
                disguised: value["tags"].as_array().is_some_and(|tags| {
                    tags.iter().any(|tag| {
                        tag.as_str()
                            .is_some_and(|tag| tag.starts_with("disguis") || tag.starts_with("obfusc"))
                    })
                }),
            }
        })
        .collect()
}

fn flags(names: &serde_json::Value) -> [bool; CLAIMS] {
    let mut out = [false; CLAIMS];
    for name in names.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str) {
        out[Claim::parse(name).expect("a label is a claim") as usize] = true;
    }
    out
}

/// Words that stand in several messages written plainly: what a disguised word may turn out to be.
fn ordinary_words(messages: &[Labelled]) -> Vec<u64> {
    const FEWEST: usize = 3;
    let blank = model::file(&[], &[-1.0; CLAIMS], &[]);
    let reader = Reader::of_weights(Box::leak(blank.into_boxed_slice())).expect("its own file is read");
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for message in messages.iter().filter(|message| !message.disguised) {
        let mut words = reader.words_in(&message.text);
        words.sort();
        words.dedup();
        for (_, hash) in words
            .iter()
            .filter(|(word, _)| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        {
            *counts.entry(*hash).or_default() += 1;
        }
    }
    counts.into_iter().filter(|(_, count)| *count >= FEWEST).map(|(hash, _)| hash).collect()
}
