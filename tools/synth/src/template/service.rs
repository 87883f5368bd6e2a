//! The nested template of a service: its controls, and what they take from the root template.

use rectify_compliance::{Entry, Mode, Scope};

use super::{BASE, NESTED, control, member, options, policy, undo, with_constants};
use crate::declaration::declarations;
use crate::fragment::{Unfilled, fill};
use crate::settings::{Selected, Settings};

const SERVICE: &str = include_str!("service.yaml");
const APPLICATION: &str = include_str!("application.yaml");

/// The resources of the root template that the nested templates use: by reference, or by their ARN.
const BY_REFERENCE: [&str; 5] = ["Ledger", "RemediationBase", "RemediationLogs", "RuleBase", "RuleLogs"];
const BY_ARN: [&str; 5] = ["DeadLetters", "Ledger", "RemediationLogs", "RuleLogs", "RuleRole"];

/// The room for controls in one template, of the 500 resources that CloudFormation allows.
const ROOM: usize = 450;
/// The most resources that one control becomes, without members.
const OF_CONTROL: usize = 9;

/// Deployed controls of one service, in one template.
pub(super) struct Service<'a> {
    service: &'static str,
    /// The service, with a number from the second template on: `ec2`, `ec2-2`.
    name: String,
    controls: Vec<&'a Selected>,
}

/// A nested template, and the names of the parameters that it declares.
pub(super) struct Nested {
    pub(super) text: String,
    parameters: Vec<String>,
}

/// The services of these controls, in the order of the catalogue.
pub(super) fn of(settings: &Settings) -> Vec<Service<'_>> {
    // Each member adds one resource to a control.
    let most = ROOM / (OF_CONTROL + member::accounts(settings).len());
    let mut services: Vec<Service<'_>> = Vec::new();
    for control in settings.deployed() {
        let name = rectify_catalogue::service(control.control);
        let of_service = services.iter().filter(|it| it.service == name).count();
        match services.iter_mut().rfind(|it| it.service == name && it.controls.len() < most) {
            Some(template) => template.controls.push(control),
            None => {
                let number = if of_service == 0 { String::new() } else { format!("-{}", of_service + 1) };
                let (service, name) = (name, format!("{name}{number}"));
                services.push(Service { service, name, controls: vec![control] });
            }
        }
    }
    services
}

