//! Renders declared permissions as inline policies of a role.

use rectify_compliance::Permission;
use rectify_compliance::permission::{Condition, EACH_CONTROL};

/// The prefix of S3 ARNs, which do not contain the bucket's account.
const ANY_BUCKET: &str = "arn:${AWS::Partition}:s3:::";
const LEADING_KEYS: &str = "dynamodb:LeadingKeys";
/// The maximum number of condition values on one line.
const IN_A_LINE: usize = 4;

/// The `Policies` of a role for these controls: one policy for each named list that is not empty; an empty string if
/// all lists
/// are empty.
pub(super) fn inline(lists: &[(&str, &[Permission])], controls: &[&str]) -> String {
    let policies: String =
        lists.iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| policy(name, list, controls)).collect();
    if policies.is_empty() { policies } else { format!("Policies:\n{policies}") }
}

fn policy(name: &str, permissions: &[Permission], controls: &[&str]) -> String {
    named(name, &statements(permissions, controls).concat())
}

/// An inline policy with these statements: an item of the `Policies` that [`inline`] returns.
pub(super) fn named(name: &str, statements: &str) -> String {
    let statements = indented(statements, 8);
    format!(
        "  - PolicyName: {name}
    PolicyDocument:
      Version: \"2012-10-17\"
      Statement:
{statements}"
    )
}

/// The statements of a role for these controls, each an item of a `Statement` list: `- Effect: Allow` and so on.
pub(super) fn statements(permissions: &[Permission], controls: &[&str]) -> Vec<String> {
    by_resource(permissions).iter().map(|(first, actions)| statement(first, actions, controls)).collect()
}

/// The lines of `text`, each indented by this many spaces.
pub(super) fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

/// A YAML list with one item per line.
pub(super) fn members<'a>(list: impl IntoIterator<Item = &'a str>) -> String {
    list.into_iter().map(|member| format!("- {member}\n")).collect()
}

/// The size of these statements in a policy, in characters as IAM counts them: JSON without whitespace.
pub(super) fn weight(permissions: &[Permission]) -> usize {
    let json = |(first, actions): &(Permission, Vec<&str>)| {
        let mut statement = serde_json::json!({"Effect": "Allow", "Action": actions, "Resource": first.resource});
        let mut members = serde_json::Map::new();
        for (operator, key, values) in conditions(first, &[]) {
            let of_operator = members.entry(operator).or_insert_with(|| serde_json::json!({}));
            if let Some(of_operator) = of_operator.as_object_mut() {
                of_operator.insert(key.to_owned(), serde_json::json!(values));
            }
        }
        if let (false, Some(statement)) = (members.is_empty(), statement.as_object_mut()) {
            statement.insert("Condition".to_owned(), members.into());
        }
        statement.to_string().len() + 1
    };
    by_resource(permissions).iter().map(json).sum()
}

/// A managed policy may have 6,144 characters without whitespace; this leaves room for substituted values that are
/// longer than their placeholders.
pub(super) const MAX_CHARACTERS: usize = 5_800;

/// The permissions in parts that each fit one managed policy.
pub(super) fn fitting(permissions: &[Permission]) -> Vec<Vec<Permission>> {
    let mut policies: Vec<Vec<Permission>> = Vec::new();
    for permission in permissions {
        let fits = |policy: &&mut Vec<Permission>| weight(&[policy, &[*permission][..]].concat()) <= MAX_CHARACTERS;
        match policies.last_mut().filter(fits) {
            Some(policy) => policy.push(*permission),
            None => policies.push(vec![*permission]),
        }
    }
    policies
}

