//! A setting of a sample view, through the client of the view.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_types::SdkConfig;
use futures_util::{FutureExt, StreamExt};
use rectify_compliance::{AccountId, NoParameters, Region, ResourceState};
use rectify_testing::lamp::{LAMP_ON, Lamp, lamp};
use serde_json::json;

use super::*;

#[derive(Default)]
struct Lamps(Mutex<BTreeMap<String, Lamp>>);

impl Connect for Lamps {
    fn connect(_config: &SdkConfig) -> Self {
        Self::default()
    }
}

impl Views<Lamp> for Lamps {
    async fn read(&self, target: &Target) -> Result<Option<Lamp>, AwsError> {
        Ok(self.0.lock().unwrap().get(target.name_or_id()).cloned())
    }

    async fn write(&self, id: &str, member: &str, value: &Value) -> Result<(), AwsError> {
        let mut lamps = self.0.lock().unwrap();
        let lamp = lamps.get_mut(id).unwrap();
        match member {
            "On" => lamp.on = value_of(member, value)?,
            _ => return Err(unknown_member(member)),
        }
        Ok(())
    }
}

fn lamps() -> (Lamps, Target) {
    let lamp = lamp("desk", false);
    let target = Target {
        account: AccountId::new("111122223333"),
        region: Region::new("eu-west-1"),
        resource: lamp.identity().key,
        name: None,
        arn: None,
    };
    (Lamps(Mutex::new(BTreeMap::from([("desk".to_owned(), lamp)]))), target)
}

fn call(operation: &str, input: Value) -> SetCall {
    SetCall { operation: operation.to_owned(), input: input.as_object().unwrap().clone() }
}

#[test]
fn setting_is_read_set_and_reverted_through_the_client_of_its_view() {
    let (clients, target) = lamps();
    let on = || LAMP_ON.live(&clients, &target, &NoParameters {}).now_or_never().unwrap().unwrap().unwrap().on;
    let set = |on: bool| call("ModifyLamp", json!({ "LampName": "desk", "On": on }));
    assert!(!on());
    LAMP_ON.apply(&clients, &target, &set(true)).now_or_never().unwrap().unwrap();
    assert!(on());
    LAMP_ON.revert(&clients, &target, &set(false)).now_or_never().unwrap().unwrap();
    assert!(!on());
    let lamp = clients.0.lock().unwrap()["desk"].clone();
    assert_eq!(LAMP_ON.facts(&clients, &target, &lamp, &NoParameters {}).now_or_never().unwrap(), Ok(Some(())));
}

#[test]
fn call_with_wrong_operation_member_type_or_shape_is_refused() {
    let (clients, target) = lamps();
    for (call, expected) in [
        (call("ModifyLamp", json!({ "LampName": "desk", "Dim": true })), "a member that the client sets"),
        (call("ModifyLamp", json!({ "LampName": "desk", "On": "very" })), "a value of the member"),
        (call("DeleteLamp", json!({ "LampName": "desk", "On": true })), "`ModifyLamp`"),
        (call("ModifyLamp", json!({ "On": true })), "one member"),
    ] {
        let error = LAMP_ON.apply(&clients, &target, &call).now_or_never().unwrap().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!clients.0.lock().unwrap()["desk"].on, "{error}");
    }
}

#[test]
fn view_without_listing_returns_an_error_and_not_an_empty_page() {
    let (clients, target) = lamps();
    let place = AccountRegion { account: target.account, region: target.region };
    let mut pages = Box::pin(LAMP_ON.pages(&clients, &place, &NoParameters {}, None));
    assert!(pages.next().now_or_never().unwrap().unwrap().is_err());
}
