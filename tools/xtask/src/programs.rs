//! The programs of the functions, and for each service the list of functions that its shared program serves.
//!
//! A control is a static named after its id, in a module of the same name: `restricted-ssh` is
//! `rectify_ec2::controls::restricted_ssh::RESTRICTED_SSH`.

use rectify_catalogue::{SERVICES, service};
use rectify_compliance::Entry;

use crate::artifact::Artifact;

/// The folder of a service's programs. Every file in it is generated.
pub fn folder(service: &str) -> String {
    format!("functions/{service}/lambda/src/bin")
}

/// The programs of all controls, and the function list of each service.
pub fn artifacts(controls: &[&'static Entry]) -> Vec<Artifact> {
    let mut artifacts = Vec::new();
    for name in SERVICES {
        let controls: Vec<&Entry> = controls.iter().copied().filter(|control| service(control) == name).collect();
        let folder = folder(name);
        artifacts
            .push(Artifact { path: format!("functions/{name}/lambda/src/functions.rs"), content: list(&controls) });
        artifacts.push(Artifact { path: format!("{folder}/{name}-functions.rs"), content: shared(name) });
        for control in controls {
            let id = control.meta.id;
            let rule = format!("The rule `{id}`, as AWS Config invokes it.");
            artifacts.push(Artifact {
                path: format!("{folder}/{id}.rs"),
                content: program(&rule, control, rule_of(control)),
            });
            if control.remediation.is_some() {
                let remediation = format!("The remediation of `{id}`, as EventBridge invokes it.");
                artifacts.push(Artifact {
                    path: format!("{folder}/{id}-remediation.rs"),
                    content: program(&remediation, control, REMEDIATION),
                });
            }
        }
    }
    artifacts
}

const REMEDIATION: &str = "rectify_runtime::remediation::deployed::<_, Clients>";

const GENERATED: &str = "Written by `xtask generate`";

/// The constructor of a control's rule.
fn rule_of(control: &Entry) -> &'static str {
    match (control.change, control.list_permissions()) {
        (Some(change), Some(_)) if change.needs_item_only() => {
            "rectify_runtime::rule::on_item_and_schedule::<_, Clients>"
        }
        (Some(change), None) if change.needs_item_only() => "rectify_runtime::rule::on_item",
        (Some(_), Some(_)) => "rectify_runtime::rule::on_change_and_schedule::<_, Clients>",
        (Some(_), None) => "rectify_runtime::rule::on_change::<_, Clients>",
        (None, _) => "rectify_runtime::rule::on_schedule::<_, Clients>",
    }
}

/// The path of the control's static.
fn path(control: &Entry) -> String {
    let module = control.meta.snake_id();
    format!("rectify_{}::controls::{module}::{}", service(control), module.to_uppercase())
}

fn program(about: &str, control: &Entry, constructor: &str) -> String {
    let (service, control) = (service(control), path(control));
    let clients = match constructor.contains("Clients") {
        true => format!("use rectify_{service}_lambda::Clients;\n"),
        false => String::new(),
    };
    format!(
        "//! {about} {GENERATED}.\n\nuse {control} as CONTROL;\n{clients}\n\
         fn main() -> std::process::ExitCode {{\n    {constructor}(&CONTROL).serve()\n}}\n"
    )
}

fn shared(service: &str) -> String {
    format!(
        "//! Every function of this service in one program, for development: it serves the one that `RECTIFY_FUNCTION` names.\n\
         //! {GENERATED}.\n\nfn main() -> std::process::ExitCode {{\n    \
         rectify_runtime::serve::by_name(rectify_{service}_lambda::FUNCTIONS)\n}}\n"
    )
}

fn list(controls: &[&Entry]) -> String {
    let (mut functions, mut operations) = (String::new(), String::new());
    for control in controls {
        let (id, path) = (control.meta.id, path(control));
        functions.push_str(&row(id, rule_of(control), &path));
        if control.remediation.is_some() {
            functions.push_str(&row(&format!("{id}-remediation"), REMEDIATION, &path));
            let of = if control.list_permissions().is_some() { "listed" } else { "of" };
            operations.push_str(&format!("    || Operations::{of}::<_, Clients>(&{path}),\n"));
        }
    }
    // A service whose rules evaluate items alone, and whose findings are only reported, has no clients.
    let clients =
        if [&functions, &operations].iter().any(|it| it.contains("Clients")) { "use crate::Clients;\n\n" } else { "" };
    format!(
        "//! The functions of this service, and what an operator can do with its controls. {GENERATED}.\n\n\
         use rectify_runtime::operations::Operations;\nuse rectify_runtime::serve::Function;\n\n{clients}\
         /// The functions, by the name of their program.\n#[rustfmt::skip]\npub const FUNCTIONS: &[Function] = &[\n{functions}];\n\n\
         /// What an operator can do with each control: read, apply, undo.\n#[rustfmt::skip]\n\
         pub const OPERATIONS: &[fn() -> Operations] = &[\n{operations}];\n"
    )
}

fn row(name: &str, constructor: &str, path: &str) -> String {
    format!("    Function {{ name: \"{name}\", serve: || {constructor}(&{path}).serve() }},\n")
}
