//! What the sources of a service offer to a new setting: a view, its members, operations, sample and generator.
//!
//! The sources are searched as text, in the form that rustfmt gives them.

use std::path::{Path, PathBuf};

use super::word::{camel, capitalized, snake};
use super::{FixLevel, NewControl, NewSetting, ScaffoldError, refuse};

/// One source file of a crate.
struct Source {
    file: PathBuf,
    /// Its path in the crate: `crate::resources::instance`.
    module: String,
    text: String,
}

/// A setting, resolved against the sources of its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SettingNames {
    pub(super) view: String,
    module: String,
    /// The view of the item.
    resource: String,
    /// Whether the view is the view of the item, without facts.
    pub(super) is_item: bool,
    member: String,
    operation: Operation,
    pub(super) argument: String,
    /// The path of a function that returns one view.
    sample: String,
    /// The path of a function that returns a strategy for views.
    generator: String,
    /// The file of the client, and its text with the member; `None` if the client already sets it.
    pub(super) client: PathBuf,
    pub(super) client_text: Option<String>,
    level: FixLevel,
    breaks: String,
}

/// A constant of type `Operation`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Operation {
    constant: String,
    name: String,
    resource: String,
}

impl SettingNames {
    /// Finds what the setting needs in `functions/<service>` under `root`.
    pub(super) fn of(root: &Path, new: &NewControl, setting: &NewSetting) -> Result<Self, ScaffoldError> {
        let service = Path::new("functions").join(&new.service);
        let sources = sources(root, &service.join("src"))?;
        let view = &setting.view;
        let Some((source, at)) = find(&sources, &format!("impl View for {view} {{")) else {
            let views: Vec<&str> =
                sources.iter().flat_map(|it| all_between(&it.text, "impl View for ", " {")).collect();
            return Err(refuse("--view", &one_of("a view in", &service, &views), view));
        };
        let block = until(source.text.get(at..).unwrap_or_default(), "\n}");
        let resource = between(block, "type Resource = ", ";").unwrap_or("Self");
        let resource = if resource == "Self" { view } else { resource };

        let key = new.field.rsplit('.').next().unwrap_or_default();
        let member = setting.member.clone().unwrap_or_else(|| snake(key));
        let members = booleans(&source.text, view);
        if !members.contains(&member.as_str()) {
            return Err(refuse(
                "--member",
                &one_of(&format!("a boolean of {view} in"), &source.file, &members),
                &member,
            ));
        }
        let operations = operations(&source.text);
        let operation = match (&setting.call, operations.as_slice()) {
            (None, [only]) => only.clone(),
            (call, all) => {
                let call = call.as_deref().unwrap_or_default();
                let names: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
                let found = all.iter().find(|it| it.name == call).cloned();
                found.ok_or_else(|| refuse("--call", &one_of("an `Operation` in", &source.file, &names), call))?
            }
        };
        let argument = setting.argument.clone().unwrap_or_else(|| capitalized(key));
        let function = |returned: &str| {
            let path = sources.iter().find_map(|it| it.function(returned));
            path.ok_or_else(|| {
                refuse("--view", &format!("a `pub(crate)` test function that returns `{returned}`"), view)
            })
        };
        let (client, client_text) = client(root, &service.join("lambda/src"), view, &argument)?;
        Ok(Self {
            module: source.module.clone(),
            resource: resource.to_owned(),
            is_item: resource == view && block.contains("type Facts = ();"),
            sample: function(view)?,
            generator: function(&format!("impl Strategy<Value = {view}>"))?,
            view: view.clone(),
            member,
            operation,
            argument,
            client,
            client_text,
            level: setting.level,
            breaks: setting.breaks.trim().to_owned(),
        })
    }

    /// The values for the placeholders of the fragments.
    pub(super) fn values(&self, wanted: bool, key: &str) -> Vec<(&'static str, String)> {
        let mut imports = vec![self.view.as_str(), self.operation.constant.as_str()];
        if self.resource != self.view {
            imports.push(&self.resource);
        }
        let mut input = [(&self.operation.resource, "id".to_owned()), (&self.argument, wanted.to_string())];
        input.sort();
        let input = input.map(|(name, value)| format!("\"{name}\": {value}")).join(", ");
        vec![
            ("View", self.view.clone()),
            ("view-module", self.module.trim_start_matches("crate::").to_owned()),
            ("imports", imports.join(", ")),
            ("Resource", self.resource.clone()),
            ("key", key.to_owned()),
            ("member", self.member.clone()),
            ("is-wrong", if wanted { format!("(!it.{})", self.member) } else { format!("it.{}", self.member) }),
            ("stored", camel(&self.member)),
            ("call", self.operation.name.clone()),
            ("call-resource", self.operation.resource.clone()),
            ("call-input", input),
            ("OPERATION", self.operation.constant.clone()),
            ("argument", self.argument.clone()),
            ("sample", self.sample.clone()),
            ("generator", self.generator.clone()),
            ("client", self.client.display().to_string()),
            ("level", format!("{:?}", self.level)),
            ("breaks", self.breaks.clone()),
        ]
    }
}

