//! Every example of every help and every code block of the documents, run as it is written.
//!
//! A block of a document that cannot be run here has a line `<!-- not run: reason -->` above it, or is one of `text`. Their
//! number is limited.

use std::fmt::Write as _;
use std::path::Path;

use futures_util::StreamExt;
use rectify_local::backend::{Backend, BackendSettings};

use super::*;

/// The group and the attempt of the examples; each run has its own.
const GROUP: &str = "sg-0123456789abcdef0";
const ATTEMPT: &str = "01JZ0000000000000000000000";

/// How many blocks may be marked.
const MARKED: usize = 40;

/// Examples that end with an error here, and the error.
const REFUSED: [(&str, &str); 3] = [
    // The local AWS has no organization.
    (
        "rectify scan --accounts organization --role-name SecurityAudit --output html:organization.html",
        "expected an active account: received none",
    ),
    // It prompts, and a test has no terminal.
    ("rectify undo 01JZ0000000000000000000000", "expected --confirm-exposure"),
    // The emulator does not count resources; the test of `cost` does.
    ("rectify cost", "config:GetDiscoveredResourceCounts"),
];

/// How many examples run at a time.
const SIDE_BY_SIDE: usize = 3;

/// A command with its continuation lines, and where it is written.
#[derive(Debug, PartialEq)]
struct Example {
    place: String,
    command: String,
}

/// The commands of some lines: comments and descriptions are left out, and continuation lines are joined.
fn commands<'a>(lines: impl Iterator<Item = &'a str>, place: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut command = String::new();
    for line in lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        // A description follows after two spaces.
        let line = if line.ends_with(['\\', '|']) { line } else { line.split("  ").next().unwrap_or_default() };
        command.push_str(line);
        if line.ends_with(['\\', '|']) {
            command.push('\n');
        } else {
            examples.push(Example { place: place.to_owned(), command: std::mem::take(&mut command) });
        }
    }
    assert_eq!(command, "", "{place}: the last line continues");
    examples
}

