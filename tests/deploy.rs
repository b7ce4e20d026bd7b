//! The files under deploy/ are held against the program: what they name is there, what they start answers, and they agree.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use contact_governor::api_key::ApiKey;
use contact_governor::settings::DEFAULTS;
use regex::Regex;
use serde_json::json;
use tempfile::TempDir;

use crate::command_line::run;
use crate::harness::{Launch, PROGRAM, Process, question};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

/// The files under deploy/ and the page about operating, those left out that somebody's machine has secrets in.
fn texts() -> Vec<(String, String)> {
    let mut paths = below(&root().join("deploy"));
    paths.retain(|path| !path.starts_with(root().join("deploy/compose/secrets")));
    paths.push(root().join("docs/operating.md"));
    let named = |path: PathBuf| Some((path.display().to_string(), std::fs::read_to_string(&path).ok()?));
    paths.into_iter().filter_map(named).collect()
}

fn all<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
    let pattern = Regex::new(pattern).expect("a pattern");
    pattern.captures_iter(text).map(|found| found.get(1).expect("a group").as_str()).collect()
}

/// What stands where the pattern's group is, in the one place where it matches.
fn one<'t>(pattern: &str, text: &'t str) -> &'t str {
    let found = all(pattern, text);
    let [one] = found[..] else { panic!("{} of {pattern}: {found:?}", found.len()) };
    one
}

fn is_setting(name: &str) -> bool {
    let defaults: toml::Table = DEFAULTS.parse().expect("the defaults");
    let (section, name) = name.split_once('.').expect("a section and a name");
    section == "keys" || defaults[section].as_table().is_some_and(|section| section.contains_key(name))
}

#[test]
fn every_setting_that_is_named_there_is_one() {
    let defaults: toml::Table = DEFAULTS.parse().expect("the defaults");
    let sections = defaults.keys().cloned().collect::<Vec<_>>().join("|");
    let mut named = 0;
    for (file, text) in texts() {
        let in_words = all(&format!(r"`((?:{sections})\.[a-z_]+)(?: = [^`]*)?`"), &text);
        let in_environment = all(r"CONTACT_GOVERNOR__([A-Z_]+)", &text);
        let in_environment = in_environment.iter().map(|name| name.to_lowercase().replacen("__", ".", 1));
        for name in in_words.iter().map(|name| (*name).to_owned()).chain(in_environment) {
            named += 1;
            // A file, and not a setting of that section.
            let is_file = name.rsplit('.').next() == Some("toml");
            assert!(is_setting(&name) || is_file, "{file} names `{name}`, and there is no such setting");
        }
    }
    assert!(named > 10, "{named} are named");
}

#[test]
fn every_policy_there_is_sound() {
    let policies: Vec<_> =
        below(&root().join("deploy")).into_iter().filter(|path| path.ends_with("policy.toml")).collect();
    assert!(policies.len() >= 3, "{policies:?}");
    for policy in policies {
        let checked = run(&["policy", "check", policy.to_str().expect("a path")], "");
        assert!(checked.status.success(), "{}: {checked:?}", policy.display());
    }
}

/// An example of a file with secrets with its gaps filled, and the key that its dialler has.
fn filled(example: &str, folder: &Path) -> (ApiKey, PathBuf) {
    let key = ApiKey::fresh().expect("a key");
    let line = |line: &str| {
        let is_diallers = line.starts_with("dialler");
        let hash = if is_diallers { key.hash() } else { ApiKey::fresh().expect("a key").hash() };
        let line = line.replace("hash = \"…\"", &format!("hash = \"{hash}\""));
        line.replace('…', "0123456789abcdef0123456789abcdef") + "\n"
    };
    let text: String = read(example).lines().map(line).collect();
    let file = folder.join("secrets.toml");
    std::fs::write(&file, text).expect("a file");
    (key, file)
}

/// What is started, and where its files are here.
struct Started {
    /// The arguments as the deployment's file has them.
    arguments: Vec<String>,
    secrets: PathBuf,
    key: ApiKey,
    folder: TempDir,
}

impl Started {
    fn new(arguments: &[&str], example: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (key, secrets) = filled(example, folder.path());
        Self { arguments: arguments.iter().map(|word| (*word).to_owned()).collect(), secrets, key, folder }
    }

