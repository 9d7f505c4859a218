// Who may send to and receive from each entity.
import { roles, subscriber } from '../types.bicep'

@description('Namespace.')
param namespaceName string
@description('Object id of the identity of the app.')
param appId string
@description('Name of this identity. The names of the role assignments are made from it, so that they are known before.')
param appName string
@description('Object id of the group of the operators. Empty: there is none.')
param operatorsId string
@description('Object ids of the identities of services that send inbound events.')
param eventSenders string[]
@description('Programs of others that take events from a subscription.')
param subscribers subscriber[]

var receiver = roles.serviceBusDataReceiver
var sender = roles.serviceBusDataSender
// The id of the app is known only when it is deployed, so the app is named by its name.
var app = { name: appName, isApp: true, type: 'ServicePrincipal' }
var operators = empty(operatorsId) ? [] : [{ name: operatorsId, isApp: false, type: 'Group' }]
var topics = items(loadJsonContent('../messaging.json').topics)

var onQueues = concat(
  [
    { to: app, queue: 'inbound-events', role: receiver, reason: 'consume_events takes the messages.' }
    { to: app, queue: 'inbound-events', role: sender, reason: 'An early event waits there as a scheduled copy.' }
    { to: app, queue: 'inbound-rejected', role: sender, reason: 'A copy of what can never be applied.' }
  ],
  flatten(map(operators, group => [
    { to: group, queue: 'inbound-events', role: receiver, reason: 'ops dead-letters lists, replays, discards.' }
    { to: group, queue: 'inbound-events', role: sender, reason: 'ops send and ops dead-letters replay.' }
    { to: group, queue: 'inbound-rejected', role: receiver, reason: 'ops dead-letters lists, replays, discards.' }
  ])),
  map(eventSenders, id => {
    to: { name: id, isApp: false, type: 'ServicePrincipal' }
    queue: 'inbound-events'
    role: sender
    reason: 'A service that sends events.'
  })
)
var onTopics = concat(
  [{ to: app, topic: 'notice-events', role: sender, reason: 'relay_events sends the events.' }],
  map(operators, group => {
    to: group
    topic: 'notice-events'
    role: sender
    reason: 'ops events resend, ops dead-letters replay.'
  })
)
var onSubscriptions = concat(
  flatten(map(
    operators,
    group =>
      flatten(map(
        topics,
        topic =>
          map(objectKeys(topic.value.subscriptions), name => {
            to: group
            topic: topic.key
            name: name
            role: receiver
            reason: 'ops events tail, ops dead-letters.'
          })
      ))
  )),
  map(subscribers, each => {
    to: { name: each.principalId, isApp: false, type: 'ServicePrincipal' }
    topic: 'notice-events'
    name: each.subscription
    role: receiver
    reason: 'A program of others takes its events.'
  })
)

resource namespace 'Microsoft.ServiceBus/namespaces@2026-01-01' existing = {
  name: namespaceName
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2026-01-01' existing = [
  for grant in onQueues: {
    parent: namespace
    name: grant.queue
  }
]

resource existingTopics 'Microsoft.ServiceBus/namespaces/topics@2026-01-01' existing = [
  for grant in onTopics: {
    parent: namespace
    name: grant.topic
  }
]

resource subscriptions 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2026-01-01' existing = [
  for grant in onSubscriptions: {
    name: '${namespaceName}/${grant.topic}/${grant.name}'
  }
]

resource queueAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onQueues: {
    name: guid(namespace.id, grant.queue, grant.to.name, grant.role)
    scope: queues[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
      principalId: grant.to.isApp ? appId : grant.to.name
      principalType: grant.to.type
      description: grant.reason
    }
  }
]

resource topicAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onTopics: {
    name: guid(namespace.id, grant.topic, grant.to.name, grant.role)
    scope: existingTopics[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
      principalId: grant.to.isApp ? appId : grant.to.name
      principalType: grant.to.type
      description: grant.reason
    }
  }
]

resource subscriptionAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onSubscriptions: {
    name: guid(namespace.id, grant.topic, grant.name, grant.to.name, grant.role)
    scope: subscriptions[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
      principalId: grant.to.isApp ? appId : grant.to.name
      principalType: grant.to.type
      description: grant.reason
    }
  }
]