/// The help of a command and of all its subcommands at a width, each with its name.
pub(super) fn helps(command: &[&str], columns: &str) -> Vec<(String, String)> {
    let ran = run(&[command, &["--help"]].concat(), &[("COLUMNS", columns)]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{command:?}");
    let listed = ran.out.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A wrapped description is indented further than a name.
    let names = listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    let subcommands: Vec<_> =
        names.filter(|name| *name != "help").flat_map(|name| helps(&[command, &[name]].concat(), columns)).collect();
    let mut all = vec![(format!("rectify {}", command.join(" ")).trim().to_owned(), ran.out)];
    all.extend(subcommands);
    all
}

/// The examples of a help.
fn examples_of(help: &str, place: &str) -> Vec<Example> {
    let block = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let block = block.take_while(|line| line.is_empty() || line.starts_with(" "));
    commands(block, place)
}

/// A ledger, a group that opens SSH, an attempt on another group, and a folder with the files of the examples.
struct World {
    bench: Bench,
    group: String,
    attempt: String,
    folder: tempfile::TempDir,
}

impl World {
    async fn create(endpoint: &str) -> Self {
        let bench = Bench { sandbox: Sandbox::create_at(endpoint).await, config: None };
        let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
        let group = open_group(&ec2, &bench.sandbox.name).await;
        let fixed = open_group(&ec2, &format!("{}-fixed", bench.sandbox.name)).await;
        let found = bench.run(&["check", SSH, &fixed, "--json"]).await.json();
        let found = &found["findings"][0];
        let call = &found["plan"]["steps"][0]["call"];
        let rule = call["RevokeSecurityGroupIngress"]["SecurityGroupRuleIds"][0].as_str().unwrap();
        ec2.revoke_security_group_ingress().group_id(&fixed).security_group_rule_ids(rule).send().await.unwrap();
        let attempt = record(&bench, &fixed, &found["subject"], call).await;
        let folder = tempfile::tempdir().unwrap();
        let report = format!("json:{}", folder.path().join("yesterday.json").display());
        let scan = ["scan", "--control", SSH, "--resource", "sg-none", "--output", &report];
        assert_eq!(bench.run(&scan).await.code, 0);
        std::os::unix::fs::symlink(root().join("events"), folder.path().join("events")).unwrap();
        std::fs::copy(root().join("rectify.yaml"), folder.path().join("rectify.yaml")).unwrap();
        std::fs::create_dir_all(folder.path().join(".local/share/bash-completion/completions")).unwrap();
        deliveries(folder.path());
        Self { bench, group, attempt, folder }
    }

    /// Writes event, facts and subjects of the control that the command names.
    fn write_event(&self, command: &str) {
        let control = command.split_whitespace().nth(2).unwrap_or_default();
        let folder = root().join("events").join(control);
        let data = ["facts", "subjects"].into_iter().find(|it| command.contains(&format!("--{it}")));
        let mut events: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        events.sort();
        let is_sample = |name: &&std::ffi::OsString| {
            let text = name.to_string_lossy();
            let has = |data: &str| folder.join(data).join(name).is_file();
            text.starts_with("compliant-") && text.ends_with(".json") && data.map_or(!has("facts"), has)
        };
        let name = events.iter().find(is_sample).unwrap_or_else(|| panic!("no event for: {command}"));
        std::fs::copy(folder.join(name), self.folder.path().join("event.json")).unwrap();
        if let Some(data) = data {
            let file = self.folder.path().join(format!("{data}.json"));
            std::fs::copy(folder.join(data).join(name), file).unwrap();
        }
    }

    /// Runs a command line in the folder.
    async fn shell(&self, command: &str) -> Ran {
        if command.contains("event.json") {
            self.write_event(command);
        }
        let command = command.replace(GROUP, &self.group).replace(ATTEMPT, &self.attempt);
        let mut shell = Command::new("bash");
        let path = format!("{}:{}:/usr/bin:/bin", folder().display(), self.folder.path().display());
        shell.args(["-c", &command]).env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        shell.envs([
            ("PATH", path.as_str()),
            ("HOME", self.folder.path().to_str().unwrap()),
            ("AWS_REGION", REGION),
            ("AWS_ACCOUNT_ID", ACCOUNT),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", self.bench.sandbox.endpoint.as_str()),
            ("AWS_MAX_ATTEMPTS", "1"),
            ("LEDGER_TABLE", self.bench.sandbox.name.as_str()),
            ("EVENT_BUS", self.bench.sandbox.name.as_str()),
            ("ROLE_ARN", &format!("arn:aws:iam::{ACCOUNT}:role/SecurityAudit")),
            ("USER", "ada"),
        ]);
        let Output { status, stdout, stderr } =
            tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }
}

/// The SHA-256 of a template without resources.
const EMPTY: &str = "49cbd1e9008e8b67dec76613bb4d6468c822c99701820526928d43b382f35fba";

/// Writes a template, a plan, a release and what AWS Config delivers, and an `aws` that prints it as the API does.
fn deliveries(folder: &Path) {
    let event = |name: &str| {
        let text = std::fs::read_to_string(root().join("events/rds-multi-az-support").join(name)).unwrap();
        let event: Value = serde_json::from_str(&text).unwrap();
        let invoking: Value = serde_json::from_str(event["invokingEvent"].as_str().unwrap()).unwrap();
        let mut item = invoking["configurationItem"].clone();
        item["resourceName"] = json!("orders");
        item
    };
    let items = ["compliant-standby.json", "non-compliant-single.json"].map(event);
    let file = json!({ "fileVersion": "1.0", "configurationItems": items }).to_string();
    std::fs::create_dir(folder.join("history")).unwrap();
    for name in [
        "111122223333_Config_us-east-1_ConfigSnapshot.json.gz",
        "history-1.json.gz",
        "history-2.json.gz",
        "history/1.json.gz",
    ] {
        std::fs::write(folder.join(name), &file).unwrap();
    }
    let template = "Resources:\n  Files:\n    Type: AWS::EFS::FileSystem\n    Properties: { Encrypted: true }\n";
    std::fs::write(folder.join("template.yaml"), template).unwrap();
    let plan = json!({ "format_version": "1.2", "planned_values": { "root_module": { "resources": [] } } });
    std::fs::write(folder.join("plan.json"), plan.to_string()).unwrap();
    let release = folder.join("target/releases/0.1.0");
    std::fs::create_dir_all(&release).unwrap();
    std::fs::write(release.join("template.yaml"), "Resources: {}\n").unwrap();
    std::fs::write(release.join("SHA256SUMS"), format!("{EMPTY}  template.yaml\n")).unwrap();
    let manifest = json!({ "version": "0.1.0", "files": [{ "path": "template.yaml", "sha256": EMPTY }] });
    std::fs::write(release.join("manifest.json"), manifest.to_string()).unwrap();
    let stub = folder.join("aws");
    std::fs::write(&stub, format!("#!/bin/sh\ncat <<'END'\n{file}\nEND\n")).unwrap();
    std::fs::set_permissions(stub, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// Runs the examples in an AWS that other tests do not see, each in a world of its own; the answer lists what failed.
async fn failures(examples: Vec<Example>) -> String {
    let log = tempfile::NamedTempFile::new().unwrap();
    let backend = Backend::start(&BackendSettings::new(ACCOUNT, log.path())).await.unwrap();
    let all = examples.into_iter().map(|it| failure(it, backend.endpoint()));
    let failures: Vec<String> = futures_util::stream::iter(all).buffered(SIDE_BY_SIDE).collect().await;
    backend.stop().await.unwrap();
    failures.concat()
}

/// What is wrong with this example; nothing if it ends as it should.
async fn failure(Example { place, command }: Example, endpoint: &str) -> String {
    let ran = World::create(endpoint).await.shell(&command).await;
    let is_error = ran.err.lines().any(|line| line.starts_with("rectify: ") || line.starts_with("error: "));
    let most = if command.contains("rectify scan") { 2 } else { 1 };
    let is_right = match REFUSED.iter().find(|(refused, _)| *refused == command) {
        Some((_, error)) => ran.err.contains(error),
        None => !is_error && (0..=most).contains(&ran.code),
    };
    if is_right {
        String::new()
    } else {
        format!("{place}: {command}\n  exit code {}: {}{}", ran.code, ran.err, ran.out)
    }
}

#[tokio::test]
async fn every_example_of_every_help_runs() {
    let helps = helps(&[], "200");
    let examples: Vec<Example> = helps.iter().flat_map(|(name, help)| examples_of(help, name)).collect();
    assert!(helps.len() > 20 && examples.len() > 20, "{} helps, {} examples", helps.len(), examples.len());
    for (refused, _) in REFUSED {
        assert!(examples.iter().any(|it| it.command == refused), "{refused}");
    }
    let failures = failures(examples).await;
    assert_eq!(failures, "");
}

/// A code block of a document.
#[derive(Debug, PartialEq)]
struct Block {
    place: String,
    /// The language of a fence; that of an indented block is `sh`.
    language: String,
    text: String,
    /// Why it is not run.
    marker: Option<String>,
}

/// The code blocks of a page: fenced, or indented by four spaces after an empty line.
fn blocks(page: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut lines, mut marker, mut after_empty) = (text.lines().enumerate().peekable(), None, true);
    while let Some((number, line)) = lines.next() {
        let place = format!("{page}:{}", number + 1);
        let fence = line.trim_start().strip_prefix("```");
        if let Some(language) = fence {
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| !line.trim_start().starts_with("```"));
            let text = body.collect::<Vec<_>>().join("\n");
            // Text is a picture or an output.
            let marker = marker.take().or_else(|| (language.trim() == "text").then(|| "a block of text".to_owned()));
            blocks.push(Block { place, language: language.trim().to_owned(), text, marker });
        } else if after_empty && line.starts_with("    ") {
            let mut body = vec![line];
            while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with("    ")) {
                body.push(line);
            }
            let text = body.join("\n");
            blocks.push(Block { place, language: "sh".to_owned(), text, marker: marker.take() });
        } else if let Some(reason) = line.trim().strip_prefix("<!-- not run: ").and_then(|it| it.strip_suffix(" -->")) {
            marker = Some(reason.to_owned());
        } else if !line.trim().is_empty() {
            marker = None;
        }
        after_empty = line.trim().is_empty();
    }
    blocks
}

