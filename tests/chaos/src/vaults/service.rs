//! The service behind the made-up vaults: in memory, in two regions, with trouble for whoever calls.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use rectify_compliance::Target;
use rectify_runtime::client::{Connect, Fix};
use rectify_runtime::{AwsError, CallError};
use serde_json::Value;

use super::{Call, Params, Seal, Vault, Watch, predict};
use crate::REGION;
use crate::actor::{ACTOR, Event, InjectedFault};

/// How many reads the service needs to end what it accepted.
const READS: u32 = 3;

/// What a person does to a vault.
type Edit = Box<dyn FnOnce(&mut Vault) + Send>;

#[derive(Default)]
struct State {
    vaults: BTreeMap<(String, String), Vault>,
    seals: HashMap<String, u32>,
    /// What was accepted, and how many reads it still takes.
    accepted: HashMap<String, (u32, u32)>,
    /// What happens right before a read of a vault, and how many reads come before that.
    placed: HashMap<String, (u32, Edit)>,
}

/// The service, as it is reached from one region.
#[derive(Clone, Default)]
pub struct Vaults {
    state: Arc<Mutex<State>>,
    region: String,
}

static SERVICES: LazyLock<Mutex<HashMap<String, Vaults>>> = LazyLock::new(Mutex::default);

impl std::fmt::Debug for Vaults {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Vaults in {}", self.region)
    }
}

impl Vaults {
    /// A service with these vaults, the same ones in both regions.
    pub fn with(vaults: &[Vault], regions: &[&str]) -> Self {
        let service = Self { region: REGION.to_owned(), ..Self::default() };
        for region in regions {
            let all = vaults.iter().map(|vault| (((*region).to_owned(), vault.id.clone()), vault.clone()));
            service.state().vaults.extend(all);
        }
        service
    }

    /// The SDK configuration through which clients find this service.
    pub fn reached_through(&self, config: &SdkConfig) -> SdkConfig {
        let mut services = SERVICES.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("vaults-{}", services.len());
        services.insert(name.clone(), self.clone());
        config.to_builder().app_name(AppName::new(name).unwrap()).build()
    }

    /// A vault as it is now.
    pub fn vault(&self, id: &str) -> Vault {
        self.state().vaults[&(REGION.to_owned(), id.to_owned())].clone()
    }

    /// A hand is laid on a vault, at once.
    pub fn edit(&self, id: &str, change: impl FnOnce(&mut Vault)) {
        let mut state = self.state();
        let vault = state.vaults.get_mut(&(REGION.to_owned(), id.to_owned())).unwrap();
        let before = vault.clone();
        change(vault);
        let after = vault.clone();
        drop(state);
        if before != after {
            ACTOR.get().tell(Event::Wrote(None, REGION.to_owned(), before, after));
        }
    }

    /// A hand is laid on a vault right before the read after the next `reads` ones.
    pub fn edit_after(&self, reads: u32, id: &str, change: impl FnOnce(&mut Vault) + Send + 'static) {
        self.state().placed.insert(id.to_owned(), (reads, Box::new(change)));
    }

    /// Lets nobody lay a hand on a vault who has not yet.
    pub fn calm(&self) {
        self.state().placed.clear();
    }

    fn edit_as_placed(&self, id: &str) {
        let mut state = self.state();
        let Some((left, _)) = state.placed.get_mut(id) else { return };
        if *left > 0 {
            *left -= 1;
            return;
        }
        let placed = state.placed.remove(id);
        drop(state);
        if let Some((_, change)) = placed {
            self.edit(id, change);
        }
    }

    /// Ends what the service still works on.
    pub fn settle(&self) {
        let waiting: Vec<String> = self.state().accepted.keys().cloned().collect();
        for id in waiting {
            self.settle_one(&id);
        }
    }