/// The ids of all roles that change resources.
pub(super) fn roles(services: &[Service<'_>]) -> String {
    joined(&services.iter().map(Service::roles_of_application).collect::<Vec<_>>())
}

fn joined(roles: &[String]) -> String {
    if roles.is_empty() { "\"-\"".to_owned() } else { format!("!Join [\" \", [{}]]", roles.join(", ")) }
}

impl Service<'_> {
    /// The path of its template.
    pub(super) fn path(&self) -> String {
        format!("{NESTED}/{}.yaml", self.name)
    }

    /// Whether the root template deploys it in the home region only.
    fn is_global(&self) -> bool {
        self.controls.iter().all(|it| it.control.meta.scope == Scope::Global)
    }

    /// Its template.
    ///
    /// # Errors
    /// [`Unfilled`] when a fragment has a placeholder without a value.
    pub(super) fn render(&self, settings: &Settings) -> Result<Nested, Unfilled> {
        let conditional = !self.is_global();
        let mut resources: String =
            self.controls.iter().map(|it| control::resources(settings, it, conditional)).collect::<Result<_, _>>()?;
        let remediated: Vec<&Entry> =
            self.controls.iter().filter(|it| it.mode >= Mode::Plan).map(|it| it.control).collect();
        let service = (&*self.name, &*capitalized(&self.name));
        resources.push_str(&undo::resources(service, &remediated, conditional, &options::statements(settings))?);
        let resources = with_constants(&with_arns_as_parameters(&resources), settings);
        let (globals, conditions) = (globals(settings)?, super::conditions(&resources));
        let heading = if conditions.is_empty() { "" } else { "Conditions:\n" };
        let all = format!("{conditions}{globals}{resources}");
        let parameters: Vec<String> = names().filter(|name| refers(&all, name)).collect();
        let declared: String = parameters.iter().map(|name| format!("{name}: {{ Type: String }}\n")).collect();
        let text = fill(
            SERVICE,
            &[
                ("roles", &self.roles(&resources)),
                ("service", &self.name),
                ("parameters", &declared),
                ("conditions", &format!("{heading}{}", policy::indented(&conditions, 2))),
                ("globals", &globals),
                ("resources", &resources),
            ],
        )?;
        Ok(Nested { text, parameters })
    }

    /// The ids of its roles that change resources, separated by blanks; a hyphen for a role that is not deployed.
    fn roles(&self, resources: &str) -> String {
        let id = |role: &str| format!("!GetAtt {role}.RoleId");
        let enforced = self.controls.iter().filter(|it| it.mode == Mode::Enforce && it.control.has_calls());
        let mut roles: Vec<String> = enforced
            .map(|it| {
                let role = id(&format!("{}FixRole", it.control.meta.pascal_id()));
                if self.is_only_at_home(it) { format!("!If [AtHome, {role}, \"-\"]") } else { role }
            })
            .collect();
        let undo = format!("{}UndoRole", capitalized(&self.name));
        if resources.contains(&format!("  {undo}:\n")) {
            roles.push(format!("!If [UndoDeployed, {}, \"-\"]", id(&undo)));
        }
        joined(&roles)
    }

    /// Whether its template is deployed outside the home region too, but this control is not.
    fn is_only_at_home(&self, control: &Selected) -> bool {
        !self.is_global() && control.control.meta.scope == Scope::Global
    }

    /// The reference to the ids of its roles in the root template.
    fn roles_of_application(&self) -> String {
        let roles = format!("!GetAtt {}Controls.Outputs.Roles", capitalized(&self.name));
        if self.is_global() { format!("!If [AtHome, {roles}, \"-\"]") } else { roles }
    }

    /// The resource of the root template that deploys it.
    ///
    /// # Errors
    /// [`Unfilled`] when a fragment has a placeholder without a value.
    pub(super) fn application(&self, nested: &Nested, settings: &Settings) -> Result<String, Unfilled> {
        let passed: String = nested.parameters.iter().map(|name| format!("{name}: {}\n", reference(name))).collect();
        fill(
            APPLICATION,
            &[
                ("Service", &capitalized(&self.name)),
                ("condition", if self.is_global() { "Condition: AtHome" } else { "" }),
                ("path", &self.path()),
                ("parameters", &passed),
                ("tags", &options::tags_by_key(settings)),
            ],
        )
    }
}

/// The defaults of all functions, as in the root template.
fn globals(settings: &Settings) -> Result<String, Unfilled> {
    let lines = BASE.lines().skip_while(|line| *line != "Globals:");
    let text: String = lines.take_while(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
    fill(&text, &[("options", &options::of_functions(settings))])
}

/// The text with the ARNs of the root template's resources as parameters.
fn with_arns_as_parameters(text: &str) -> String {
    BY_ARN.iter().fold(text.to_owned(), |text, name| {
        text.replace(&format!("!GetAtt {name}.Arn"), &format!("!Ref {name}Arn"))
            .replace(&format!("${{{name}.Arn}}"), &format!("${{{name}Arn}}"))
    })
}

/// The names of everything that a nested template can take from the root template.
fn names() -> impl Iterator<Item = String> {
    let parameters = declarations().values().filter(|it| !it.is_constant).map(|it| it.name.clone());
    let resources = BY_REFERENCE.map(str::to_owned).into_iter();
    resources.chain(BY_ARN.map(|name| format!("{name}Arn"))).chain(parameters)
}

/// Whether `text` refers to this parameter.
pub(super) fn refers(text: &str, name: &str) -> bool {
    let reference = format!("!Ref {name}");
    let ends = |rest: &str| !rest.starts_with(|it: char| it.is_ascii_alphanumeric());
    text.contains(&format!("${{{name}}}"))
        || text.match_indices(&reference).any(|(at, found)| text.get(at + found.len()..).is_some_and(ends))
}

/// What the root template passes for a parameter of this name.
fn reference(name: &str) -> String {
    match name.strip_suffix("Arn").filter(|it| BY_ARN.contains(it)) {
        Some(resource) => format!("!GetAtt {resource}.Arn"),
        None => format!("!Ref {name}"),
    }
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    let name = letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str());
    // The name of a resource has no hyphen.
    name.unwrap_or_default().replace('-', "")
}