/// `README.md` and the pages of `docs`.
fn pages() -> Vec<(String, String)> {
    let mut pages = vec!["README.md".to_owned()];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    pages.sort();
    pages.into_iter().map(|page| (page.clone(), std::fs::read_to_string(root().join(page)).unwrap())).collect()
}

#[tokio::test]
async fn every_code_block_of_the_documents_runs_or_says_why_not() {
    let blocks: Vec<Block> = pages().iter().flat_map(|(page, text)| blocks(page, text)).collect();
    let (marked, run): (Vec<Block>, Vec<Block>) = blocks.into_iter().partition(|it| it.marker.is_some());
    let list: Vec<String> =
        marked.iter().map(|it| format!("{}: {}", it.place, it.marker.as_deref().unwrap_or_default())).collect();
    assert!(list.len() <= MARKED, "more than {MARKED} blocks are not run:\n{}", list.join("\n"));
    assert!(marked.iter().all(|it| it.marker.as_ref().is_some_and(|why| why.len() >= 10)), "{list:?}");
    let (mut examples, mut wrong) = (Vec::new(), String::new());
    for Block { place, language, text, .. } in &run {
        match language.as_str() {
            "sh" => {
                let commands = commands(text.lines(), place);
                if commands.iter().any(|it| !it.command.starts_with("rectify ") && !it.command.contains("rectify ")) {
                    writeln!(wrong, "{place}: a command other than rectify: {text}").unwrap();
                } else {
                    examples.extend(commands);
                }
            }
            "yaml" => {
                let folder = tempfile::tempdir().unwrap();
                let file = folder.path().join("rectify.yaml");
                std::fs::write(&file, text).unwrap();
                let [file, output] = [file.display().to_string(), folder.path().display().to_string()];
                let ran = super::run(&["synth", "--settings", &file, "--output", &output], &[]);
                if ran.code != 0 {
                    writeln!(wrong, "{place}: no rectify.yaml: {}", ran.err).unwrap();
                }
            }
            "json" => {
                if let Err(error) = serde_json::from_str::<Value>(text) {
                    writeln!(wrong, "{place}: not JSON: {error}").unwrap();
                }
            }
            other => writeln!(wrong, "{place}: a block of language `{other}` without a marker").unwrap(),
        }
    }
    assert_eq!(wrong, "");
    assert!(!examples.is_empty());
    let failures = failures(examples).await;
    assert_eq!(failures, "");
}