/// Groups permissions that differ only in the action into one statement, in order of first appearance.
fn by_resource(permissions: &[Permission]) -> Vec<(Permission, Vec<&'static str>)> {
    let mut statements: Vec<(Permission, Vec<&'static str>)> = Vec::new();
    for permission in permissions {
        let same = statements
            .iter_mut()
            .find(|(first, _)| first.resource == permission.resource && first.condition == permission.condition);
        match same {
            Some((_, actions)) => actions.push(permission.action),
            None => statements.push((*permission, vec![permission.action])),
        }
    }
    statements
}

/// One statement. If its resource is a stack parameter, it depends on that parameter being set, since `none` is not an
/// ARN.
fn statement(first: &Permission, actions: &[&str], controls: &[&str]) -> String {
    let mut text = format!("- Effect: Allow\n  Action:\n{}", indented(&members(actions.iter().copied()), 4));
    let resource = controls.iter().fold(first.resource.to_owned(), |it, id| it.replace(EACH_CONTROL, id));
    text.push_str(&format!("  Resource: {}\n", scalar(&resource)));
    text.push_str(&indented(&condition(&conditions(first, controls)), 2));
    match first.parameter() {
        None => text,
        Some(name) => format!("- !If\n  - {name}Given\n{}  - !Ref \"AWS::NoValue\"\n", indented(&text, 2)),
    }
}

/// Operator, key and values.
type Conditions = Vec<(&'static str, &'static str, Vec<String>)>;

/// The conditions of a permission. `ForAllValues` is true if the key is missing, so the key must also be present.
fn conditions(permission: &Permission, controls: &[&str]) -> Conditions {
    let owned = |values: &[&str]| values.iter().map(|it| (*it).to_owned()).collect();
    let mut all: Conditions = match permission.condition {
        None => Vec::new(),
        Some(Condition::Equals(key, value)) => vec![("StringEquals", key, owned(&[value]))],
        Some(Condition::Events(types)) => vec![
            ("StringEquals", "events:detail-type", owned(types)),
            ("StringEquals", "events:source", owned(&["rectify"])),
        ],
        Some(Condition::Partitions(patterns)) => vec![
            ("ForAllValues:StringLike", LEADING_KEYS, partitions(patterns, controls)),
            ("Null", LEADING_KEYS, owned(&["false"])),
        ],
    };
    if permission.resource.starts_with(ANY_BUCKET) {
        all.push(("StringEquals", "aws:ResourceAccount", owned(&["${AWS::AccountId}"])));
    }
    all
}

fn partitions(patterns: &[&str], controls: &[&str]) -> Vec<String> {
    let of = |pattern: &&str| -> Vec<String> {
        if pattern.contains(EACH_CONTROL) {
            controls.iter().map(|id| pattern.replace(EACH_CONTROL, id)).collect()
        } else {
            vec![(*pattern).to_owned()]
        }
    };
    patterns.iter().flat_map(of).collect()
}

fn condition(conditions: &Conditions) -> String {
    let mut operators: Vec<&str> = conditions.iter().map(|(operator, _, _)| *operator).collect();
    operators.dedup();
    let mut text = String::new();
    for operator in operators {
        // Unquoted, YAML parses the operator `Null` as null.
        let name = if operator == "Null" { "\"Null\"" } else { operator };
        let keys: Vec<String> =
            conditions.iter().filter(|it| it.0 == operator).map(|(_, key, values)| entry(key, values)).collect();
        if keys.iter().any(|it| it.contains('\n')) {
            text.push_str(&format!("{name}:\n{}", indented(&keys.concat(), 2)));
        } else {
            text.push_str(&format!("{name}: {{ {} }}\n", keys.join(", ")));
        }
    }
    if text.is_empty() { text } else { format!("Condition:\n{}", indented(&text, 2)) }
}

/// A key with its values, on one line if they are few.
fn entry(key: &str, values: &[String]) -> String {
    let texts: Vec<String> = values.iter().map(|it| scalar(it)).collect();
    match texts.as_slice() {
        [only] => format!("\"{key}\": {only}"),
        few if few.len() <= IN_A_LINE => format!("\"{key}\": [{}]", few.join(", ")),
        many => format!("\"{key}\":\n{}", indented(&members(many.iter().map(String::as_str)), 2)),
    }
}

/// A value as YAML, with intrinsic functions for its references.
fn scalar(value: &str) -> String {
    let whole = value.strip_prefix("${").and_then(|it| it.strip_suffix('}')).filter(|it| !it.contains(['$', ':']));
    match whole {
        Some(attribute) if attribute.contains('.') => format!("!GetAtt {attribute}"),
        Some(parameter) => format!("!Ref {parameter}"),
        None if value.contains("${") => format!("!Sub \"{value}\""),
        None => format!("\"{value}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_on_the_same_resource_share_a_statement_and_conditions_stay_apart() {
        let group = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*";
        let permissions = [
            Permission::unscoped("ec2:DescribeSecurityGroupRules"),
            Permission::unscoped("ec2:DescribeSecurityGroups"),
            Permission::on("ec2:RevokeSecurityGroupIngress", group),
            Permission::on("ec2:CreateTags", group).when("ec2:Region", "${AWS::Region}"),
        ];
        assert_eq!(
            inline(&[("nothing", &[]), ("fixes", &permissions)], &[]),
            "Policies:
  - PolicyName: fixes
    PolicyDocument:
      Version: \"2012-10-17\"
      Statement:
        - Effect: Allow
          Action:
            - ec2:DescribeSecurityGroupRules
            - ec2:DescribeSecurityGroups
          Resource: \"*\"
        - Effect: Allow
          Action:
            - ec2:RevokeSecurityGroupIngress
          Resource: !Sub \"arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*\"
        - Effect: Allow
          Action:
            - ec2:CreateTags
          Resource: !Sub \"arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*\"
          Condition:
            StringEquals: { \"ec2:Region\": !Sub \"${AWS::Region}\" }
"
        );
        assert_eq!(inline(&[("reads", &[])], &[]), "");
    }

    #[test]
    fn buckets_are_limited_to_the_account_and_an_unset_parameter_grants_nothing() {
        let permissions = [
            Permission::on("s3:PutBucketPolicy", "arn:${AWS::Partition}:s3:::*"),
            Permission::on("iam:PassRole", "${LogsRoleArn}").when("iam:PassedToService", "cloudtrail.amazonaws.com"),
        ];
        assert_eq!(
            statements(&permissions, &[]).concat(),
            "- Effect: Allow
  Action:
    - s3:PutBucketPolicy
  Resource: !Sub \"arn:${AWS::Partition}:s3:::*\"
  Condition:
    StringEquals: { \"aws:ResourceAccount\": !Sub \"${AWS::AccountId}\" }
- !If
  - LogsRoleArnGiven
  - Effect: Allow
    Action:
      - iam:PassRole
    Resource: !Ref LogsRoleArn
    Condition:
      StringEquals: { \"iam:PassedToService\": \"cloudtrail.amazonaws.com\" }
  - !Ref \"AWS::NoValue\"
"
        );
    }

    #[test]
    fn partitions_are_listed_per_control_and_the_key_must_be_present() {
        let put = Permission::on("dynamodb:PutItem", "${Ledger.Arn}").in_partitions(&["<control>#*", "L#*"]);
        assert_eq!(
            statements(&[put], &["a"]).concat(),
            "- Effect: Allow
  Action:
    - dynamodb:PutItem
  Resource: !GetAtt Ledger.Arn
  Condition:
    ForAllValues:StringLike: { \"dynamodb:LeadingKeys\": [\"a#*\", \"L#*\"] }
    \"Null\": { \"dynamodb:LeadingKeys\": \"false\" }
"
        );
        let many = statements(&[put], &["a", "b", "c", "d"]).concat();
        assert!(many.contains(":StringLike:\n      \"dynamodb:LeadingKeys\":\n        - \"a#*\"\n"), "{many}");
    }
}
