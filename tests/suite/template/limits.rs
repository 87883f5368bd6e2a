//! CloudFormation's, IAM's and Lambda's limits, with every control of today, and with 400.

use rectify_compliance::ControlMeta;
use rectify_synth::{Settings, template};

use super::*;

/// Resources per template (CloudFormation quotas, read 2026-11).
const RESOURCES: usize = 500;
/// Parameters per template.
const PARAMETERS: usize = 200;
/// The parameters that an operator may have to look at.
const ROOT_PARAMETERS: usize = 20;
/// Bytes of a template that is uploaded to S3.
const TEMPLATE: usize = 1_048_576;
/// Characters of a function's name (Lambda quotas).
const NAME: usize = 64;
/// Characters of the longest allowed prefix.
const PREFIX: usize = 14;
/// The number of controls that must fit.
const PLANNED: usize = 400;
/// The most controls that one service has: Security Hub's list has 60 for EC2.
const OF_ONE_SERVICE: usize = 60;

/// As many made-up controls, which differ from today's in id and service only; one service has the most.
fn made_up() -> Vec<&'static Entry> {
    let today: Vec<&Entry> = controls().filter(|it| it.has_calls()).collect();
    let all = (0..PLANNED).map(|number| {
        let service = if number < OF_ONE_SERVICE { 0 } else { number / 15 };
        let mut entry = *today[number % today.len()];
        let meta = ControlMeta {
            id: Box::leak(format!("made-up-control-with-a-long-name-{number:03}").into_boxed_str()),
            source: Box::leak(format!("functions/service{service}/src/controls/x.rs").into_boxed_str()),
            ..*entry.meta
        };
        entry.meta = Box::leak(Box::new(meta));
        &*Box::leak(Box::new(entry))
    });
    all.collect()
}

fn of(controls: &[&'static Entry], text: &str) -> Templates {
    template::render(&Settings::read(text, controls).unwrap()).unwrap()
}

fn assert_limits(templates: &Templates) {
    let (root_parameters, roles) = (parameters_of(templates), roles_in(templates));
    for (path, text) in templates {
        let template = parsed(text);
        let resources = section_of(&template, "Resources");
        let total: usize = resources.values().map(weight).sum();
        assert!(total <= RESOURCES, "{path}: {total} resources");
        let parameters = section_of(&template, "Parameters").len();
        let most = if path == ROOT { ROOT_PARAMETERS } else { PARAMETERS };
        assert!(parameters <= most, "{path}: {parameters} parameters");
        assert!(text.len() <= TEMPLATE, "{path}: {} bytes", text.len());
        for (id, resource) in &resources {
            let properties = &resource["Properties"];
            for property in ["FunctionName", "Name"] {
                let name = tagged(&properties[property], "Sub").unwrap_or_default().replace("${Prefix}", "");
                assert!(name.len() + PREFIX <= NAME, "{path}: {id}: {name}");
            }
            let attached = properties["ManagedPolicyArns"].as_sequence().map_or(0, Vec::len);
            assert!(attached <= 10, "{path}: {id}: {attached} policies");
            let policies = properties["Policies"].as_sequence().into_iter().flatten();
            let inline: usize = policies.map(|it| characters(&it["PolicyDocument"])).sum();
            assert!(inline + 512 <= INLINE_POLICIES, "{path}: {id}: {inline} characters");
            let managed = characters(&properties["PolicyDocument"]);
            let is_policy = resource["Type"] == "AWS::IAM::ManagedPolicy";
            assert!(!is_policy || managed <= MANAGED_POLICY, "{path}: {id}: {managed} characters");
            let variables = properties["Environment"]["Variables"].as_mapping().into_iter().flatten();
            let size: usize = variables
                .map(|(key, value)| {
                    let referred = tagged(value, "Ref").map(|it| root_parameters.get(&it).map_or(64, longest));
                    let size = match key.as_str().unwrap() {
                        "OWN_ROLES" => roles * 22,
                        _ => referred.unwrap_or_else(|| value.as_str().map_or(24, str::len)),
                    };
                    key.as_str().unwrap().len() + size
                })
                .sum();
            assert!(size <= ENVIRONMENT, "{path}: {id}: {size} bytes");
        }
    }
}

/// The number of roles that attribution recognizes, each with an id of 21 characters.
fn roles_in(templates: &Templates) -> usize {
    if parameters_of(templates)["Attribution"]["Default"].as_str() == Some("false") {
        return 0;
    }
    templates.values().map(|text| text.matches(".RoleId").count()).sum()
}

fn parameters_of(templates: &Templates) -> BTreeMap<String, Value> {
    section_of(&parsed(&templates[ROOT]), "Parameters")
}

#[test]
fn every_control_of_today_fits() {
    assert_limits(&ENFORCED);
    assert_limits(&templates(&[("mode", "plan")]));
}

#[test]
fn every_control_fits_with_fifty_members() {
    let accounts: Vec<String> = (0..50).map(|number| format!("{:012}", 444_455_556_000_u64 + number)).collect();
    let start = "f".repeat(17);
    let settings = [
        ("mode", "enforce"),
        ("memberAccounts", &*accounts.join(",")),
        ("memberExternalId", "e-1"),
        ("memberFixRole", &*start),
    ];
    let templates = templates(&settings);
    assert_limits(&templates);
    for text in templates.values() {
        for (id, resource) in section_of(&parsed(text), "Resources") {
            let name = resource["Properties"]["RoleName"].as_str().unwrap_or_default();
            assert!(name.len() <= NAME, "{id}: {name}");
            // EventBridge allows 2,048 characters (quotas, read 2026-12).
            let pattern = characters(&resource["Properties"]["EventPattern"]);
            assert!(pattern <= 2_048, "{id}: {pattern} characters");
        }
    }
}

#[test]
fn four_hundred_controls_fit() {
    let controls = made_up();
    assert_eq!(controls.len(), PLANNED);
    let starter = controls.iter().take(7).map(|it| format!("  {}: enforce\n", it.meta.id)).collect::<String>();
    let enforced = "mode: enforce\nattribution: false".to_owned();
    for text in ["mode: plan".to_owned(), enforced, format!("mode: off\ncontrols:\n{starter}")] {
        let templates = of(&controls, &text);
        let expected = if text.starts_with("mode: off") { 2 } else { 26 };
        assert_eq!(templates.len(), expected, "a template per service and the root");
        assert_limits(&templates);
    }
    let refused = Settings::read("mode: enforce", &controls).map(drop).unwrap_err().to_string();
    assert_eq!(
        refused,
        "rectify.yaml: attribution: expected false, since 400 controls enforce, and attribution recognizes the roles of \
         at most 130: received `true`"
    );
}
