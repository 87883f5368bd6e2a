//! Forms of earlier versions that were replaced: each is refused with the form that replaced it.

/// The words of the earlier form, in order, and the form that replaced it.
const REPLACED: [(&[&str], &str); 17] = [
    (&["exempt", "add"], EXEMPT),
    (&["exempt", "list", "--control"], "rectify exempt list [CONTROL]"),
    (&["exempt", "--control"], EXEMPT),
    (&["exempt", "--resource"], EXEMPT),
    (&["hold", "add"], HOLD),
    (&["hold", "list", "--resource"], "rectify hold list [CONTROL [RESOURCE]]"),
    (&["hold", "list", "--control"], "rectify hold list [CONTROL [RESOURCE]]"),
    (&["hold", "end", "--control"], "rectify hold end CONTROL RESOURCE"),
    (&["hold", "end", "--resource"], "rectify hold end CONTROL RESOURCE"),
    (&["hold", "--days"], HOLD),
    (&["breaker", "list", "--resource"], "rectify breaker list CONTROL RESOURCE"),
    (&["breaker", "reset", "--resource"], "rectify breaker reset CONTROL RESOURCE --reason TEXT"),
    (&["history", "--attempt"], "rectify history ATTEMPT"),
    (&["history", "--resource"], "rectify history CONTROL RESOURCE"),
    (&["check", "--live"], "rectify check CONTROL RESOURCE"),
    (&["check", "--control"], "rectify check CONTROL RESOURCE, or rectify check CONTROL --event FILE"),
    (&["undo", "--hold-days"], "rectify undo ATTEMPT --hold-for 14d"),
];

const EXEMPT: &str = "rectify exempt CONTROL RESOURCE --for 90d --reason TEXT --approver NAME --ticket TICKET";
const HOLD: &str = "rectify hold CONTROL RESOURCE --for 7d --reason TEXT";

/// What replaced the form of these arguments; `None` if they have no form of an earlier version. Only for arguments
/// that were refused: a value may have the text of such a form.
pub(crate) fn replacement(arguments: impl Iterator<Item = String>) -> Option<String> {
    let given: Vec<String> = arguments.collect();
    // `--control=x` has the same name as `--control x`.
    let names: Vec<&str> = given.iter().map(|it| it.split_once('=').map_or(it.as_str(), |(name, _)| name)).collect();
    let (form, new) = REPLACED.iter().find(|(form, _)| are_in(form, &names))?;
    Some(format!("`rectify {}` was replaced by `{new}`", form.join(" ")))
}

/// Whether the words are among the names in this order.
fn are_in(form: &[&str], names: &[&str]) -> bool {
    let mut names = names.iter();
    form.iter().all(|word| names.any(|name| name == word))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn every_earlier_form_is_refused_with_the_new_one() {
        let rows = [
            (
                "exempt add --control restricted-ssh --resource sg-1 --until 2027-01-01 --reason r1 --approver a --ticket t",
                EXEMPT,
            ),
            (
                "exempt add --control=* --tag rectify:exempt=web --until 2027-01-01 --reason r1 --approver a --ticket t",
                EXEMPT,
            ),
            ("exempt list --control restricted-ssh --all", "rectify exempt list [CONTROL]"),
            ("hold add --control restricted-ssh --resource sg-1 --reason r1 --days 3", HOLD),
            ("hold restricted-ssh sg-1 --reason r1 --days 3", HOLD),
            ("hold list --resource sg-1 --type AWS::EC2::SecurityGroup", "rectify hold list [CONTROL [RESOURCE]]"),
            ("hold end --control restricted-ssh --resource sg-1", "rectify hold end CONTROL RESOURCE"),
            ("breaker list restricted-ssh --resource sg-1", "rectify breaker list CONTROL RESOURCE"),
            (
                "breaker reset restricted-ssh --resource sg-1 --reason r1",
                "rectify breaker reset CONTROL RESOURCE --reason TEXT",
            ),
            ("history --attempt 01A", "rectify history ATTEMPT"),
            ("history --resource sg-1 --control restricted-ssh", "rectify history CONTROL RESOURCE"),
            ("check --control restricted-ssh --live sg-1 --json", "rectify check CONTROL RESOURCE"),
            (
                "check --control restricted-ssh --event e.json",
                "rectify check CONTROL RESOURCE, or rectify check CONTROL --event FILE",
            ),
            ("undo 01A --hold-days 14", "rectify undo ATTEMPT --hold-for 14d"),
        ];
        for (line, new) in rows {
            let words = || format!("rectify {line}").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert!(Arguments::try_parse_from(words()).is_err(), "{line}");
            let text = replacement(words().into_iter()).unwrap();
            assert!(text.ends_with(&format!("was replaced by `{new}`")), "{line}: {text}");
        }
        for line in ["scan --control restricted-sh", "history restricted-sh sg-1", "hold restricted-ssh"] {
            assert_eq!(replacement(line.split_whitespace().map(str::to_owned)), None, "{line}");
        }
    }
}
