//! Events that come twice, late, out of order, or whose function dies: at most one change, and the story told once.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use rectify_local::engine::Compliance;
use rectify_local::proxy::FaultKind;
use rectify_runtime::ledger::{Outcome, State};

use super::stage::{Env, FIX, RULE, play, until};

const REVOKE: (&str, &str) = ("ec2", "RevokeSecurityGroupIngress");

fn web_alone() -> BTreeSet<String> {
    BTreeSet::from(["443-443 0.0.0.0/0".to_owned()])
}

/// `runtime/10`
#[test]
fn finding_delivered_twice_is_acted_on_and_told_once() {
    play(async |stage| {
        let group = stage.open_group("twice").await;
        stage.settle().await;
        let finding = stage.heard(&group).await.remove(0);
        assert_eq!(finding["newEvaluationResult"]["complianceType"], "NON_COMPLIANT");
        stage.deliver(&finding).await;
        stage.settle().await;

        assert_eq!(stage.ended(&group, 2).await, ["verified", "acknowledged"]);
        assert_eq!((stage.outcomes(&group), stage.revocations()), (vec!["verified".to_owned()], vec![200]));
        assert_eq!(stage.attempts(&group).await.len(), 1);
        assert_eq!(stage.ingress(&group).await, web_alone());
    });
}

/// `runtime/12`
#[test]
fn finding_about_what_a_person_has_fixed_by_now_is_no_reason_to_write() {
    play(async |stage| {
        stage.inject("rectify-local", ("events", "PutEvents"), 1, FaultKind::Delay(Duration::from_secs(2)));
        let group = stage.open_group("late").await;
        stage.world.tick().await.unwrap();
        stage.until_hit().await;
        stage.close(&group).await;
        assert_eq!(stage.ended(&group, 0).await, Vec::<String>::new(), "the event is still on its way");
        stage.settle().await;

        assert_eq!(stage.ended(&group, 1).await, ["already-compliant"]);
        assert_eq!((stage.outcomes(&group), stage.revocations()), (vec![], vec![]));
        let attempts = stage.attempts(&group).await;
        let [attempt] = attempts.as_slice() else { panic!("{attempts:#?}") };
        assert_eq!((attempt.outcome, attempt.actions.len()), (Some(Outcome::AlreadyCompliant), 0));
        assert_eq!(stage.ingress(&group).await, web_alone());
    });
}

/// `runtime/11`
#[test]
fn verdict_about_an_older_item_that_arrives_later_does_not_stand() {
    play(async |stage| {
        let put = ("config", "PutEvaluations");
        stage.inject(RULE, put, 1, FaultKind::Delay(Duration::from_secs(2)));
        let group = stage.open_group("overtaken").await;
        stage.world.tick().await.unwrap();
        stage.until_hit().await;
        stage.close(&group).await;
        stage.settle().await;

        let calls = stage.world.proxy().calls().into_iter().filter(|it| it.caller == RULE && it.operation == put.1);
        let order: Vec<bool> = calls.map(|call| call.note.is_some()).collect();
        assert_eq!(order, [false, true], "the older verdict arrives second");
        assert_eq!(stage.verdict(RULE, &group), Some(Compliance::Compliant));
        let heard = stage.heard(&group).await;
        assert_eq!(heard.len(), 1, "{heard:#?}");
        assert_eq!(heard[0]["newEvaluationResult"]["complianceType"], "COMPLIANT");

        // Even a remediation that is asked about the older finding writes nothing.
        let mut finding = heard[0].clone();
        finding["newEvaluationResult"]["complianceType"] = "NON_COMPLIANT".into();
        stage.deliver(&finding).await;
        stage.settle().await;
        assert_eq!(stage.ended(&group, 1).await, ["already-compliant"]);
        assert_eq!((stage.outcomes(&group), stage.revocations()), (vec![], vec![]));
    });
}

#[test]
fn answer_that_is_lost_after_the_write_leads_to_no_second_change() {
    play(async |stage| {
        stage.inject(FIX, REVOKE, 1, FaultKind::TimeoutAfterApply);
        let group = stage.open_group("lost-answer").await;
        stage.settle().await;

        assert_eq!(stage.outcomes(&group), ["verified"]);
        // It took effect and its answer was lost; a live read shows that, and nothing is sent again.
        assert_eq!(stage.revocations(), [0]);
        assert_told_as_one_attempt(stage, &group).await;
    });
}

/// The process is killed between its write and the note of it, so nobody but the ledger knows what was begun.
#[test]
fn attempt_of_a_killed_function_is_ended_by_the_next_delivery() {
    play(async |stage| {
        stage.inject(FIX, REVOKE, 1, FaultKind::AnswerLate(Duration::from_secs(60)));
        let letters = stage.world.host().dead_letters().len();
        let group = stage.open_group("killed").await;
        stage.world.tick().await.unwrap();
        until("the write takes effect", async || stage.ingress(&group).await == web_alone()).await;
        kill(stage, "restricted-ssh-remediation");
        stage.settle().await;

        // While the dead owner's lease lasts nobody else may work on the group, and the event is not lost.
        let letters = stage.world.host().dead_letters().split_off(letters);
        let [letter] = letters.as_slice() else { panic!("{letters:#?}") };
        assert_eq!((letter.function.as_str(), letter.error.error_type.as_str()), (FIX, "LeaseHeld"));
        let begun = stage.attempts(&group).await.remove(0);
        assert_eq!((begun.state, begun.outcome, begun.actions.len()), (State::Open, None, 1));
        assert_eq!((stage.outcomes(&group), stage.revocations()), (vec![], vec![]));

        stage.end_lease(&group).await;
        stage.deliver(&letter.payload["detail"]).await;
        stage.settle().await;
        let told = stage.told(&group);
        assert_eq!(stage.outcomes(&group), ["verified"]);
        assert_eq!(told[0].1["attempt"], begun.id.as_str());
        assert_eq!(stage.revocations(), [0; 0], "the live read shows that the call arrived");
        assert_told_as_one_attempt(stage, &group).await;
    });
}

/// One attempt, with the rule in its before-image and one action with a receipt; the web rule was left alone.
async fn assert_told_as_one_attempt(stage: &Env, group: &rectify_local::engine::ResourceKey) {
    assert_eq!(stage.ingress(group).await, web_alone());
    assert_eq!(stage.verdict(RULE, group), Some(Compliance::Compliant));
    let attempts = stage.attempts(group).await;
    let [attempt] = attempts.as_slice() else { panic!("{attempts:#?}") };
    assert_eq!((attempt.state, attempt.outcome), (State::Finished, Some(Outcome::Verified)), "{attempt:#?}");
    assert_eq!((attempt.actions.len(), attempt.done().count(), attempt.reason.as_str()), (1, 1, "as planned"));
    let before = serde_json::to_value(&attempt.before).unwrap();
    let rules = before["subject"]["group"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["fromPort"] == 22), "{rules:#?}");
}

/// Kills the processes of this world that run the function of this program.
fn kill(stage: &Env, program: &str) {
    let expected = [format!("AWS_ENDPOINT_URL={}", stage.world.endpoint()), format!("RECTIFY_FUNCTION={program}")];
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc").unwrap() {
        let process = entry.unwrap().path();
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        let variables: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
        if expected.iter().all(|it| variables.contains(&it.as_bytes())) {
            let id = process.file_name().unwrap().to_owned();
            assert!(Command::new("kill").arg("-KILL").arg(id).status().unwrap().success());
            killed += 1;
        }
    }
    assert!(killed > 0, "{program}: does not run");
}