    /// The same words, with our files in the place of those on the machine that is deployed to.
    fn arguments(&self, files: &[(&str, &str)]) -> Vec<String> {
        let ours = |word: &String| {
            files.iter().fold(word.clone(), |word, (theirs, ours)| {
                let ours = if *ours == SECRETS { self.secrets.clone() } else { root().join(ours) };
                word.replace(theirs, ours.to_str().expect("a path"))
            })
        };
        let arguments: Vec<String> = self.arguments.iter().map(ours).collect();
        assert!(
            !arguments.iter().any(|word| word.contains("/etc/") || word.contains("/run/")),
            "{arguments:?}"
        );
        arguments
    }

    fn answers(&self, files: &[(&str, &str)]) {
        let arguments = self.arguments(files);
        let [serve, arguments @ ..] = &arguments[..] else { panic!("no arguments") };
        assert_eq!(serve, "serve");
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.extend(["--ledger", "memory:"]);
        let settings = [("LOG__FORMAT", "text")];
        let launch = Launch { settings: &settings, arguments: &arguments, ..Launch::default() };
        let process = Process::launch(&launch).unwrap_or_else(|log| panic!("it did not start: {log}"));
        let asked = question("c", "voice");
        assert_eq!(process.caller.ask(&asked).status, 401, "callers need a key");
        let answer = process.caller.with_key(&self.key).ask(&asked);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(self.folder.path().exists());
    }
}

/// Stands for the file with the secrets.
const SECRETS: &str = "SECRETS";

/// The words after the program in a line of the unit.
fn unit_line<'t>(unit: &'t str, line: &str) -> Vec<&'t str> {
    one(&format!(r"(?m)^{line}=/usr/bin/contact-governor (.+)$"), unit).split_whitespace().collect()
}

#[test]
fn what_the_unit_starts_answers() {
    let unit = read("deploy/systemd/contact-governor.service");
    let started = Started::new(&unit_line(&unit, "ExecStart"), "deploy/systemd/secrets.example.toml");
    let files = [
        ("${CREDENTIALS_DIRECTORY}/secrets.toml", SECRETS),
        ("/etc/contact-governor/settings.toml", "deploy/systemd/settings.toml"),
        ("/etc/contact-governor/policy.toml", "deploy/systemd/policy.toml"),
    ];
    started.answers(&files);
    let check = unit_line(&unit, "ExecStartPre").join(" ");
    assert_eq!(check, "policy check /etc/contact-governor/policy.toml");
    assert_eq!(unit_line(&unit, "ExecStartPost"), ["healthcheck", "--within", "30s"]);
}

/// The members of a list in YAML, one a line, below `name:`.
fn listed<'t>(yaml: &'t str, name: &str) -> Vec<&'t str> {
    let (_, rest) = yaml.split_once(&format!("{name}:\n")).unwrap_or_else(|| panic!("no `{name}`"));
    let members = rest.lines().map_while(|line| line.trim_start().strip_prefix("- "));
    members.collect()
}

#[test]
fn what_a_pod_starts_answers() {
    let pod = read("deploy/kubernetes/base/statefulset.yaml");
    let started = Started::new(&listed(&pod, "          args"), "deploy/kubernetes/secrets.example.toml");
    let files = [
        ("/etc/contact-governor/settings/", "deploy/kubernetes/base/"),
        ("/etc/contact-governor/policy/", "deploy/kubernetes/base/"),
        ("/etc/contact-governor/secrets/secrets.toml", SECRETS),
    ];
    started.answers(&files);
}

/// Lets the script make the secrets of compose in a copy of its folder.
fn made_secrets(folder: &Path) -> Output {
    for part in ["compose", "redis"] {
        let copied = Command::new("cp").arg("-r").arg(root().join("deploy").join(part)).arg(folder).status();
        assert!(copied.expect("cp").success());
    }
    let _ = std::fs::remove_dir_all(folder.join("compose/secrets"));
    let script = folder.join("compose/make-secrets.sh");
    Command::new("sh").arg(script).env("GOVERNOR", PROGRAM).output().expect("a shell")
}

