//! Documents and the accounts that they are shared with.

use std::collections::BTreeMap;

use aws_sdk_ssm::operation::describe_document::DescribeDocumentError;
use aws_sdk_ssm::operation::describe_document_permission::DescribeDocumentPermissionError;
use aws_sdk_ssm::operation::list_documents::builders::ListDocumentsFluentBuilder;
use aws_sdk_ssm::operation::modify_document_permission::builders::ModifyDocumentPermissionFluentBuilder;
use aws_sdk_ssm::types::{DocumentIdentifier, DocumentKeyValuesFilter, DocumentPermissionType, Tag};
use futures_util::stream::{self, Stream};
use rectify_compliance::{NoParameters, ResourceKey, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, Found, List, Listed, Page, read_each};

use super::Clients;
use rectify_ssm::controls::ssm_document_not_public::{Action, SsmDocumentNotPublic, Undo};
use rectify_ssm::resources::document::{Document, TYPE};

/// Documents per page, the API's maximum.
const DOCUMENTS_PER_PAGE: i32 = 50;
/// How many documents are read concurrently; each takes one call.
const CONCURRENCY: usize = 4;

/// The accounts that a document is shared with, each with the shared version.
type SharedWith = BTreeMap<String, Option<String>>;

impl Clients {
    /// `DescribeDocumentPermission`, all pages; `None` when there is no such document.
    async fn shared_with(&self, name: &str) -> Result<Option<SharedWith>, AwsError> {
        let (mut shared_with, mut next) = (SharedWith::new(), None);
        loop {
            let call = self.ssm.describe_document_permission().name(name).set_next_token(next);
            let page = match call.permission_type(DocumentPermissionType::Share).send().await {
                Ok(page) => page,
                Err(error)
                    if error.as_service_error().is_some_and(DescribeDocumentPermissionError::is_invalid_document) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(AwsError::call("ssm:DescribeDocumentPermission", &error)),
            };
            shared_with.extend(page.account_ids.unwrap_or_default().into_iter().map(|id| (id, None)));
            // The list with versions may lack accounts of the other one.
            let with_version = page.account_sharing_info_list.unwrap_or_default().into_iter();
            shared_with.extend(with_version.filter_map(|it| Some((it.account_id?, it.shared_document_version))));
            next = page.next_token.filter(|it| !it.is_empty());
            if next.is_none() {
                return Ok(Some(shared_with));
            }
        }
    }

    /// `DescribeDocument`: the tags of a document; `None` when there is no such document.
    async fn document_tags(&self, name: &str) -> Result<Option<Tags>, AwsError> {
        match self.ssm.describe_document().name(name).send().await {
            Ok(answer) => {
                let document = answer.document.ok_or_else(|| ShapeError::missing("Document", "a document"))?;
                Ok(Some(tags_of(document.tags)))
            }
            Err(error) if error.as_service_error().is_some_and(DescribeDocumentError::is_invalid_document) => Ok(None),
            Err(error) => Err(AwsError::call("ssm:DescribeDocument", &error)),
        }
    }

    /// A listed document with its sharing; `None` when it is already gone.
    async fn with_sharing(&self, document: Document) -> Result<Option<Document>, AwsError> {
        let shared_with = self.shared_with(&document.name).await?;
        Ok(shared_with.map(|shared_with| Document { shared_with, ..document }))
    }

    /// The documents of one page, each with its sharing.
    async fn documents(
        &self,
        place: &AccountRegion,
        listed: Vec<DocumentIdentifier>,
    ) -> Result<Vec<Listed<Document>>, AwsError> {
        let mut reads = Vec::new();
        for DocumentIdentifier { name, tags, .. } in listed {
            let name = name.ok_or_else(|| ShapeError::missing("DocumentIdentifiers.Name", "a name"))?;
            let document = Document::new(&name, &place.account, &place.region, tags_of(tags));
            let found = Found { resource: ResourceKey::new(TYPE, name), name: None };
            reads.push((found, self.with_sharing(document)));
        }
        Ok(read_each(reads, CONCURRENCY).await)
    }

    /// `ListDocuments` of the documents that this account owns.
    fn own_documents(&self) -> ListDocumentsFluentBuilder {
        self.ssm.list_documents().filters(DocumentKeyValuesFilter::builder().key("Owner").values("Self").build())
    }

    /// `ModifyDocumentPermission` without accounts: the caller adds them.
    fn modify_sharing(&self, name: &str) -> ModifyDocumentPermissionFluentBuilder {
        self.ssm.modify_document_permission().name(name).permission_type(DocumentPermissionType::Share)
    }
}

/// Makes the call; idempotent.
async fn modify(call: ModifyDocumentPermissionFluentBuilder) -> Result<(), AwsError> {
    call.send().await.map(drop).map_err(|error| AwsError::call("ssm:ModifyDocumentPermission", &error))
}

fn tags_of(tags: Option<Vec<Tag>>) -> Tags {
    tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()
}

impl List<Clients> for SsmDocumentNotPublic {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a NoParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Document>, AwsError>> + Send + 'a {
        let pages = clients.own_documents().set_next_token(from).into_paginator().page_size(DOCUMENTS_PER_PAGE).send();
        stream::try_unfold(pages, move |mut pages| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("ssm:ListDocuments", &error))?;
            let resources = clients.documents(place, page.document_identifiers.unwrap_or_default()).await?;
            Ok(Some((Page { resources, next: page.next_token.filter(|it| !it.is_empty()) }, pages)))
        })
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a NoParameters,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        let pages = clients.own_documents().into_paginator().page_size(DOCUMENTS_PER_PAGE).send();
        stream::try_unfold(pages, move |mut pages| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("ssm:ListDocuments", &error))?;
            let names = page.document_identifiers().iter().filter_map(DocumentIdentifier::name);
            Ok(Some((names.map(|name| ResourceKey::new(TYPE, name)).collect::<Vec<_>>(), pages)))
        })
    }
}

impl Fix<Clients> for SsmDocumentNotPublic {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &NoParameters,
    ) -> Result<Option<Document>, AwsError> {
        let name = &target.resource.id;
        let Some(tags) = clients.document_tags(name).await? else { return Ok(None) };
        clients.with_sharing(Document::new(name, &target.account, &target.region, tags)).await
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        let Action::ModifyDocumentPermission { name, account_ids_to_remove: [id], .. } = action;
        modify(clients.modify_sharing(name).account_ids_to_remove(id)).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        let Undo::ModifyDocumentPermission { name, account_ids_to_add: [id], shared_document_version: version, .. } =
            undo;
        modify(clients.modify_sharing(name).account_ids_to_add(id).set_shared_document_version(version.clone())).await
    }
}
