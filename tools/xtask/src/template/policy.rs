//! Declared permissions as inline policies of a role.

use rectify_compliance::Permission;

/// The `Policies` of a role: one for each named list that is not empty; nothing at all when all are.
pub(super) fn inline(lists: &[(&str, &[Permission])]) -> String {
    let policies: String =
        lists.iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| policy(name, list)).collect();
    if policies.is_empty() { policies } else { format!("Policies:\n{policies}") }
}

fn policy(name: &str, permissions: &[Permission]) -> String {
    let statements: String =
        by_resource(permissions).iter().map(|(first, actions)| statement(first, actions)).collect();
    format!(
        "  - PolicyName: {name}
    PolicyDocument:
      Version: \"2012-10-17\"
      Statement:
{statements}"
    )
}

/// The statements of a policy, each a list member of a `Statement` at this indent: `- Effect: Allow` and so on.
pub(super) fn statements(permissions: &[Permission]) -> Vec<String> {
    let outdented =
        |text: String| text.lines().map(|line| format!("{}\n", line.get(8..).unwrap_or_default())).collect();
    by_resource(permissions).iter().map(|(first, actions)| outdented(statement(first, actions))).collect()
}

/// How many characters of a policy these statements take, as IAM counts: JSON without blanks.
pub(super) fn weight(permissions: &[Permission]) -> usize {
    let json = |(first, actions): &(Permission, Vec<&str>)| {
        let mut statement = serde_json::json!({"Effect": "Allow", "Action": actions, "Resource": first.resource});
        if let (Some((key, value)), Some(members)) = (first.condition, statement.as_object_mut()) {
            members.insert("Condition".to_owned(), serde_json::json!({"StringEquals": {key: value}}));
        }
        statement.to_string().len() + 1
    };
    by_resource(permissions).iter().map(json).sum()
}

/// Permissions that differ in nothing but the action share a statement; the order is that of their first appearance.
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

fn statement(first: &Permission, actions: &[&str]) -> String {
    let actions: String = actions.iter().map(|action| format!("            - {action}\n")).collect();
    let condition = first.condition.map_or_else(String::new, |(key, value)| {
        format!(
            "          Condition:
            StringEquals: {{ \"{key}\": {} }}
",
            scalar(value)
        )
    });
    format!(
        "        - Effect: Allow
          Action:
{actions}          Resource: {}
{condition}",
        scalar(first.resource)
    )
}

/// A value as YAML; pseudo parameters in it are substituted when the stack is made.
fn scalar(value: &str) -> String {
    if value.contains("${") { format!("!Sub \"{value}\"") } else { format!("\"{value}\"") }
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
            inline(&[("nothing", &[]), ("fixes", &permissions)]),
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
        assert_eq!(inline(&[("reads", &[])]), "");
    }
}
