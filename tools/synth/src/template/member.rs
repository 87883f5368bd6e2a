//! Member accounts: their template `deploy/member.yaml`, and what the central account's templates have for them.

use rectify_compliance::permission::Condition;
use rectify_compliance::{Permission, Scope, roles};

use super::options::given;
use super::{HEADER, conditions, control, member_fix, policy, quoted, service, sorted};
use crate::declaration::PARAMETERS;
use crate::fragment::{Unfilled, fill};
use crate::settings::{Selected, Settings};

/// The path of the template.
pub const MEMBER: &str = "deploy/member.yaml";

/// The reference to the region of a stack.
pub(super) const REGION: &str = "${AWS::Region}";

const TEMPLATE: &str = include_str!("member.yaml");
const POLICY: &str = include_str!("member-policy.yaml");
const RULE: &str = include_str!("member-rule.yaml");
const INVOKED: &str = include_str!("rule-member.yaml");

/// The values of the root template that the template has as parameters too.
const OF_ROOT: [&str; 4] = ["Prefix", "HomeRegion", "RolePath", "PermissionsBoundaryArn"];

/// The members.
pub(super) fn accounts(settings: &Settings) -> Vec<String> {
    given(settings, "memberAccounts").iter().flat_map(|all| all.split(',')).map(str::to_owned).collect()
}

fn role(settings: &Settings) -> String {
    given(settings, "memberRole").unwrap_or_default()
}

pub(super) fn external_id(settings: &Settings) -> String {
    given(settings, "memberExternalId").unwrap_or_default()
}

/// The environment variables of every rule's function.
pub(super) fn variables(settings: &Settings) -> String {
    variables_with(settings, &role(settings))
}

/// The environment variables of a function that assumes this role in each member.
pub(super) fn variables_with(settings: &Settings, role: &str) -> String {
    let accounts = accounts(settings);
    if accounts.is_empty() {
        return String::new();
    }
    format!(
        "MEMBER_ACCOUNTS: {}\nMEMBER_ROLE: {}\nMEMBER_EXTERNAL_ID: {}\n",
        // Quoted, since a single account is a number in YAML.
        text_of(&accounts.join(",")),
        text_of(role),
        text_of(&external_id(settings)),
    )
}

pub(super) fn text_of(value: &str) -> String {
    format!("'{value}'")
}

/// The statement of every rule's role: it assumes exactly the members' roles.
pub(super) fn statement(settings: &Settings) -> String {
    statement_for(settings, &role(settings))
}

/// The statement of a role that assumes the roles of this name in the members, and no other.
pub(super) fn statement_for(settings: &Settings, role: &str) -> String {
    let arns = accounts(settings).into_iter().map(|account| {
        let arn = format!("arn:${{AWS::Partition}}:iam::{account}:role/{role}");
        format!("    - !Sub \"{arn}\"\n")
    });
    let arns: String = arns.collect();
    if arns.is_empty() { arns } else { format!("- Effect: Allow\n  Action: \"sts:AssumeRole\"\n  Resource:\n{arns}") }
}

/// The permissions of AWS Config in the members to invoke a control's rule.
///
/// # Errors
/// [`Unfilled`] when the fragment has a placeholder without a value.
pub(super) fn invoked(settings: &Settings, control: &str, condition: &str) -> Result<String, Unfilled> {
    let of = |account: &String| fill(INVOKED, &[("Control", control), ("condition", condition), ("account", account)]);
    accounts(settings).iter().map(of).collect()
}

/// The template of a member; `None` without members.
///
/// # Errors
/// As [`invoked`].
pub(super) fn template(settings: &Settings) -> Result<Option<String>, Unfilled> {
    if accounts(settings).is_empty() {
        return Ok(None);
    }
    let (mut attached, mut policies) = (String::new(), String::new());
    for (number, permissions) in (1..).zip(policy::fitting(&permissions(settings))) {
        let number: usize = number;
        let statements = policy::statements(&permissions, &[]).concat().replace(REGION, "*");
        policies.push_str(&fill(POLICY, &[("number", &*number.to_string()), ("statements", &statements)])?);
        attached.push_str(&format!("- !Ref MemberPolicy{number}\n"));
    }
    let rules = settings.deployed().map(rule).collect::<Result<String, _>>()?;
    let fixes = member_fix::resources(settings)?;
    let conditions = conditions(&[TEMPLATE, &fixes].concat());
    let text = fill(
        TEMPLATE,
        &[
            ("parameters", &parameters(settings, &fixes)),
            ("conditions", &conditions),
            ("role", &role(settings)),
            ("external-id", &external_id(settings)),
            ("attached", &attached),
            ("policies", &policies),
            ("fixes", &fixes),
            ("rules", &rules),
        ],
    )?;
    Ok(Some(format!("{HEADER}\n{text}")))
}

/// The reads of the deployed rules, and their calls to AWS Config.
fn permissions(settings: &Settings) -> Vec<Permission> {
    let config = roles::RULE_COMMON.iter().copied().filter(|it| it.action.starts_with("config:"));
    let reads = settings.deployed().flat_map(|it| it.control.rule_permissions());
    sorted(&config.chain(reads).map(in_every_region).collect::<Vec<_>>())
}

/// The permission without its limit to the function's region: the role is used in all of them.
pub(super) fn in_every_region(permission: Permission) -> Permission {
    match permission.condition {
        Some(Condition::Equals(_, REGION)) => Permission { condition: None, ..permission },
        _ => permission,
    }
}

fn rule(selected: &Selected) -> Result<String, Unfilled> {
    let meta = selected.control.meta;
    fill(
        RULE,
        &[
            ("Control", &meta.pascal_id()),
            ("id", meta.id),
            ("title", meta.title),
            ("condition", if meta.scope == Scope::Global { "Condition: AtHome" } else { "" }),
            ("parameters", &quoted(&selected.parameters)),
            ("scope", &control::scope(selected.control)),
            ("triggers", &control::triggers(selected.control, selected.every)),
        ],
    )
}

/// The declarations of the parameters that the template and these resources need, with the settings' values as their
/// defaults.
fn parameters(settings: &Settings, fixes: &str) -> String {
    let mut is_taken = false;
    let lines = PARAMETERS.lines().filter(|line| {
        if let Some(name) = line.strip_suffix(':').filter(|it| !it.starts_with(' ')) {
            is_taken = OF_ROOT.contains(&name) || service::refers(fixes, name);
        }
        is_taken
    });
    let taken: String = lines.map(|line| format!("{line}\n")).collect();
    super::with_defaults(&taken, settings)
}