    fn settle_one(&self, id: &str) {
        let mut state = self.state();
        let Some((days, _)) = state.accepted.remove(id) else { return };
        let vault = state.vaults.get_mut(&(REGION.to_owned(), id.to_owned())).unwrap();
        let before = vault.clone();
        vault.retention = days;
        vault.busy = false;
        ACTOR.get().tell(Event::Settled(before, vault.clone()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, id: &str) -> Result<Option<Vault>, AwsError> {
        const OPERATION: &str = "vaults:DescribeVault";
        let actor = ACTOR.get();
        actor.step().await;
        if let Some(InjectedFault::Refused(kind) | InjectedFault::Lost(kind)) = actor.trouble_at_vaults() {
            actor.step().await;
            return Err(refused(OPERATION, if kind % 6 == 3 { 0 } else { kind }));
        }
        if self.region == REGION {
            self.edit_as_placed(id);
        }
        let due = {
            let mut state = self.state();
            state.accepted.get_mut(id).is_some_and(|(_, left)| {
                *left = left.saturating_sub(1);
                *left == 0
            })
        };
        if due && self.region == REGION {
            self.settle_one(id);
        }
        let found = self.state().vaults.get(&(self.region.clone(), id.to_owned())).cloned();
        if let Some(vault) = &found {
            actor.tell(Event::Read(vault.clone()));
        }
        actor.step().await;
        Ok(found)
    }

    async fn write(&self, id: &str, call: &Call) -> Result<Seal, AwsError> {
        const OPERATION: &str = "vaults:ModifyVault";
        let actor = ACTOR.get();
        actor.step().await;
        let trouble = actor.trouble_at_vaults();
        if let Some(InjectedFault::Refused(kind)) = trouble {
            actor.step().await;
            return Err(refused(OPERATION, kind));
        }
        let answer = self.carry_out(id, call);
        actor.step().await;
        match trouble {
            Some(InjectedFault::Lost(kind)) if answer.is_ok() => Err(lost(OPERATION, kind)),
            _ => answer.map_err(|code| answered(OPERATION, 400, code)),
        }
    }

    fn carry_out(&self, id: &str, call: &Call) -> Result<Seal, &'static str> {
        let mut state = self.state();
        let place = (self.region.clone(), id.to_owned());
        let before = state.vaults.get(&place).ok_or("NoSuchVault")?.clone();
        let mut after = predict(before.clone(), call);
        let mut answer = None;
        match call {
            Call::ModifyRetention { .. } if before.busy => return Err("InvalidDBInstanceState"),
            Call::ModifyRetention { days } if *days != before.retention => {
                state.accepted.insert(id.to_owned(), (*days, READS));
                after = Vault { busy: true, ..before.clone() };
            }
            Call::DeactivateKey { key } => {
                let next = u32::try_from(state.seals.len()).unwrap() + 100;
                let seal = state.seals.entry(format!("{id}/{key}")).or_insert(next);
                answer = Some(*seal);
            }
            Call::ActivateKey { key, seal } if state.seals.get(&format!("{id}/{key}")) != Some(seal) => {
                return Err("WrongSeal");
            }
            _ => {}
        }
        state.vaults.insert(place, after.clone());
        drop(state);
        ACTOR.get().tell(Event::Wrote(Some(call.clone()), self.region.clone(), before, after));
        Ok(answer)
    }
}

/// A refusal of which the service did nothing.
fn refused(operation: &'static str, kind: u8) -> AwsError {
    let (status, code) = match kind % 6 {
        0 | 1 => (400, "Throttling"),
        2 => (500, "InternalError"),
        3 => (403, "AccessDenied"),
        4 => (409, "OperationAborted"),
        _ => (503, "ServiceUnavailable"),
    };
    answered(operation, status, code)
}

/// The answer to a call that was carried out.
fn lost(operation: &'static str, kind: u8) -> AwsError {
    match kind % 3 {
        0 => AwsError::Call(CallError::unanswered(operation, "Timeout", "by chance")),
        1 => answered(operation, 500, "InternalError"),
        // As IAM calls it.
        _ => answered(operation, 500, "ServiceFailure"),
    }
}

fn answered(operation: &'static str, status: u16, code: &str) -> AwsError {
    AwsError::Call(CallError::answered(operation, status, code, "by chance"))
}

impl Connect for Vaults {
    fn connect(config: &SdkConfig) -> Self {
        let services = SERVICES.lock().unwrap_or_else(PoisonError::into_inner);
        let name = config.app_name().map(ToString::to_string).unwrap_or_default();
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        Self { region, ..services.get(&name).cloned().unwrap_or_default() }
    }
}

impl<const CONTROL: u8> Fix<Vaults> for Watch<CONTROL> {
    async fn live(&self, vaults: &Vaults, target: &Target, _params: &Params) -> Result<Option<Vault>, AwsError> {
        vaults.read(&target.resource.id).await
    }

    async fn apply(&self, vaults: &Vaults, target: &Target, action: &Call) -> Result<(), AwsError> {
        vaults.write(&target.resource.id, action).await.map(drop)
    }

    async fn apply_answered(&self, vaults: &Vaults, target: &Target, action: &Call) -> Result<Value, AwsError> {
        vaults.write(&target.resource.id, action).await.map(Value::from)
    }
}