#[test]
fn what_compose_starts_answers_with_the_secrets_that_are_made_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = made_secrets(folder.path());
    assert!(made.status.success(), "{made:?}");
    let secret = |name: &str| {
        let path = folder.path().join("compose/secrets").join(name);
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let compose = read("deploy/compose/compose.yaml");
    let mut started = Started::new(&listed(&compose, "  command"), "deploy/systemd/secrets.example.toml");
    started.secrets = folder.path().join("compose/secrets/governor.toml");
    started.key = ApiKey::parse(&secret("sender-key")).expect("a key");
    let files = [
        ("/run/secrets/governor", SECRETS),
        ("/etc/contact-governor/settings.toml", "deploy/compose/settings.toml"),
        ("/etc/contact-governor/policy/", "deploy/compose/policy/"),
    ];
    started.answers(&files);

    let made_files = all(r"file: \./secrets/(\S+)", &compose);
    assert_eq!(made_files.len(), 5);
    assert!(made_files.iter().all(|name| !secret(name).is_empty()));
    // Redis knows the governor by the hash of the password that stands in the governor's URL.
    let password = one("redis://governor:([0-9a-f]{64})@redis:6379", &secret("governor.toml")).to_owned();
    let hash = run_sha256(&password);
    assert!(secret("redis-users.acl").contains(&format!("user governor on #{hash} ~cg:* ")));
    let rights = |acl: &str| one(r"(?m)^user governor on #[0-9a-f]+ (.+)$", acl).to_owned();
    assert_eq!(rights(&secret("redis-users.acl")), rights(&read("deploy/redis/users.acl")));

    let before = secret("governor.toml");
    let again = Command::new("sh")
        .arg(folder.path().join("compose/make-secrets.sh"))
        .env("GOVERNOR", PROGRAM)
        .output();
    assert!(again.expect("a shell").status.success());
    assert_eq!(secret("governor.toml"), before, "what is there is left alone");
}

fn run_sha256(text: &str) -> String {
    let output = Command::new("sh").args(["-c", "printf %s \"$1\" | sha256sum", "sh", text]).output();
    let output = String::from_utf8(output.expect("a shell").stdout).expect("text");
    output.split_whitespace().next().expect("a hash").to_owned()
}

#[test]
fn an_example_with_gaps_does_not_start() {
    for example in ["deploy/systemd/secrets.example.toml", "deploy/kubernetes/secrets.example.toml"] {
        let path = root().join(example);
        let refused =
            run(&["serve", "--settings", path.to_str().expect("a path"), "--ledger", "memory:"], "");
        assert_eq!(refused.status.code(), Some(2), "{example}");
        let said = String::from_utf8(refused.stderr).expect("text");
        assert!(said.contains("privacy.secrets") && said.contains("keys.dialler.hash"), "{said}");
    }
}

