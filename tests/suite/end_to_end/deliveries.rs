//! Events delivered twice, late, out of order, or to a function that dies: at most one change and one announcement.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use rectify_local::engine::Compliance;
use rectify_local::proxy::FaultKind;
use rectify_runtime::ledger::{Outcome, State};

use super::env::{Env, FIX, RULE, run, until};

const REVOKE: (&str, &str) = ("ec2", "RevokeSecurityGroupIngress");

fn web_alone() -> BTreeSet<String> {
    BTreeSet::from(["443-443 0.0.0.0/0".to_owned()])
}

/// `runtime/10`
#[test]
fn finding_delivered_twice_is_fixed_and_announced_once() {
    run(async |env| {
        let group = env.open_group("twice").await;
        env.wait_until_idle().await;
        let finding = env.received(&group).await.remove(0);
        assert_eq!(finding["newEvaluationResult"]["complianceType"], "NON_COMPLIANT");
        env.deliver(&finding).await;
        env.wait_until_idle().await;

        assert_eq!(env.ended(&group, 2).await, ["verified", "acknowledged"]);
        assert_eq!((env.outcomes(&group), env.revocations()), (vec!["verified".to_owned()], vec![200]));
        assert_eq!(env.attempts(&group).await.len(), 1);
        assert_eq!(env.ingress(&group).await, web_alone());
    });
}

/// `runtime/12`
#[test]
fn finding_about_a_resource_fixed_by_hand_makes_no_change() {
    run(async |env| {
        env.inject("rectify-local", ("events", "PutEvents"), 1, FaultKind::Delay(Duration::from_secs(2)));
        let group = env.open_group("late").await;
        env.world.tick().await.unwrap();
        env.until_hit().await;
        env.close(&group).await;
        assert_eq!(env.ended(&group, 0).await, Vec::<String>::new(), "the event has not arrived");
        env.wait_until_idle().await;

        assert_eq!(env.ended(&group, 1).await, ["already-compliant"]);
        assert_eq!((env.outcomes(&group), env.revocations()), (vec![], vec![]));
        let attempts = env.attempts(&group).await;
        let [attempt] = attempts.as_slice() else { panic!("{attempts:#?}") };
        assert_eq!((attempt.outcome, attempt.actions.len()), (Some(Outcome::AlreadyCompliant), 0));
        assert_eq!(env.ingress(&group).await, web_alone());
    });
}

/// `runtime/11`
#[test]
fn late_verdict_about_an_older_item_is_discarded() {
    run(async |env| {
        let put = ("config", "PutEvaluations");
        env.inject(RULE, put, 1, FaultKind::Delay(Duration::from_secs(2)));
        let group = env.open_group("overtaken").await;
        env.world.tick().await.unwrap();
        env.until_hit().await;
        env.close(&group).await;
        env.wait_until_idle().await;

        let calls = env.world.proxy().calls().into_iter().filter(|it| it.caller == RULE && it.operation == put.1);
        let order: Vec<bool> = calls.map(|call| call.note.is_some()).collect();
        assert_eq!(order, [false, true], "the older verdict arrives second");
        assert_eq!(env.verdict(RULE, &group), Some(Compliance::Compliant));
        let received = env.received(&group).await;
        assert_eq!(received.len(), 1, "{received:#?}");
        assert_eq!(received[0]["newEvaluationResult"]["complianceType"], "COMPLIANT");

        // A remediation that is invoked with the older finding writes nothing either.
        let mut finding = received[0].clone();
        finding["newEvaluationResult"]["complianceType"] = "NON_COMPLIANT".into();
        env.deliver(&finding).await;
        env.wait_until_idle().await;
        assert_eq!(env.ended(&group, 1).await, ["already-compliant"]);
        assert_eq!((env.outcomes(&group), env.revocations()), (vec![], vec![]));
    });
}

#[test]
fn lost_answer_of_a_write_leads_to_no_second_change() {
    run(async |env| {
        env.inject(FIX, REVOKE, 1, FaultKind::TimeoutAfterApply);
        let group = env.open_group("lost-answer").await;
        env.wait_until_idle().await;

        assert_eq!(env.outcomes(&group), ["verified"]);
        // The call took effect and its answer was lost: the live read shows that, and nothing is sent again.
        assert_eq!(env.revocations(), [0]);
        assert_recorded_as_one_attempt(env, &group).await;
    });
}

/// The process is killed between its write and the record of the answer: only the ledger shows the intent.
#[test]
fn attempt_of_a_killed_function_is_ended_by_the_next_delivery() {
    run(async |env| {
        env.inject(FIX, REVOKE, 1, FaultKind::AnswerLate(Duration::from_secs(60)));
        let dead_letters = env.world.host().dead_letters().len();
        let group = env.open_group("killed").await;
        env.world.tick().await.unwrap();
        until("the write takes effect", async || env.ingress(&group).await == web_alone()).await;
        kill(env, "restricted-ssh-remediation");
        env.wait_until_idle().await;

        // While the dead owner's lease lasts, no other delivery may work on the group, and the event is kept.
        let dead_letters = env.world.host().dead_letters().split_off(dead_letters);
        let [dead_letter] = dead_letters.as_slice() else { panic!("{dead_letters:#?}") };
        assert_eq!((dead_letter.function.as_str(), dead_letter.error.error_type.as_str()), (FIX, "LeaseHeld"));
        let begun = env.attempts(&group).await.remove(0);
        assert_eq!((begun.state, begun.outcome, begun.actions.len()), (State::Open, None, 1));
        assert_eq!((env.outcomes(&group), env.revocations()), (vec![], vec![]));

        env.end_lease(&group).await;
        env.deliver(&dead_letter.payload["detail"]).await;
        env.wait_until_idle().await;
        let announcements = env.announcements(&group);
        assert_eq!(env.outcomes(&group), ["verified"]);
        assert_eq!(announcements[0].1["attempt"], begun.id.as_str());
        assert_eq!(env.revocations(), [0; 0], "the live read shows that the call took effect");
        assert_recorded_as_one_attempt(env, &group).await;
    });
}

/// One attempt, with the rule in its prior state and one action with a receipt; the web rule is unchanged.
async fn assert_recorded_as_one_attempt(env: &Env, group: &rectify_local::engine::ResourceKey) {
    assert_eq!(env.ingress(group).await, web_alone());
    assert_eq!(env.verdict(RULE, group), Some(Compliance::Compliant));
    let attempts = env.attempts(group).await;
    let [attempt] = attempts.as_slice() else { panic!("{attempts:#?}") };
    assert_eq!((attempt.state, attempt.outcome), (State::Finished, Some(Outcome::Verified)), "{attempt:#?}");
    assert_eq!((attempt.actions.len(), attempt.done().count(), attempt.reason.as_str()), (1, 1, "as planned"));
    let before = serde_json::to_value(&attempt.before).unwrap();
    let rules = before["subject"]["group"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["fromPort"] == 22), "{rules:#?}");
}

/// Kills this environment's processes that run the function of this program.
fn kill(env: &Env, program: &str) {
    let expected = [format!("AWS_ENDPOINT_URL={}", env.world.endpoint()), format!("RECTIFY_FUNCTION={program}")];
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
    assert!(killed > 0, "{program}: not running");
}
