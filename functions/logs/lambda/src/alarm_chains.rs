//! Alarm chains from trail to subscriber: read link by link; missing links are created and removed.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::Stream;
use futures_util::stream::{self, StreamExt, TryStreamExt, once};
use rectify_cloudtrail::resources::trail::ObservedFrom;
use rectify_compliance::{AccountId, Region, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page};

use super::Clients;
use super::topics::Answer;
use rectify_logs::families::alarm_chain::fix::{Action, Undo};
use rectify_logs::families::alarm_chain::observed::{AlarmChains, LogGroups};
use rectify_logs::families::alarm_chain::target::topic;
use rectify_logs::families::alarm_control::{AlarmControl, AlarmQuery, Defaults};

/// How many log groups, metrics or topics are read concurrently.
const CONCURRENCY: usize = 4;

impl<D: Defaults> List<Clients> for AlarmControl<D> {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        params: &'a Self::Params,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<AlarmChains>, AwsError>> + Send + 'a {
        once(async move {
            let question = self.question(params);
            Ok(Page::whole([clients.chains(&place.account, &place.region, &question).await?]))
        })
    }
}

impl<D: Defaults> Fix<Clients> for AlarmControl<D> {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &Self::Params,
    ) -> Result<Option<AlarmChains>, AwsError> {
        let question = self.question(params);
        let chains = clients.chains(&target.account, &target.region, &question).await?;
        let own_alarm_exists = Some(clients.alarm_exists(question.making.name).await?);
        Ok(Some(AlarmChains { own_alarm_exists, ..chains }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        clients.make(action).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        clients.take_back(undo).await
    }
}

impl Clients {
    /// All trails visible here, and the links that follow: filters of their log groups, alarms on the metrics of
    /// qualifying filters, and topics of these alarms. The metric and the topic of the remediation are always read.
    /// For a control of the management account, the organization comes first, and elsewhere nothing follows.
    ///
    /// # Errors
    /// [`AwsError`] also when the verdict depends on a topic or key that another account does not allow to be read, and
    /// the parameters do not cover that case.
    async fn chains(
        &self,
        account: &AccountId,
        region: &Region,
        question: &AlarmQuery<'_>,
    ) -> Result<AlarmChains, AwsError> {
        let seen_from = ObservedFrom { account: account.clone(), region: region.clone() };
        let (demands, making) = (&question.demands, &question.making);
        let organization = if question.in_management_account { Some(self.organization().await?) } else { None };
        let mut chains = AlarmChains {
            account: account.clone(),
            region: region.clone(),
            trails: Vec::new(),
            groups: BTreeMap::new(),
            metrics: Vec::new(),
            topics: BTreeMap::new(),
            organization,
            own_alarm_exists: None,
            tags: Tags::new(),
        };
        if chains.outside_management_account().is_some() {
            return Ok(chains);
        }
        chains.trails = self.trails.observe(&seen_from).await?;
        let LogGroups::Here(groups) = chains.log_groups(demands.trust_organization_trail) else { return Ok(chains) };
        let groups = stream::iter(groups.into_keys()).map(|name| self.filters_of(name)).buffered(CONCURRENCY);
        chains.groups = groups.try_collect().await?;

        let written = chains.written(demands).into_iter().map(|it| (&it.metric_namespace, &it.metric_name));
        let mut metrics: BTreeSet<(String, String)> =
            written.map(|(namespace, name)| (namespace.clone(), name.clone())).collect();
        metrics.insert((making.namespace.to_owned(), making.metric.to_owned()));
        let metrics =
            stream::iter(metrics).map(|(namespace, name)| self.watched(namespace, name)).buffered(CONCURRENCY);
        chains.metrics = metrics.try_collect().await?;

        let actions = chains.metrics.iter().flat_map(|it| &it.alarms).flat_map(|it| &it.actions);
        let topics: BTreeSet<String> = actions
            .map(String::as_str)
            .chain(making.topic_arn)
            // An alarm notifies only topics in its own region.
            .filter(|arn| topic(arn).is_some_and(|(topic_region, _, _)| topic_region == *region))
            .map(str::to_owned)
            .collect();
        let topics = stream::iter(topics).map(|arn| self.topic(arn, account)).buffered(CONCURRENCY);
        let topics: Vec<Answer> = topics.try_collect().await?;
        let denial = topics.iter().find_map(|it| it.denial.clone());
        chains.topics = topics.into_iter().map(|it| (it.arn, it.topic)).collect();
        match chains.unverified(demands) {
            Some(why) if question.must_be_verified => Err(denial.unwrap_or_else(|| {
                AwsError::Shape(ShapeError::new("unverifiedTopic", "a topic and a key that can be read", why))
            })),
            Some(_) | None => Ok(chains),
        }
    }

    async fn make(&self, action: &Action) -> Result<(), AwsError> {
        match action {
            Action::PutMetricFilter { .. } => self.put_filter(action).await,
            Action::PutMetricAlarm { .. } => self.put_alarm(action).await,
            Action::EnableAlarmActions { alarm_names } => {
                let request = self.cloudwatch.enable_alarm_actions().set_alarm_names(Some(alarm_names.clone()));
                let answer = request.send().await;
                answer.map(drop).map_err(|error| AwsError::call("cloudwatch:EnableAlarmActions", &error))
            }
            Action::SetTopicAttributes { topic_arn, attribute_name, attribute_value } => {
                self.set_topic(topic_arn, attribute_name, attribute_value).await
            }
        }
    }

    async fn take_back(&self, undo: &Undo) -> Result<(), AwsError> {
        match undo {
            Undo::DeleteMetricFilter { log_group_name, filter_name } => {
                self.delete_filter(log_group_name, filter_name).await
            }
            Undo::DeleteAlarms { alarm_names } => self.delete_alarms(alarm_names).await,
            Undo::DisableAlarmActions { alarm_names } => {
                let request = self.cloudwatch.disable_alarm_actions().set_alarm_names(Some(alarm_names.clone()));
                let answer = request.send().await;
                answer.map(drop).map_err(|error| AwsError::call("cloudwatch:DisableAlarmActions", &error))
            }
            Undo::SetTopicAttributes { topic_arn, attribute_name, attribute_value } => {
                self.set_topic(topic_arn, attribute_name, attribute_value).await
            }
        }
    }
}
