use rectify_runtime::CallError;

use super::*;

fn regions(names: &[&str]) -> Vec<Region> {
    names.iter().copied().map(Region::new).collect()
}

fn denied() -> AwsError {
    CallError::answered("ec2:DescribeRegions", 403, "UnauthorizedOperation", "no").into()
}

/// What is chosen of two regions, of which the account has enabled one.
fn chosen(names: &[&str], is_listed: bool) -> Result<(Vec<Region>, Vec<Region>), String> {
    let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
    let wanted = wanted(&names, &Region::new("eu-west-1")).map_err(|error| error.to_string())?;
    let listed = [(Region::new("eu-west-1"), true), (Region::new("me-south-1"), false)].into();
    choose(&wanted, if is_listed { Ok(listed) } else { Err(denied()) }).map_err(|error| format!("{error:?}"))
}

#[test]
fn all_regions_are_those_that_the_account_has_enabled() {
    assert_eq!(chosen(&["all"], true), Ok((regions(&["eu-west-1"]), regions(&["me-south-1"]))));
    assert!(chosen(&["all"], false).is_err_and(|it| it.starts_with("Unlisted(")), "an empty list is not a pass");
    assert_eq!(
        chosen(&["eu-west-1", "all"], true),
        Err("--region: expected either `all` or the codes of regions: received both".to_owned())
    );
}

#[test]
fn named_regions_are_checked_if_they_can_be_listed() {
    assert_eq!(chosen(&[], true), Ok((regions(&["eu-west-1"]), vec![])));
    assert_eq!(chosen(&["eu-west-1", "eu-west-1"], true), Ok((regions(&["eu-west-1"]), vec![])));
    assert_eq!(chosen(&["me-south-1", "eu-west-1"], true), Ok((regions(&["eu-west-1"]), regions(&["me-south-1"]))));
    assert!(chosen(&["me-south-1"], true).is_err_and(|it| it.starts_with("Disabled(")));
    assert_eq!(chosen(&["me-south-1", "eu-wst-1"], false), Ok((regions(&["eu-wst-1", "me-south-1"]), vec![])));
    let error = chosen(&["eu-wst-1"], true).unwrap_err();
    assert_eq!(error, r#"Unknown(Region("eu-wst-1"), Some("eu-west-1"))"#);
    assert_eq!(
        unknown(&Region::new("eu-wst-1"), Some("eu-west-1")).to_string(),
        "--region: expected a region of this partition: received `eu-wst-1`: did you mean `eu-west-1`?"
    );
}

#[test]
fn a_file_of_accounts_has_an_id_a_line() {
    let ids = |text| accounts(text).map(|it| it.iter().map(AccountId::to_string).collect::<Vec<_>>());
    let text = "# production\n444455556666\n\n 111122223333  # payments\r\n444455556666\n";
    assert_eq!(ids(text), Ok(vec!["111122223333".to_owned(), "444455556666".to_owned()]));
    let error = |received: &str| Err(format!("line 2: expected 12 digits: received `{received}`"));
    assert_eq!(ids("111122223333\n1111-2222-3333"), error("1111-2222-3333"));
    assert_eq!(ids("111122223333\n\u{1b}[2J"), error("\\u{1b}[2J"));
    assert_eq!(ids("111122223333\n١١١١٢٢٢٢٣٣٣٣"), error("١١١١٢٢٢٢٣٣٣٣"), "digits of ASCII only");
}

#[test]
fn a_file_without_accounts_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "# none\n").unwrap();
    let error = listed(file.path()).unwrap_err().to_string();
    assert!(error.ends_with("expected an account id a line: received none"), "{error}");
    let error = listed(Path::new("/absent/accounts")).unwrap_err().to_string();
    assert!(error.starts_with("--accounts: /absent/accounts: No such file"), "{error}");
}

#[test]
fn skipped_regions_are_listed_with_their_accounts() {
    let site = |account: &str, disabled: &[&str]| Site {
        account: AccountId::new(account),
        caller: Caller::of_account(account, "eu-west-1"),
        regions: regions(&["eu-west-1"]),
        disabled: regions(disabled),
    };
    let reached = vec![
        site("111122223333", &["af-south-1", "me-south-1"]),
        site("444455556666", &["af-south-1", "me-south-1"]),
        site("777788889999", &["af-south-1"]),
        site("888899990000", &[]),
    ];
    let sites = Sites { reached, unreached: Vec::new(), home: Region::new("us-east-1") };
    let expected = [
        "not enabled in account 777788889999, so not scanned: af-south-1",
        "not enabled in account 111122223333, 444455556666, so not scanned: af-south-1, me-south-1",
    ];
    assert_eq!(sites.notes(), expected);
}