#[test]
fn a_healthcheck_says_by_its_status_whether_a_governor_is_well() {
    let dockerfile = read("deploy/docker/Dockerfile");
    let asked = one(r#"CMD \["/usr/bin/contact-governor", "(healthcheck)"\]"#, &dockerfile);
    let mut process = Process::start(&["--ledger", "memory:"]);
    let url = format!("http://{}", process.caller.address());
    for more in [&[][..], &["--ready"], &["--within", "30s"]] {
        let well = run(&[&[asked, "--url", &url], more].concat(), "");
        assert!(well.status.success() && well.stderr.is_empty(), "{well:?}");
    }
    let elsewhere = run(&[asked, "--url", &format!("{url}/nowhere")], "");
    assert_eq!(elsewhere.status.code(), Some(1), "{elsewhere:?}");
    process.terminate();
    for more in [&[][..], &["--ready"], &["--within", "1s"]] {
        let gone = run(&[&[asked, "--url", &url], more].concat(), "");
        assert_eq!(gone.status.code(), Some(1), "{gone:?}");
        assert!(String::from_utf8_lossy(&gone.stderr).contains("cannot reach"), "{gone:?}");
    }
    assert_eq!(run(&[asked, "--within", "soon"], "").status.code(), Some(2));
}

#[test]
fn ports_paths_and_users_are_everywhere_the_same() {
    let image = read("deploy/docker/Dockerfile");
    let compose = read("deploy/compose/compose.yaml");
    let pod = read("deploy/kubernetes/base/statefulset.yaml");
    let service = read("deploy/kubernetes/base/service.yaml");
    let policy = read("deploy/kubernetes/base/networkpolicy.yaml");

    let port = one(r"(?m)^EXPOSE (\d+)$", &image);
    for settings in ["deploy/compose/settings.toml", "deploy/kubernetes/base/settings.toml"] {
        assert_eq!(one(r#"(?m)^listen = "0\.0\.0\.0:(\d+)"$"#, &read(settings)), port, "{settings}");
    }
    assert_eq!(one(r"containerPort: (\d+)", &pod), port);
    assert!(all(r" port: (\d+)\n", &service).iter().all(|service| *service == port));
    assert!(all(r"port: (8\d+)", &policy).contains(&port));
    assert_eq!(all(r"127\.0\.0\.1:808\d:(\d+)", &compose), [port, port]);
    // Where a command asks when it is not told whom.
    assert!(DEFAULTS.contains(&format!("listen = \"127.0.0.1:{port}\"")));

    let user = one(r"(?m)^USER (\d+):\d+$", &image);
    for member in ["runAsUser", "runAsGroup", "fsGroup"] {
        assert_eq!(one(&format!(r"{member}: (\d+)"), &pod), user, "{member}");
    }

    let home = one(r"(?m)^WORKDIR (/var/\S+)$", &image);
    assert_eq!(one(r#"(?m)^VOLUME \["(\S+)"\]$"#, &image), home);
    assert!(pod.contains(&format!("name: journal, mountPath: {home}}}")));
    assert!(compose.contains(&format!("journal:{home}\n")));
    let unit = read("deploy/systemd/contact-governor.service");
    assert_eq!(one(r"(?m)^WorkingDirectory=(\S+)$", &unit), home);
    assert_eq!(format!("/var/lib/{}", one(r"(?m)^StateDirectory=(\S+)$", &unit)), home);
    for settings in ["compose", "kubernetes/base", "systemd"] {
        let settings = read(&format!("deploy/{settings}/settings.toml"));
        assert!(one(r#"\[journal\]\ndirectory = "(\S+)""#, &settings).starts_with(home));
    }
}

/// A setting as a file has it, else as it is by default.
fn seconds(settings: &str, name: &str) -> u64 {
    let read = |text: &str| {
        let table: toml::Table = text.parse().expect("TOML");
        table.get("http")?.get(name)?.as_str()?.strip_suffix('s')?.parse().ok()
    };
    read(settings).or_else(|| read(DEFAULTS)).unwrap_or_else(|| panic!("no http.{name} in seconds"))
}

#[test]
fn nobody_is_killed_before_it_has_stopped() {
    const TOLD_LAST: u64 = 10;
    for (settings, file, pattern) in [
        ("deploy/compose/settings.toml", "deploy/compose/compose.yaml", r"stop_grace_period: (\d+)s"),
        (
            "deploy/kubernetes/base/settings.toml",
            "deploy/kubernetes/base/statefulset.yaml",
            r"terminationGracePeriodSeconds: (\d+)\n",
        ),
        (
            "deploy/systemd/settings.toml",
            "deploy/systemd/contact-governor.service",
            r"TimeoutStopSec=(\d+)\n",
        ),
    ] {
        let settings = read(settings);
        let stopping = seconds(&settings, "drain_delay") + seconds(&settings, "shutdown_timeout") + TOLD_LAST;
        let patience: u64 = one(pattern, &read(file)).parse().expect("seconds");
        assert!(patience >= stopping, "{file}: {patience} s, and stopping may take {stopping} s");
    }
}

/// What Docker would send: the last line that matches decides.
fn is_sent(ignored: &str, path: &str) -> bool {
    ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).fold(true, |sent, line| {
        let (pattern, lets_through) = line.strip_prefix('!').map_or((line, false), |line| (line, true));
        let matches = match pattern.split_once('*') {
            None => path == pattern || path.starts_with(&format!("{pattern}/")),
            Some((before, after)) => path.starts_with(before) && path.ends_with(after),
        };
        if matches { lets_through } else { sent }
    })
}

#[test]
fn the_image_is_built_from_everything_the_program_needs_and_nothing_else() {
    let ignored = read(".dockerignore");
    let mut needed = vec!["Cargo.toml".to_owned(), "Cargo.lock".to_owned(), "src/main.rs".to_owned()];
    for source in below(&root().join("src")).iter().filter(|path| path.extension().is_some_and(|x| x == "rs"))
    {
        let text = std::fs::read_to_string(source).expect("text");
        for included in all(r#"include_(?:str|bytes)!\("([^"]+)"\)"#, &text) {
            let path = source.parent().expect("a folder").join(included).canonicalize().expect("a file");
            needed.push(path.strip_prefix(root()).expect("ours").display().to_string());
        }
        needed.extend(
            all(r#"template\(path = "([^"]+)""#, &text).iter().map(|path| format!("templates/{path}")),
        );
    }
    let manifest: toml::Table = read("Cargo.toml").parse().expect("a manifest");
    for (kind, folder) in [("bench", "benches"), ("test", "tests")] {
        for target in manifest[kind].as_array().expect("targets") {
            let path = target.get("path").and_then(toml::Value::as_str).map(str::to_owned);
            needed.push(
                path.unwrap_or_else(|| format!("{folder}/{}.rs", target["name"].as_str().expect("a name"))),
            );
        }
    }
    assert!(needed.len() > 20, "{needed:?}");
    for path in &needed {
        assert!(root().join(path).is_file() && is_sent(&ignored, path), "{path} is not sent to the build");
    }
    let secret = [
        "deploy/compose/secrets/governor.toml",
        ".git/config",
        "data/owner",
        "target/debug/x",
        "rust-toolchain.toml",
    ];
    assert!(secret.iter().all(|path| !is_sent(&ignored, path)));

    let dockerfile = read("deploy/docker/Dockerfile");
    let version =
        |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().expect("a number")).collect() };
    let least = manifest["package"]["rust-version"].as_str().expect("a version");
    assert!(version(one(r"ARG RUST_VERSION=(\S+)", &dockerfile)) >= version(least));
    let debian = one(r"slim-(\w+) AS build", &dockerfile);
    let number = json!({"bookworm": "12", "trixie": "13"});
    assert!(dockerfile.contains(&format!("cc-debian{}:", number[debian].as_str().expect("a Debian"))));
}

#[test]
fn what_pods_are_counted_by_is_recorded() {
    let rules = read("deploy/prometheus/rules/recording.yml");
    let scaled = [
        "deploy/kubernetes/components/autoscaling-adapter/adapter-rules.yaml",
        "deploy/kubernetes/components/autoscaling-keda/scaledobject.yaml",
    ];
    for file in scaled {
        let series = one(r"max\((\S+) >= 0\)", &read(file)).to_owned();
        assert!(rules.contains(&format!("- record: {series}\n")), "{file}: nothing records {series}");
    }
    let adapter = read(scaled[0]);
    let autoscaler = read("deploy/kubernetes/components/autoscaling-adapter/horizontalpodautoscaler.yaml");
    assert_eq!(one(r"as: (\S+)", &adapter), one(r"metric:\n +name: (\S+)", &autoscaler));
    // All of them scrape under the name that the rules know.
    let job = |file: &str| one(r"job_name: (\S+)", &read(file)).to_owned();
    assert_eq!(job("deploy/compose/prometheus.yml"), job("deploy/prometheus/prometheus.yml"));
}

#[test]
fn what_is_mounted_is_there() {
    let compose = read("deploy/compose/compose.yaml");
    let mounted = all(r"(?m)^      - (\.\.?/[^:]+):", &compose);
    assert!(mounted.len() >= 4, "{mounted:?}");
    for source in mounted {
        assert!(root().join("deploy/compose").join(source).exists(), "{source} is mounted, and not there");
    }
    // Where Grafana is told to look for dashboards.
    let folder = read("deploy/grafana/provisioning/dashboards/contact-governor.yml");
    let folder = one(r"(?m)^ +path: (\S+)$", &folder).to_owned();
    assert!(compose.contains(&format!("../grafana/dashboards:{folder}:ro\n")));
    assert_eq!(
        one(r"PROMETHEUS_URL: http://(\S+)\n", &compose),
        format!("prometheus:{}", one(r"web\.listen-address=:(\d+)", &compose))
    );
}