impl Source {
    /// The path of the function without arguments that returns this type and can be called from another module.
    fn function(&self, returned: &str) -> Option<String> {
        let at = self.text.find(&format!("() -> {returned} {{"))?;
        let before = self.text.get(..at)?;
        let (above, line) = before.rsplit_once('\n').unwrap_or(("", before));
        let name = line.trim_start().strip_prefix("pub(crate) fn ")?;
        let inner = line.starts_with(' ').then(|| above.lines().rev().find_map(inline_module)).flatten();
        let inner = inner.map_or_else(String::new, |it| format!("::{it}"));
        Some(format!("{}{inner}::{name}", self.module))
    }
}

/// The name of the module that this line begins.
fn inline_module(line: &str) -> Option<&str> {
    let (before, name) = line.strip_suffix(" {")?.rsplit_once("mod ")?;
    (!before.starts_with(' ')).then_some(name)
}

/// The sources below a folder, sorted by path.
fn sources(root: &Path, folder: &Path) -> Result<Vec<Source>, ScaffoldError> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let file_error = |error| ScaffoldError::File { file: next.clone(), error };
        for entry in std::fs::read_dir(root.join(&next)).map_err(file_error)? {
            let name = entry.map_err(file_error)?.file_name();
            let path = next.join(name);
            if root.join(&path).is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(root.join(&file))
            .map_err(|error| ScaffoldError::File { file: file.clone(), error })?;
        let inside = file.strip_prefix(folder).unwrap_or(&file).with_extension("");
        let parts = inside.iter().map(|it| it.to_string_lossy()).filter(|it| it != "lib");
        let module = parts.fold("crate".to_owned(), |path, part| format!("{path}::{part}"));
        Ok(Source { file, module, text })
    };
    files.into_iter().map(read).collect()
}

/// The client of a view, and its text with an arm for the member.
fn client(root: &Path, folder: &Path, view: &str, member: &str) -> Result<(PathBuf, Option<String>), ScaffoldError> {
    const LAST: &str = "_ => return Err(unknown_member(member)),";
    let sources = sources(root, folder)?;
    let start = format!("impl Views<{view}> for ");
    let no_place =
        |file: &Path, sought: &str| ScaffoldError::NoPlace { file: file.to_owned(), sought: sought.to_owned() };
    let (source, at) = find(&sources, &start).ok_or_else(|| no_place(folder, &start))?;
    let (before, block) = source.text.split_at(at);
    let (arms, rest) = block.split_once(LAST).ok_or_else(|| no_place(&source.file, LAST))?;
    if arms.contains(&format!("\"{member}\" =>")) {
        return Ok((source.file.clone(), None));
    }
    let indent = arms.rsplit_once('\n').map_or("", |(_, it)| it);
    let arm = format!("\"{member}\" => call.{}(value_of(member, value)?),", snake(member));
    Ok((source.file.clone(), Some(format!("{before}{arms}{arm}\n{indent}{LAST}{rest}"))))
}

/// The first source that contains the text, and where.
fn find<'a>(sources: &'a [Source], sought: &str) -> Option<(&'a Source, usize)> {
    sources.iter().find_map(|it| Some((it, it.text.find(sought)?)))
}

/// The boolean members of a struct.
fn booleans<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!("pub struct {name} {{");
    let body = text.split_once(&start).map_or("", |(_, body)| until(body, "\n}"));
    body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.strip_suffix(": bool,")).collect()
}

/// The constants of type `Operation`.
fn operations(text: &str) -> Vec<Operation> {
    let one = |declaration: &str| {
        let (constant, value) = declaration.split_once(": Operation =")?;
        let member = |start| between(value, start, "\"").map(str::to_owned);
        Some(Operation {
            constant: constant.to_owned(),
            name: member(" name: \"")?,
            resource: member(" resource: \"")?,
        })
    };
    all_between(text, "pub const ", ";").into_iter().filter_map(one).collect()
}

fn until<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or(text, |(it, _)| it)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    all_between(text, start, end).into_iter().next()
}

fn all_between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).filter_map(|it| Some(it.split_once(end)?.0)).collect()
}

fn one_of(what: &str, place: &Path, names: &[&str]) -> String {
    let names = if names.is_empty() { "there is none".to_owned() } else { names.join(", ") };
    format!("{what} {} ({names})", place.display())
}

#[cfg(test)]
mod tests;
