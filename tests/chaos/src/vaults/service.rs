//! The service of the fake vaults: in memory, in two regions, with random faults.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use rectify_compliance::Target;
use rectify_runtime::client::{Connect, Fix};
use rectify_runtime::{AwsError, CallError};
use serde_json::Value;

use super::{Call, Params, Token, Vault, VaultControl, predict};
use crate::REGION;
use crate::actor::{ACTOR, Event, InjectedFault};

/// The number of reads after which a pending change is complete.
const READS: u32 = 3;

/// An operator's change to a vault.
type Edit = Box<dyn FnOnce(&mut Vault) + Send>;

#[derive(Default)]
struct State {
    vaults: BTreeMap<(String, String), Vault>,
    tokens: HashMap<String, u32>,
    /// Pending retentions, and the number of reads until each is complete.
    accepted: HashMap<String, (u32, u32)>,
    /// Changes to make right before a read of a vault, and the number of reads before that.
    scheduled: HashMap<String, (u32, Edit)>,
}

/// The service in one region.
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
    /// A service with these vaults in each region.
    pub fn with(vaults: &[Vault], regions: &[&str]) -> Self {
        let service = Self { region: REGION.to_owned(), ..Self::default() };
        for region in regions {
            let all = vaults.iter().map(|vault| (((*region).to_owned(), vault.id.clone()), vault.clone()));
            service.state().vaults.extend(all);
        }
        service
    }

    /// An SDK configuration whose clients use this service.
    pub fn reached_through(&self, config: &SdkConfig) -> SdkConfig {
        let mut services = SERVICES.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("vaults-{}", services.len());
        services.insert(name.clone(), self.clone());
        config.to_builder().app_name(AppName::new(name).unwrap()).build()
    }

    /// The current state of a vault.
    pub fn vault(&self, id: &str) -> Vault {
        self.state().vaults[&(REGION.to_owned(), id.to_owned())].clone()
    }

    /// Changes a vault without a call, at once.
    pub fn edit(&self, id: &str, change: impl FnOnce(&mut Vault)) {
        let mut state = self.state();
        let vault = state.vaults.get_mut(&(REGION.to_owned(), id.to_owned())).unwrap();
        let before = vault.clone();
        change(vault);
        let after = vault.clone();
        drop(state);
        if before != after {
            ACTOR.get().record(Event::Wrote(None, REGION.to_owned(), before, after));
        }
    }

    /// Changes a vault without a call, right before the read after the next `reads` ones.
    pub fn edit_after(&self, reads: u32, id: &str, change: impl FnOnce(&mut Vault) + Send + 'static) {
        self.state().scheduled.insert(id.to_owned(), (reads, Box::new(change)));
    }

    /// Removes the scheduled changes.
    pub fn clear_edits(&self) {
        self.state().scheduled.clear();
    }

    fn edit_as_scheduled(&self, id: &str) {
        let mut state = self.state();
        let Some((left, _)) = state.scheduled.get_mut(id) else { return };
        if *left > 0 {
            *left -= 1;
            return;
        }
        let scheduled = state.scheduled.remove(id);
        drop(state);
        if let Some((_, change)) = scheduled {
            self.edit(id, change);
        }
    }

    /// Completes all pending changes.
    pub fn settle(&self) {
        let pending: Vec<String> = self.state().accepted.keys().cloned().collect();
        for id in pending {
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
        ACTOR.get().record(Event::Settled(before, vault.clone()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, id: &str) -> Result<Option<Vault>, AwsError> {
        const OPERATION: &str = "vaults:DescribeVault";
        let actor = ACTOR.get();
        actor.step().await;
        if let Some(InjectedFault::Refused(kind) | InjectedFault::Lost(kind)) = actor.fault_at_vaults() {
            actor.step().await;
            return Err(refused(OPERATION, if kind % 6 == 3 { 0 } else { kind }));
        }
        if self.region == REGION {
            self.edit_as_scheduled(id);
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
            actor.record(Event::Read(vault.clone()));
        }
        actor.step().await;
        Ok(found)
    }

    async fn write(&self, id: &str, call: &Call) -> Result<Token, AwsError> {
        const OPERATION: &str = "vaults:ModifyVault";
        let actor = ACTOR.get();
        actor.step().await;
        let fault = actor.fault_at_vaults();
        if let Some(InjectedFault::Refused(kind)) = fault {
            actor.step().await;
            return Err(refused(OPERATION, kind));
        }
        let answer = self.carry_out(id, call);
        actor.step().await;
        match fault {
            Some(InjectedFault::Lost(kind)) if answer.is_ok() => Err(lost(OPERATION, kind)),
            _ => answer.map_err(|code| answered(OPERATION, 400, code)),
        }
    }

    fn carry_out(&self, id: &str, call: &Call) -> Result<Token, &'static str> {
        let mut state = self.state();
        let key = (self.region.clone(), id.to_owned());
        let before = state.vaults.get(&key).ok_or("NoSuchVault")?.clone();
        let mut after = predict(before.clone(), call);
        let mut answer = None;
        match call {
            Call::ModifyRetention { .. } if before.busy => return Err("InvalidDBInstanceState"),
            Call::ModifyRetention { days } if *days != before.retention => {
                state.accepted.insert(id.to_owned(), (*days, READS));
                after = Vault { busy: true, ..before.clone() };
            }
            Call::DeactivateKey { key: name } => {
                let next = u32::try_from(state.tokens.len()).unwrap() + 100;
                let token = state.tokens.entry(format!("{id}/{name}")).or_insert(next);
                answer = Some(*token);
            }
            Call::ActivateKey { key: name, token } if state.tokens.get(&format!("{id}/{name}")) != Some(token) => {
                return Err("WrongToken");
            }
            _ => {}
        }
        state.vaults.insert(key, after.clone());
        drop(state);
        ACTOR.get().record(Event::Wrote(Some(call.clone()), self.region.clone(), before, after));
        Ok(answer)
    }
}

/// The error of a call without an effect.
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

/// The error of a call that took effect.
fn lost(operation: &'static str, kind: u8) -> AwsError {
    match kind % 3 {
        0 => AwsError::Call(CallError::unanswered(operation, "Timeout", "by chance")),
        1 => answered(operation, 500, "InternalError"),
        // The code of IAM.
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

impl<const CONTROL: u8> Fix<Vaults> for VaultControl<CONTROL> {
    async fn live(&self, vaults: &Vaults, target: &Target, _params: &Params) -> Result<Option<Vault>, AwsError> {
        vaults.read(&target.resource.id).await
    }

    async fn apply(&self, vaults: &Vaults, target: &Target, action: &Call) -> Result<(), AwsError> {
        vaults.write(&target.resource.id, action).await.map(drop)
    }

    async fn apply_with_response(&self, vaults: &Vaults, target: &Target, action: &Call) -> Result<Value, AwsError> {
        vaults.write(&target.resource.id, action).await.map(Value::from)
    }
}
