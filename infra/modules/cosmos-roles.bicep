// Who may do what with the documents of each container. The roles are our own, because the built-in ones allow every
// action on every container. The app deletes nothing.
//
// One after the other: the account takes one such change at a time, and refuses others meanwhile with 412.
@description('Account.')
param accountName string
@description('Database.')
param databaseName string
@description('Object id of the identity of the app.')
param appId string
@description('Name of this identity. The names of the role assignments are made from it, so that they are known before.')
param appName string
@description('Object id of the group of the operators. Empty: there is none.')
param operatorsId string

var prefix = 'Microsoft.DocumentDB/databaseAccounts'
var containerPrefix = '${prefix}/sqlDatabases/containers'

var appGrants = [
  // A save creates an event and creates or replaces the notice. Lists are queries, and the readers read the change feed.
  { container: 'notices', actions: ['items/create', 'items/read', 'items/replace', 'executeQuery', 'readChangeFeed'] }
  // The reader replaces the entry of a notice, and a debtor's list is a query.
  { container: 'notices-by-debtor', actions: ['items/create', 'items/read', 'items/replace', 'executeQuery'] }
  // Point reads of an institution and of a caller.
  { container: 'registries', actions: ['items/read'] }
  // The readers keep their places. The health check upserts its document, and the relay upserts a gap.
  {
    container: 'checkpoints'
    actions: ['items/create', 'items/read', 'items/replace', 'items/upsert', 'executeQuery']
  }
]

var operatorGrants = [
  // `history` and `uncommunicated` read notices. `events resend` and `debtors rebuild` read the change feed.
  { container: 'notices', actions: ['items/read', 'executeQuery', 'readChangeFeed'] }
  // `debtors rebuild` writes the entries again.
  { container: 'notices-by-debtor', actions: ['items/create', 'items/read', 'items/replace'] }
  // Institutions, callers, keys and the records of their changes.
  {
    container: 'registries'
    actions: ['items/create', 'items/read', 'items/replace', 'items/upsert', 'items/delete', 'executeQuery']
  }
  // `events gaps` is a query. `debtors rebuild` has places of its own, and removes them at its end.
  {
    container: 'checkpoints'
    actions: ['items/create', 'items/read', 'items/replace', 'items/delete', 'executeQuery']
  }
]

var hasOperators = !empty(operatorsId)
var grants = concat(
  map(appGrants, grant => { isApp: true, container: grant.container, actions: grant.actions }),
  map(hasOperators ? operatorGrants : [], grant => {
    isApp: false
    container: grant.container
    actions: grant.actions
  })
)
var metadataReaders = hasOperators ? [true, false] : [true]

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-10-15' existing = {
  name: accountName
}

// The SDK reads the regions of the account, and the keys and ranges of a container.
resource metadataReader 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2025-10-15' = {
  parent: account
  name: guid(account.id, 'metadata')
  properties: {
    roleName: 'Archive metadata reader'
    type: 'CustomRole'
    assignableScopes: [account.id]
    permissions: [{ dataActions: ['${prefix}/readMetadata'] }]
  }
}

@batchSize(1)
resource metadataAssignments 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-10-15' = [
  for isApp in metadataReaders: {
    parent: account
    name: guid(account.id, 'metadata', isApp ? appName : operatorsId)
    properties: {
      roleDefinitionId: metadataReader.id
      principalId: isApp ? appId : operatorsId
      scope: account.id
    }
  }
]

@batchSize(1)
resource definitions 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2025-10-15' = [
  for grant in grants: {
    parent: account
    name: guid(account.id, grant.isApp ? 'app' : 'operators', grant.container)
    properties: {
      roleName: 'Archive ${grant.isApp ? 'app' : 'operators'}: ${grant.container}'
      type: 'CustomRole'
      assignableScopes: ['${account.id}/dbs/${databaseName}/colls/${grant.container}']
      permissions: [{ dataActions: map(grant.actions, action => '${containerPrefix}/${action}') }]
    }
    dependsOn: [metadataAssignments]
  }
]

@batchSize(1)
resource assignments 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-10-15' = [
  for (grant, i) in grants: {
    parent: account
    name: guid(account.id, grant.container, grant.isApp ? appName : operatorsId)
    properties: {
      roleDefinitionId: definitions[i].id
      principalId: grant.isApp ? appId : operatorsId
      scope: '${account.id}/dbs/${databaseName}/colls/${grant.container}'
    }
  }
]