#[test]
fn blocks_are_fenced_or_indented_and_a_marker_belongs_to_the_next_block_alone() {
    let text = "Text\n\n    rectify scan\n    rectify plan\n\n<!-- not run: it takes a day -->\n\n```sh\nmake\n\n    all\n```\n\n\
                Text\n    no block\n\n<!-- not run: nothing -->\nText\n\n```json\n{}\n```\n";
    let block = |place: &str, language: &str, text: &str, marker: Option<&str>| Block {
        place: place.to_owned(),
        language: language.to_owned(),
        text: text.to_owned(),
        marker: marker.map(str::to_owned),
    };
    let expected = [
        block("p:3", "sh", "    rectify scan\n    rectify plan", None),
        block("p:8", "sh", "make\n\n    all", Some("it takes a day")),
        block("p:20", "json", "{}", None),
    ];
    assert_eq!(blocks("p", text), expected);
    let lines =
        "  rectify scan    all of it\n  # a comment\n\n  rectify plan a \\\n      b\n  aws x |\n    rectify replay -\n";
    let found: Vec<String> = commands(lines.lines(), "p").into_iter().map(|it| it.command).collect();
    assert_eq!(found, ["rectify scan", "rectify plan a \\\nb", "aws x |\nrectify replay -"]);
}
